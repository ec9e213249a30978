"""Parity with the real game."""
