"""The three folds of mult: over played cards, held cards and jokers, in the game's order.

`x + 0` and `x * 1` are exact, so effects that do not apply are folded in as 0 and 1. Every product goes
through `guard`, which keeps XLA from fusing it with the next addition.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array, lax

from jaxtro.env.rng.hash import guard
from jaxtro.env.scoring import bits
from jaxtro.env.scoring.book import LUCKY_MULT
from jaxtro.env.scoring.rolls import FIRST_JOKER


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class CardAmounts:
    """What each card gives on every trigger. [N]; features uint32, chips and dollars int32, the rest float64.

    Order inside a trigger: chips, mult (Lucky: `lucky_mult` on a hit), dollars, xmult, edition.
    """

    features: Array
    chips: Array
    dollars: Array
    mult: Array
    lucky_mult: Array
    xmult: Array
    edition_mult: Array
    edition_xmult: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class JokerAmounts:
    """What each joker place gives for every trigger of a card with one of the features `card`. [J]

    rolled: bool, only on a hit. chips, dollars: int32. mult, xmult: float64.
    """

    card: Array
    rolled: Array
    chips: Array
    dollars: Array
    mult: Array
    xmult: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class MainAmounts:
    """What each joker place gives in the joker pass, in this order; [J] but for `other`.

    rarity: int8, of the joker at the place. other: uint32[], places of jokers that act on others (Baseball
    Card): those multiply mult after each joker of rarity `other_rarity`. dollars: int32. The rest: float64.
    """

    edition_chips: Array
    edition_mult: Array
    chips: Array
    mult: Array
    xmult: Array
    dollars: Array
    rarity: Array
    other: Array
    other_rarity: Array
    other_xmult: Array
    edition_xmult: Array


def cards(
    mult: Array, times: Array, card: CardAmounts, joker: JokerAmounts, hits: Array | None
) -> Array:
    """Folds the triggers of played or held cards into mult.

    Args:
      mult: float64[]. times: int32[N], triggers of each card.
      hits: uint32[T], sources that hit on each trigger, counted through all cards; None = no rolls.
    """
    gives = (joker.mult != 0) | (joker.xmult != 1)
    asked = lax.reduce(
        jnp.where(gives, joker.card, 0).astype(jnp.uint32), jnp.uint32(0), lax.bitwise_or, (0,)
    )
    plain = (card.mult == 0) & (card.lucky_mult == 0) & (card.xmult == 1)
    plain = plain & (card.edition_mult == 0) & (card.edition_xmult == 1) & ((card.features & asked) == 0)
    # Only cards that change mult take a turn.
    left = bits.to_bits((times > 0) & ~plain)
    if hits is not None:
        before = jnp.tri(times.shape[0], k=-1, dtype=jnp.int32)
        first = jnp.sum(before * times, axis=1, dtype=jnp.int32)

    def turn(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        left, done, mult = carry
        place = bits.lowest(left)
        features = card.features[place]
        if hits is None:
            hit, add = jnp.uint32(0), card.mult[place]
        else:
            hit = hits[first[place] + done]
            add = card.mult[place] + jnp.where(bits.has(hit, LUCKY_MULT), card.lucky_mult[place], 0.0)
        mult = guard((mult + add) * card.xmult[place])
        mult = guard((mult + card.edition_mult[place]) * card.edition_xmult[place])
        for slot in range(joker.card.shape[0]):
            acts = (features & joker.card[slot]) != 0
            if hits is not None:
                acts = acts & (~joker.rolled[slot] | bits.has(hit, FIRST_JOKER + slot))
            mult = mult + jnp.where(acts, joker.mult[slot], 0.0)
            mult = guard(mult * jnp.where(acts, joker.xmult[slot], 1.0))
        done = done + 1
        last = done >= times[place]
        return jnp.where(last, bits.without_lowest(left), left), jnp.where(last, 0, done), mult

    return lax.while_loop(lambda carry: carry[0] != 0, turn, (left, jnp.int32(0), mult))[2]


def jokers(mult: Array, main: MainAmounts) -> Array:
    """Folds the joker pass into mult."""
    for slot in range(main.mult.shape[0]):
        mult = mult + main.edition_mult[slot]
        mult = mult + main.mult[slot]
        mult = guard(mult * main.xmult[slot])
        mult = _others(mult, main, main.rarity[slot])
        mult = guard(mult * main.edition_xmult[slot])
    return mult


def _others(mult: Array, main: MainAmounts, rarity: Array) -> Array:
    def turn(carry: tuple[Array, Array]) -> tuple[Array, Array]:
        left, mult = carry
        slot = bits.lowest(left)
        acts = main.other_rarity[slot] == rarity
        return bits.without_lowest(left), guard(mult * jnp.where(acts, main.other_xmult[slot], 1.0))

    start = jnp.where(rarity > 0, main.other, jnp.uint32(0))
    return lax.while_loop(lambda carry: carry[0] != 0, turn, (start, mult))[1]


def repeatedly(mult: Array, factor: float, times: Array) -> Array:
    """Multiplies mult by a factor, one time after the other."""
    return lax.while_loop(
        lambda carry: carry[0] > 0,
        lambda carry: (carry[0] - 1, guard(carry[1] * factor)),
        (times, mult),
    )[1]
