"""The played pass (scoring.md 3, step 6).

Only mult depends on the order of things: it is folded trigger by trigger. `x + 0` and `x * 1` are exact, so
effects that do not apply are folded in as 0 and 1. Every product goes through `guard`, which keeps XLA from
fusing it with the next addition.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env import bits
from jaxtro.env.lookups import element, look_up
from jaxtro.env.loops import while_loop
from jaxtro.env.rng.hash import guard
from jaxtro.env.scoring import amounts
from jaxtro.env.scoring.book import LUCKY_MONEY, LUCKY_MULT, JokerBook, Trait
from jaxtro.env.scoring.lookup import Row, Slots
from jaxtro.env.scoring.rolls import FIRST_JOKER, NUM_PLAYED


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PlayedMult:
    """What the mult of the played pass depends on, but for rolls.

    Attributes:
      hand: int32[]. flint: bool[]. acting: int32[J], ids of acting jokers.
      times: int32[5], triggers. features: uint32[5]. enhancement, edition: int8[5].
    """

    hand: Array
    flint: Array
    acting: Array
    times: Array
    features: Array
    enhancement: Array
    edition: Array


@dataclass(frozen=True)
class JokersPlayed:
    """The jokers' part in the played pass but for mult and rolls.

    Attributes:
      chips, dollars: int32[]. bonus_gain: int32[5], chips that each card gains for good on every trigger.
      rolls: uint32[5], sources that roll on each trigger. stored: float64[J].
    """

    chips: Array
    dollars: Array
    bonus_gain: Array
    rolls: Array
    stored: Array


def triggers(slots: Slots, features: Array, seal: Array, scores: Array) -> Array:
    """How often each played card triggers. scores: bool[5], live scoring cards. -> int32[5]"""

    def joker(place: Array, times: Array) -> Array:
        row = slots.row(place)
        return times + jnp.where((features & row.retrigger_card) != 0, row.repeats, 0)

    start = 1 + look_up(amounts.SEAL_REPEATS, seal.astype(jnp.int32))
    return jnp.where(scores, bits.for_each(slots.having(Trait.RETRIGGER), joker, start), 0)


def jokers_played(slots: Slots, features: Array, times: Array, lucky: Array, stored: Array) -> JokersPlayed:
    """Sums what jokers give for the triggers of cards; lucky: bool[5], Lucky cards."""

    def joker(place: Array, carry: tuple[Array, ...]) -> Any:
        chips, dollars, bonus_gain, rolls, stored = carry
        row = slots.row(place)
        matches = (features & row.played_card) != 0
        count = jnp.where(row.played_rolled, 0, jnp.sum(jnp.where(matches, times, 0), dtype=jnp.int32))
        source = jnp.uint32(1) << (FIRST_JOKER + place).astype(jnp.uint32)
        gain = jnp.where(slots.itself(place), guard(row.played_gain * count.astype(jnp.float64)), 0.0)
        return (
            chips + count * row.played_chips,
            dollars + count * row.played_dollars,
            bonus_gain + jnp.where(matches, row.card_bonus, 0),
            rolls | jnp.where(matches & row.played_rolled, source, jnp.uint32(0)),
            bits.put(stored, place, stored[place] + gain),
        )

    both, none = jnp.uint32(1 << LUCKY_MULT | 1 << LUCKY_MONEY), jnp.int32(0)
    gains = jnp.zeros(NUM_PLAYED, jnp.int32)
    start = (none, none, gains, jnp.where(lucky, both, jnp.uint32(0)), stored)
    return JokersPlayed(*bits.for_each(slots.having(Trait.PLAYED), joker, start))


def mult_after(book: JokerBook, played: PlayedMult, level: Array, hits: Array | None = None) -> Array:
    """Mult after the played pass.

    The joker places are unrolled: this is the innermost loop of scoring.

    Args:
      level: int32[], of the poker hand.
      hits: uint32[T], sources that hit on each trigger, counted through all cards; None: no roll hits.
    """
    card, times = amounts.mult_amounts(played.enhancement, played.edition), played.times
    mult = amounts.flint_mult(amounts.base_mult(played.hand, level), played.flint)
    row, size = Row(book, played.acting), played.acting.shape[0]
    asks, mults, xmults = row.played_card, row.played_mult, row.played_xmult
    sources = jnp.where(row.played_rolled, 1 << (FIRST_JOKER + np.arange(size)), 0).astype(jnp.uint32)
    if hits is None:
        asks = jnp.where(sources != 0, jnp.uint32(0), asks)
    asked = bits.union(jnp.where((mults != 0) | (xmults != 1), asks, jnp.uint32(0)))
    plain = (card.mult == 0) & (card.xmult == 1) & (card.edition_mult == 0) & (card.edition_xmult == 1)
    plain = plain & ((played.features & asked) == 0)
    if hits is not None:
        plain = plain & (card.lucky_mult == 0)
    # Only cards that change mult take turns.
    left = bits.to_bits((times > 0) & ~plain)
    first_trigger = jnp.stack([jnp.sum(times[:place], dtype=jnp.int32) for place in range(NUM_PLAYED)])

    def turn(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        left, done, mult = carry
        place = bits.lowest(left)
        features = element(played.features, place)
        mult = mult + element(card.mult, place)
        if hits is not None:
            hit = element(hits, element(first_trigger, place) + done)
            mult = mult + jnp.where(bits.has(hit, LUCKY_MULT), element(card.lucky_mult, place), 0.0)
        mult = guard(mult * element(card.xmult, place))
        mult = guard((mult + element(card.edition_mult, place)) * element(card.edition_xmult, place))
        acts = (features & asks) != 0
        if hits is not None:
            acts = acts & ((sources & ~hit) == 0)
        adds, factors = jnp.where(acts, mults, 0.0), jnp.where(acts, xmults, 1.0)
        for slot in range(size):
            mult = guard((mult + adds[slot]) * factors[slot])
        done = done + 1
        last = done >= element(times, place)
        return jnp.where(last, bits.without_lowest(left), left), jnp.where(last, 0, done), mult

    return while_loop(lambda carry: carry[0] != 0, turn, (left, jnp.int32(0), mult))[2]
