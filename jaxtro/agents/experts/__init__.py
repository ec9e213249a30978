"""Players with rules of their own: baselines, and a planner to learn from."""

from jaxtro.agents.experts.greedy import GreedyAgent, RandomAgent
from jaxtro.agents.experts.planner import PlannerAgent

__all__ = ["GreedyAgent", "PlannerAgent", "RandomAgent"]
