"""All random rolls of one hand, in the game's order (scoring.md 3 and 7).

What a roll decides never changes how the others are made, except in two places: a created card takes a slot
(8 Ball rolls only while one is free), and a held card is only repeated if its first trigger did something. So
the rolls of a hand are one loop with one draw per turn, which runs before mult is folded.
"""

from dataclasses import dataclass, replace
from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array

from jaxtro.env import bits, rng
from jaxtro.env.lookups import element
from jaxtro.env.loops import while_loop
from jaxtro.env.scoring import amounts
from jaxtro.env.scoring.book import GLASS, LUCKY_MONEY, LUCKY_MULT, JokerBook
from jaxtro.env.scoring.held import HeldFeatures
from jaxtro.env.scoring.lookup import Row

Luck = Literal["seeded", "never", "always"]
# Who rolls, as bits of a trigger: the card itself (lucky mult, lucky money, glass), then the joker places.
FIRST_JOKER = 3
NUM_PLAYED = 5


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class RollPlan:
    """Which rolls a hand makes, group after group; sets of cards or joker places are bits.

    Attributes:
      levels: uint32[], jokers that roll for a level before the hand scores.
      cards: uint32[5], sources that roll on each trigger of a played card. times: int32[5], triggers.
      held: set of held cards for which jokers roll. held_acts: those that do something without a roll: only
        they, and those whose first trigger hits, trigger again. red: those with a Red Seal.
      held_repeats: int32[]. held_features: `held.HeldFeatures`. held_card: uint32[J], features asked for, 0 = none.
      random: uint32[], jokers with a random number in the joker pass. glass: bool[5], cards that may break.
      acting: int32[J], ids of acting jokers. probability: int32[], numerator of all odds.
      free: int32[], free consumable slots.
    """

    levels: Array
    cards: Array
    times: Array
    held: Array
    held_acts: Array
    red: Array
    held_repeats: Array
    held_features: HeldFeatures
    held_card: Array
    random: Array
    glass: Array
    acting: Array
    probability: Array
    free: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Rolls:
    """What the rolls decided. S = 3 + J sources.

    Attributes:
      hits: uint32[T], sources that hit on each trigger of the played cards, counted through.
      count: int32[S], hits of each source. random: float64[J], whole random numbers.
      lucky: int32[], triggers with a lucky hit of either kind.
      broken: uint8[], played Glass cards that break, as bits.
      created: int8[C], cards created, in order; 0 = none. states: float64[N], the streams after the hand.
      log_stream: int8[L], log_value: float64[L], the draws in order; log_length: int32[].
    """

    hits: Array
    count: Array
    random: Array
    lucky: Array
    broken: Array
    created: Array
    states: Array
    log_stream: Array
    log_value: Array
    log_length: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class _Turn:
    """Carry of the loop: the groups left, triggers and sources left of this one, what hit so far."""

    groups: Array
    times: Array
    sources: Array
    acc: Array
    trigger: Array
    free: Array
    made: Array
    rolls: Rolls


_BEFORE, _FIRST_PLAYED, _FIRST_HELD = 0, 1, 1 + NUM_PLAYED


def no_rolls(book: JokerBook, joker_places: int, created_places: int, states: Array, log: int) -> Rolls:
    """The result of a hand without rolls; everything but the streams is 0."""
    return Rolls(
        hits=jnp.zeros(book.most_triggers(joker_places), jnp.uint32),
        count=jnp.zeros(FIRST_JOKER + joker_places, jnp.int32),
        random=jnp.zeros(joker_places, jnp.float64),
        lucky=jnp.int32(0),
        broken=jnp.uint8(0),
        created=jnp.zeros(created_places, jnp.int8),
        states=states,
        log_stream=jnp.zeros(log, jnp.int8),
        log_value=jnp.zeros(log, jnp.float64),
        log_length=jnp.int32(0),
    )


