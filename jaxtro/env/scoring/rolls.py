"""All random rolls of one hand, in the game's order (scoring.md 3 and 7).

What a roll decides never changes how the others are made, except in two places: a created card takes a slot
(8 Ball rolls only while one is free), and a held card is only repeated if its first trigger did something. So
the rolls of a hand are one loop with one draw per turn, which runs before anything is added up; in a batch
only the hands that roll pay for it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array, lax

from jaxtro.env import rng
from jaxtro.env.compaction import compacted
from jaxtro.env.scoring import bits
from jaxtro.env.scoring.book import LUCKY_MONEY, LUCKY_MULT

Luck = Literal["seeded", "never", "always"]
# Who rolls, as bits of a trigger: the card itself, then the joker places.
FIRST_JOKER = 3


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class RollPlan:
    """Which rolls a hand makes. S = 3 + J sources; one group for each card that may roll.

    Groups: 0 the before pass, 1..5 played cards, then held cards, then the joker pass, then 5 Glass cards.

    Attributes:
      rolling: bool[G], the groups with rolls. times: int32[G], triggers.
      sources: uint32[G], the sources that roll on each trigger; of held cards it is found out in the loop,
        from held_features: uint32[H] and held_card: uint32[J], the features that a rolling joker asks for.
      needs_hit: bool[G], further triggers only if a roll of the first one hits (held cards).
      acting: int32[J], whose effects each joker place has.
      probability: float64[], numerator of all odds. free: int32[], free consumable slots.
    """

    rolling: Array
    times: Array
    sources: Array
    held_features: Array
    held_card: Array
    needs_hit: Array
    acting: Array
    probability: Array
    free: Array


@dataclass(frozen=True)
class Sources:
    """What each of the S = 3 + J sources rolls for.

    Attributes:
      stream: int8[S], which of the hand's streams. odds: float64[S], 1 in N.
      creates: int8[S], what a hit creates (1 + place in `book.CREATED`), 0 = nothing.
      random_low, random_high: float64[S], for whole random numbers instead of hits; low = high: none.
    """

    stream: Array
    odds: Array
    creates: Array
    random_low: Array
    random_high: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Rolls:
    """What the rolls decided.

    Attributes:
      hits: uint32[T], sources that hit on each trigger of the played cards, counted through.
      count: int32[S], hits of each source. random: float64[S], whole random numbers.
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
    """Carry of the loop: the group, its triggers left, the sources left of this trigger, what hit so far."""

    groups: Array
    times: Array
    sources: Array
    acc: Array
    trigger: Array
    free: Array
    made: Array
    rolls: Rolls


NUM_PLAYED = 5
_BEFORE, _FIRST_PLAYED = 0, 1


def no_rolls(joker_places: int, triggers: int, created_places: int, states: Array, log: int) -> Rolls:
    """The result of a hand without rolls; `triggers`: the most that the played cards can have."""
    sources = FIRST_JOKER + joker_places
    return Rolls(
        hits=jnp.zeros(triggers, jnp.uint32),
        count=jnp.zeros(sources, jnp.int32),
        random=jnp.zeros(sources, jnp.float64),
        lucky=jnp.int32(0),
        broken=jnp.uint8(0),
        created=jnp.zeros(created_places, jnp.int8),
        states=states,
        log_stream=jnp.zeros(log, jnp.int8),
        log_value=jnp.zeros(log, jnp.float64),
        log_length=jnp.int32(0),
    )


def _set(array: Array, place: Array, value: Array) -> Array:
    """`array` with one element replaced, by selection: these arrays are short."""
    return jnp.where(jnp.arange(array.shape[0]) == place, value.astype(array.dtype), array)


