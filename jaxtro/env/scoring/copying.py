"""Blueprint and Brainstorm (scoring.md 4)."""

import jax.numpy as jnp
from jax import Array

from jaxtro.env import bits
from jaxtro.env.scoring.book import Trait

_NOTHING = -1
_WORD = 32  # bits of a set, one of which is the place behind the last joker


def resolve(traits: Array, active: Array) -> Array:
    """The joker whose effects each place has.

    Args:
      traits: uint32[J], `JokerBook.traits` of the jokers; J up to 31. active: bool[J], there and not debuffed.

    Returns:
      int32[J]: the place of that joker (its own for an ordinary joker); -1 for empty and debuffed places
      and for copies of nothing: no joker there, a debuffed one on the way, a loop, one that cannot be copied.
    """
    if active.shape[0] >= _WORD:
        raise ValueError(f"{active.shape[0]} joker places; at most {_WORD - 1} can be followed")
    members = {
        trait: bits.to_bits(active & bits.has(traits, trait))
        for trait in (Trait.COPIES_RIGHT, Trait.COPIES_LEFTMOST, Trait.COPYABLE)
    }
    brainstorms = members[Trait.COPIES_LEFTMOST]
    places = jnp.arange(active.shape[0], dtype=jnp.int32)
    # A Blueprint has what its right neighbour has: the first place from here on without one, perhaps behind the last.
    end = bits.lowest(~members[Trait.COPIES_RIGHT] & ~bits.below(places))
    # A Brainstorm has what the leftmost joker has; one that ends at a Brainstorm itself is a loop.
    found = jnp.where(bits.has(brainstorms, end), end[0], end)
    acts = bits.has(bits.to_bits(active), found) & ~bits.has(brainstorms, found)
    may = (found == places) | bits.has(members[Trait.COPYABLE], found)
    return jnp.where(acts & may, found, _NOTHING)
