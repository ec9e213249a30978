"""Agents: they use the public environment only."""
