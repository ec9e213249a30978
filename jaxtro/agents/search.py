"""Search with mctx over the game itself, in determinised runs: the network proposes, the rules decide.

A node offers the few actions that the policy drew there, so that the huge space of card sets needs no list.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxtro.agents import policy
from jaxtro.agents.determinise import determinise
from jaxtro.agents.exact_plays import features_for
from jaxtro.agents.network import NetworkConfig, PolicyValue
from jaxtro.agents.value import mean_value
from jaxtro.env.actions import Action, Legal
from jaxtro.env.observation import Observation
from jaxtro.env.reward import DEFAULT_WEIGHTS
from jaxtro.env.state import State


@dataclass(frozen=True)
class SearchAgent:
    """An agent that looks ahead with a network (Gumbel MuZero's search on the true rules).

    Attributes:
      name, params: as of `Agent`; params of the network. config: of it. env: `Balatro`.
      simulations: nodes of a search. candidates: actions that a node offers. worlds: determinised runs that are
        searched; the action that the searches of all of them favour is taken. gamma: discount.
      hide: draws what the player does not know of a state anew.
    """

    env: Any
    params: Any
    config: NetworkConfig
    name: str = "search"
    simulations: int = 16
    candidates: int = 8
    worlds: int = 4
    gamma: float = 0.997
    hide: Callable[[Array, Any], Any] = determinise

    def __post_init__(self) -> None:
        for name in ("simulations", "candidates", "worlds"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: give 1 or more")
        if importlib.util.find_spec("mctx") is None:
            raise ImportError("search needs mctx, which is not installed: pip install 'jaxtro[search]'")

    def _offer(
        self, params: Any, key: Array, state: State, observation: Observation, legal: Legal
    ) -> tuple[Any, Array, Array]:
        """Actions of a node [K], their logits, the node's value."""
        net, features = PolicyValue(self.config), features_for(self.config, observation, state)

        def draw(key: Array) -> tuple[Action, Array, Array]:
            taken, log_prob, encoded = policy.act(net, params, features, legal, key)
            return taken.action(), log_prob, encoded.value

        actions, log_probs, values = jax.vmap(draw)(jax.random.split(key, self.candidates))
        # An action that was drawn twice is offered once.
        flat = jnp.concatenate(
            [actions.cards.astype(jnp.int32), jnp.stack([actions.kind, actions.slot, actions.to], axis=1)],
            axis=1,
        )
        same = jnp.all(flat[:, None] == flat[None], axis=2)
        again = jnp.any(
            same & (jnp.arange(self.candidates)[:, None] > jnp.arange(self.candidates)[None]), axis=1
        )
        return actions, jnp.where(again, -1e9, log_probs), mean_value(values[0], self.config.value_range)

    def act(self, params: Any, key: Array, state: State, observation: Observation, legal: Legal) -> Action:
        """See `Agent.act`."""
        import mctx

        env = self.env
        of_offer, of_worlds, of_search = jax.random.split(key, 3)
        actions, logits, value = self._offer(params, of_offer, state, observation, legal)
        worlds = jax.vmap(self.hide, in_axes=(0, None))(jax.random.split(of_worlds, self.worlds), state)
        spread = lambda tree: jax.tree.map(  # noqa: E731
            lambda leaf: jnp.broadcast_to(leaf, (self.worlds, *leaf.shape)), tree
        )

        def expand(params: Any, key: Array, number: Array, node: tuple[State, Action]) -> tuple[Any, Any]:
            states, offered = node
            chosen = jax.tree.map(lambda leaf: leaf[jnp.arange(self.worlds), number], offered)
            seen, after, reward, ended, _, _ = jax.vmap(env.step, in_axes=(0, 0, None))(
                states, chosen, DEFAULT_WEIGHTS
            )
            may = jax.vmap(env.legal_actions)(after)
            offered, logits, value = jax.vmap(self._offer, in_axes=(None, 0, 0, 0, 0))(
                params, jax.random.split(key, self.worlds), after, seen, may
            )
            discount = jnp.where(ended, 0.0, self.gamma).astype(jnp.float32)
            out = mctx.RecurrentFnOutput(reward=reward, discount=discount, prior_logits=logits, value=value)
            return out, (after, offered)

        found = mctx.gumbel_muzero_policy(
            params,
            of_search,
            mctx.RootFnOutput(
                prior_logits=spread(logits), value=spread(value), embedding=(worlds, spread(actions))
            ),
            expand,
            num_simulations=self.simulations,
            invalid_actions=spread(logits < -1e8),
            max_num_considered_actions=self.candidates,
        )
        best = jnp.argmax(jnp.sum(found.action_weights, axis=0))
        return jax.tree.map(lambda leaf: leaf[best], actions)