def make_rolls(plan: RollPlan, table: Sources, blank: Rolls, seed_hash: Array, luck: Luck) -> Rolls:
    """Makes the rolls of a plan.

    Args:
      plan: the rolls to make. table: what they are for.
      blank: `no_rolls` with the states of the streams.
      seed_hash: float64[], hash of the run's seed.
      luck: "seeded" draws from the streams; "never": only certain chances hit, random numbers are lowest;
        "always": every chance hits, random numbers are highest.
    """
    groups = plan.sources.shape[0]
    glass, main = groups - NUM_PLAYED, groups - NUM_PLAYED - 1
    # Triggers of the played cards are counted through; groups without rolls are passed over.
    played = plan.times[_FIRST_PLAYED : _FIRST_PLAYED + NUM_PLAYED]
    first_trigger = jnp.stack([jnp.sum(played[:card], dtype=jnp.int32) for card in range(NUM_PLAYED)])
    first_held = _FIRST_PLAYED + NUM_PLAYED
    rolling = bits.to_bits(plan.rolling)

    def sources_of(group: Array) -> Array:
        features = plan.held_features[jnp.clip(group - first_held, 0, plan.held_features.shape[0] - 1)]
        jokers = bits.to_bits((features & plan.held_card) != 0) << FIRST_JOKER
        return jnp.where((group >= first_held) & (group < main), jokers, plan.sources[group])

    def enter(left: Array) -> tuple[Array, Array, Array]:
        group = jnp.minimum(bits.lowest(left), groups - 1)
        card = jnp.clip(group - _FIRST_PLAYED, 0, NUM_PLAYED - 1)
        return plan.times[group], sources_of(group), first_trigger[card]

    def turn(now: _Turn) -> _Turn:
        rolls = now.rolls
        group, source = bits.lowest(now.groups), bits.lowest(now.sources)
        stream, creates = table.stream[source], table.creates[source] > 0
        drawn = ~creates | (now.free > 0)
        low, high = table.random_low[source], table.random_high[source]
        if luck == "seeded":
            state = rng.step_stream(rolls.states[stream])
            u = rng.first_float(rng.generator_seed(state, seed_hash))
            states = jnp.where(drawn, _set(rolls.states, stream, state), rolls.states)
            number = low + jnp.floor(u * (high - low + 1.0))
        else:
            u = jnp.float64(1 - 2**-53 if luck == "never" else 0.0)
            states, number = rolls.states, low if luck == "never" else high
        # The numerator is a power of two, so this quotient is exact whichever way XLA computes it.
        hit = drawn & (u < plan.probability / table.odds[source])
        is_random = (group == main) & (high > low)
        acc = now.acc | jnp.where(hit, jnp.uint32(1) << source.astype(jnp.uint32), jnp.uint32(0))
        makes = hit & creates
        rolls = replace(
            rolls,
            count=rolls.count + jnp.where(hit & (jnp.arange(rolls.count.shape[0]) == source), 1, 0),
            random=jnp.where(is_random, _set(rolls.random, source, number), rolls.random),
            broken=rolls.broken
            | jnp.where(
                hit & (group >= glass), jnp.uint8(1) << jnp.maximum(group - glass, 0).astype(jnp.uint8), 0
            ).astype(jnp.uint8),
            created=jnp.where(makes, _set(rolls.created, now.made, table.creates[source]), rolls.created),
            states=states,
        )
        if rolls.log_value.shape[0]:
            rolls = replace(
                rolls,
                log_stream=jnp.where(
                    drawn, _set(rolls.log_stream, rolls.log_length, stream), rolls.log_stream
                ),
                log_value=jnp.where(drawn, _set(rolls.log_value, rolls.log_length, u), rolls.log_value),
                log_length=rolls.log_length + drawn,
            )
        sources = bits.without_lowest(now.sources)
        ended = sources == 0  # the trigger
        is_played = (group >= _FIRST_PLAYED) & (group < first_held)
        lucky = acc & jnp.uint32(1 << LUCKY_MULT | 1 << LUCKY_MONEY) != 0
        rolls = replace(
            rolls,
            hits=jnp.where(ended & is_played, _set(rolls.hits, now.trigger, acc), rolls.hits),
            lucky=rolls.lucky + (ended & is_played & lucky),
        )
        times = now.times - ended
        times = jnp.where(
            ended & plan.needs_hit[group] & (now.times == plan.times[group]) & (acc == 0), 0, times
        )
        done = ended & (times <= 0)
        left = jnp.where(done, bits.without_lowest(now.groups), now.groups)
        next_times, next_sources, next_trigger = enter(left)
        return _Turn(
            groups=left,
            times=jnp.where(done, next_times, times),
            sources=jnp.where(done, next_sources, jnp.where(ended, sources_of(group), sources)),
            acc=jnp.where(ended, jnp.uint32(0), acc),
            trigger=jnp.where(done, next_trigger, now.trigger + ended),
            free=now.free - makes,
            made=now.made + makes,
            rolls=rolls,
        )

    times, sources, trigger = enter(rolling)
    zero = jnp.int32(0)
    start = _Turn(rolling, times, sources, jnp.uint32(0), trigger, plan.free, zero, blank)
    return lax.while_loop(lambda now: now.groups != 0, turn, start).rolls


def rolls_of(
    active: Array,
    plan: RollPlan,
    states: Array,
    seed_hash: Array,
    luck: Luck,
    sources_of: Callable[[Array], Sources],
    blank: Callable[[Array], Rolls],
) -> Rolls:
    """`make_rolls` for the hands that roll at all. In a batch, only those are computed.

    Args:
      active: bool[], whether this hand rolls. plan: the rolls to make.
      states: float64[N], the streams. seed_hash, luck: as for `make_rolls`.
      sources_of: what acting jokers roll for. blank: `no_rolls` for states of the streams.
    """

    def make(plan: RollPlan, states: Array, seed_hash: Array) -> Rolls:
        return make_rolls(plan, sources_of(plan.acting), blank(states), seed_hash, luck)

    # Everything but the streams starts at zero, which is also what compaction gives to the others.
    made = compacted(make, chunk=512)(active, plan, states, seed_hash)
    return replace(made, states=jnp.where(active, made.states, states))
