"""The folds of mult over the triggers of cards, in the game's order.

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
from jaxtro.env.scoring.lookup import Slots
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


def played(mult: Array, times: Array, card: CardAmounts, slots: Slots, hits: Array) -> Array:
    """Folds the triggers of the played cards into mult.

    The joker places are unrolled: this is the innermost loop of scoring, and most of its time.

    Args:
      mult: float64[]. times: int32[5], triggers of each card.
      slots: the jokers.
      hits: uint32[T], sources that hit on each trigger, counted through all cards.
    """
    rows = [slots.row(place) for place in range(slots.acting.shape[0])]
    asks = [row.played_card for row in rows]
    rolled = [jnp.where(row.played_rolled, 1 << (FIRST_JOKER + n), 0) for n, row in enumerate(rows)]
    rolled = [bit.astype(jnp.uint32) for bit in rolled]
    mults, xmults = [row.played_mult for row in rows], [row.played_xmult for row in rows]
    asked = jnp.uint32(0)
    for ask, add, factor in zip(asks, mults, xmults, strict=True):
        asked = asked | jnp.where((add != 0) | (factor != 1), ask, jnp.uint32(0))
    plain = (card.mult == 0) & (card.lucky_mult == 0) & (card.xmult == 1)
    plain = plain & (card.edition_mult == 0) & (card.edition_xmult == 1) & ((card.features & asked) == 0)
    # Only cards that change mult take turns.
    left = bits.to_bits((times > 0) & ~plain)
    first = [jnp.sum(times[:place], dtype=jnp.int32) for place in range(times.shape[0])]
    first_trigger = jnp.stack(first)

    def turn(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        left, done, mult = carry
        place = bits.lowest(left)
        features = card.features[place]
        hit = hits[first_trigger[place] + done]
        mult = mult + card.mult[place]
        mult = mult + jnp.where(bits.has(hit, LUCKY_MULT), card.lucky_mult[place], 0.0)
        mult = guard(mult * card.xmult[place])
        mult = guard((mult + card.edition_mult[place]) * card.edition_xmult[place])
        for ask, bit, add, factor in zip(asks, rolled, mults, xmults, strict=True):
            acts = ((features & ask) != 0) & ((bit & ~hit) == 0)
            mult = mult + jnp.where(acts, add, 0.0)
            mult = guard(mult * jnp.where(acts, factor, 1.0))
        done = done + 1
        last = done >= times[place]
        return jnp.where(last, bits.without_lowest(left), left), jnp.where(last, 0, done), mult

    return lax.while_loop(lambda carry: carry[0] != 0, turn, (left, jnp.int32(0), mult))[2]


def held(
    mult: Array, times: Array, features: Array, steel: Array, slots: Slots, jokers: Array, amounts: Array
) -> Array:
    """Folds the triggers of the held cards into mult.

    Args:
      mult: float64[]. times: int32[H]. features: uint32[H]. steel: float64[H], X Mult of the cards.
      slots, jokers: as in `played`. amounts: float64[J], mult that each joker gives.
    """
    left = bits.to_bits(times > 0)

    def turn(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        left, done, mult = carry
        place = bits.lowest(left)
        here = features[place]
        mult = guard(mult * steel[place])

        def joker(slot: Array, mult: Array) -> Array:
            row = slots.row(slot)
            acts = ~row.held_rolled & ((here & row.held_card) != 0)
            mult = mult + jnp.where(acts, amounts[slot], 0.0)
            return guard(mult * jnp.where(acts, row.held_xmult, 1.0))

        mult = bits.for_each(jnp.where(left != 0, jokers, 0), joker, mult)
        done = done + 1
        last = done >= times[place]
        return jnp.where(last, bits.without_lowest(left), left), jnp.where(last, 0, done), mult

    return lax.while_loop(lambda carry: carry[0] != 0, turn, (left, jnp.int32(0), mult))[2]


def others(mult: Array, rarity: Array, slots: Slots, jokers: Array) -> Array:
    """Jokers that act on another one, after it has acted (Baseball Card); rarity: int8[], of that one."""

    def joker(slot: Array, mult: Array) -> Array:
        row = slots.row(slot)
        return guard(mult * jnp.where(row.other_rarity == rarity, row.other_xmult, 1.0))

    return bits.for_each(jokers, joker, mult)


def repeatedly(mult: Array, factor: float, times: Array) -> Array:
    """Multiplies mult by a factor, one time after the other."""
    return lax.while_loop(
        lambda carry: carry[0] > 0,
        lambda carry: (carry[0] - 1, guard(carry[1] * factor)),
        (times, mult),
    )[1]