def _groups(plan: RollPlan) -> Array:
    """The groups that roll, as bits: before, played cards, held cards, joker pass, Glass. -> uint64[]"""
    places = plan.held_features.cards.shape[0]
    wide = lambda value: value.astype(jnp.uint64)  # noqa: E731
    found = wide(plan.levels != 0) << _BEFORE
    found = found | (wide(bits.to_bits((plan.cards != 0) & (plan.times > 0))) << _FIRST_PLAYED)
    found = found | (wide(plan.held) << _FIRST_HELD)
    found = found | (wide(plan.random != 0) << (_FIRST_HELD + places))
    return found | (wide(bits.to_bits(plan.glass)) << (_FIRST_HELD + places + 1))


def rolls_at_all(plan: RollPlan) -> Array:
    """Whether the hand rolls. -> bool[]"""
    cards = jnp.any((plan.cards != 0) & (plan.times > 0)) | jnp.any(plan.glass)
    return cards | ((plan.levels | plan.random) != 0) | (plan.held != 0)


def make_rolls(book: JokerBook, plan: RollPlan, blank: Rolls, seed_hash: Array, luck: Luck) -> Rolls:
    """Makes the rolls of a plan.

    Args:
      plan: the rolls to make. blank: `no_rolls` with the states of the streams.
      seed_hash: float64[], hash of the run's seed.
      luck: "seeded" draws from the streams; "never": only certain chances hit, random numbers are lowest;
        "always": every chance hits, random numbers are highest.
    """
    main = _FIRST_HELD + plan.held_features.cards.shape[0]
    glass = main + 1
    row = Row(book, plan.acting)
    stream = jnp.concatenate([jnp.arange(FIRST_JOKER, dtype=jnp.int8), row.stream])
    odds = jnp.concatenate([jnp.asarray(amounts.CARD_ODDS), jnp.maximum(row.odds, 1.0)])
    creates = jnp.concatenate([jnp.zeros(FIRST_JOKER, jnp.int8), row.played_create])
    probability = plan.probability.astype(jnp.float64)
    first_trigger = jnp.stack([jnp.sum(plan.times[:card], dtype=jnp.int32) for card in range(NUM_PLAYED)])

    def enter(groups: Array) -> tuple[Array, Array, Array]:
        """Triggers, sources and number of the first trigger of the next group."""
        group = bits.lowest(groups)
        card = jnp.clip(group - _FIRST_PLAYED, 0, NUM_PLAYED - 1)
        place = jnp.clip(group - _FIRST_HELD, 0, plan.held_features.cards.shape[0] - 1)
        is_played, is_held = group < _FIRST_HELD, (group >= _FIRST_HELD) & (group < main)
        again = jnp.where(bits.has(plan.red, place), int(amounts.SEAL_REPEATS[amounts.RED]), 0)
        times = jnp.where(is_held, 1 + again + plan.held_repeats, 1)
        times = jnp.where(is_played & (group > _BEFORE), element(plan.times, card), times)
        asked = bits.to_bits((plan.held_features.at(place) & plan.held_card) != 0)
        jokers = jnp.where(is_held, asked, jnp.where(group == _BEFORE, plan.levels, plan.random))
        sources = jnp.where(is_played & (group > _BEFORE), element(plan.cards, card), jokers << FIRST_JOKER)
        sources = jnp.where(group >= glass, jnp.uint32(1 << GLASS), sources)
        return times, sources, element(first_trigger, card)

    def turn(now: _Turn) -> _Turn:
        rolls = now.rolls
        group, source = bits.lowest(now.groups), bits.lowest(now.sources)
        joker = jnp.maximum(source - FIRST_JOKER, 0)
        makes_card = element(creates, source) > 0
        drawn = ~makes_card | (now.free > 0)
        number_stream = element(stream, source).astype(jnp.int32)
        if luck == "seeded":
            state = rng.step_stream(element(rolls.states, number_stream))
            u = rng.first_float(rng.generator_seed(state, seed_hash))
            states = jnp.where(drawn, bits.put(rolls.states, number_stream, state), rolls.states)
        else:
            u, states = jnp.float64(1 - 2**-53 if luck == "never" else 0.0), rolls.states
        # The numerator is a power of two, so this quotient is exact whichever way XLA computes it.
        hit = drawn & (u < probability / element(odds, source))
        makes = hit & makes_card
        is_random = group == main
        low, high = row.random_low[joker], row.random_high[joker]
        number = {"seeded": low + jnp.floor(u * (high - low + 1.0)), "never": low, "always": high}[luck]
        acc = now.acc | jnp.where(hit, jnp.uint32(1) << source.astype(jnp.uint32), jnp.uint32(0))
        breaks = jnp.uint8(1) << jnp.clip(group - glass, 0, NUM_PLAYED - 1).astype(jnp.uint8)
        sources = bits.without_lowest(now.sources)
        ended = sources == 0  # the trigger
        is_played = (group >= _FIRST_PLAYED) & (group < _FIRST_HELD)
        lucky = acc & jnp.uint32(1 << LUCKY_MULT | 1 << LUCKY_MONEY) != 0
        rolls = replace(
            rolls,
            hits=bits.put(rolls.hits, now.trigger, jnp.where(is_played, acc, rolls.hits[now.trigger])),
            count=bits.put(rolls.count, source, rolls.count[source] + hit),
            random=bits.put(rolls.random, joker, jnp.where(is_random, number, rolls.random[joker])),
            lucky=rolls.lucky + (ended & is_played & lucky),
            broken=rolls.broken | jnp.where(hit & (group >= glass), breaks, jnp.uint8(0)),
            created=bits.put(
                rolls.created, now.made, jnp.where(makes, element(creates, source), rolls.created[now.made])
            ),
            states=states,
        )
        if rolls.log_value.shape[0]:
            at = jnp.minimum(rolls.log_length, rolls.log_value.shape[0] - 1)
            rolls = replace(
                rolls,
                log_stream=bits.put(rolls.log_stream, at, jnp.where(drawn, stream[source], jnp.int8(0))),
                log_value=bits.put(rolls.log_value, at, jnp.where(drawn, u, 0.0)),
                log_length=rolls.log_length + drawn,
            )
        # A held card that does nothing by itself is only repeated if a roll of its first trigger hit.
        place = jnp.clip(group - _FIRST_HELD, 0, plan.held_features.cards.shape[0] - 1)
        is_held = (group >= _FIRST_HELD) & (group < main)
        nothing_done = is_held & (acc == 0) & ~bits.has(plan.held_acts, place) & (now.trigger == 0)
        times = jnp.where(nothing_done, 0, now.times - ended)
        done = ended & (times <= 0)
        left = jnp.where(done, bits.without_lowest(now.groups), now.groups)
        its_times, its_sources, its_trigger = enter(left)
        return _Turn(
            groups=left,
            times=jnp.where(done, its_times, jnp.where(ended, times, now.times)),
            sources=jnp.where(ended, its_sources, sources),
            acc=jnp.where(ended, jnp.uint32(0), acc),
            trigger=jnp.where(done, jnp.where(_is_held(left, main), 0, its_trigger), now.trigger + ended),
            free=now.free - makes,
            made=now.made + makes,
            rolls=rolls,
        )

    groups, zero = _groups(plan), jnp.int32(0)
    times, sources, trigger = enter(groups)
    trigger = jnp.where(_is_held(groups, main), 0, trigger)
    start = _Turn(groups, times, sources, jnp.uint32(0), trigger, plan.free, zero, blank)
    return while_loop(lambda now: now.groups != 0, turn, start).rolls


def _is_held(groups: Array, main: int) -> Array:
    group = bits.lowest(groups)
    return (group >= _FIRST_HELD) & (group < main)
