"""The score of one hand, in the order of scoring.md 3.

The order of a hand matters to the last bit of mult, so the three passes (played cards, held cards, jokers)
are folds in exactly that order. Everything that does not change mult is a sum of whole numbers, exact in any
order. Loops run over the jokers that have a part in a pass, not over all places: a hand pays for what it has.
"""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from jaxtro.env import bits
from jaxtro.env.calls import written_out
from jaxtro.env.compaction import compacted
from jaxtro.env.lookups import look_up
from jaxtro.env.rng.hash import guard
from jaxtro.env.scoring import after, amounts, boss, held, joker_pass, played
from jaxtro.env.scoring.before import Before, before_pass
from jaxtro.env.scoring.book import BOOK, LUCKY_MONEY, RULES, JokerBook, Trait
from jaxtro.env.scoring.hands import HandRules, detect
from jaxtro.env.scoring.lookup import Row, Slots, facts, features, slots_of
from jaxtro.env.scoring.rolls import (
    FIRST_JOKER,
    NUM_PLAYED,
    Luck,
    RollPlan,
    Rolls,
    make_rolls,
    no_rolls,
    rolls_at_all,
)
from jaxtro.env.scoring.view import View, area_of
from jaxtro.env.state import Cards, Jokers, ScoringState, take
from jaxtro.tables.streams import SLOT, STREAM_ID


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class HandScore:
    """What playing a hand gives.

    Attributes:
      legal: bool[], one to five cards were chosen; if not, nothing below means anything and total is 0.
      hand: int32[], id of the poker hand. contains: bool[12], the hands inside it.
      places: int32[5], places in the hand of the played cards, left to right; -1 = fewer cards.
      scoring: bool[5], played cards that score. blocked: bool[], the boss refuses the hand.
      chips, mult, total: float64[], after everything; total = floor(chips * mult).
      money: int32[], dollars gained (lost to The Ox: negative). level: int32[], of the hand afterwards.
      cards: `Cards` with 5 places, the played cards afterwards.
      destroyed: bool[5], played cards that are gone.
      copies: int32[], copies of the single played card (DNA); copied: int8[J], the enhancement of each.
      jokers: `Jokers` with the numbers they store afterwards. removed: bool[J], jokers used up.
      created: int8[C], consumables to make, in order: 1 + place in `book.CREATED`, 0 = none.
      eye_used: bool[12]. mouth_hand: int32[]. boss_triggered: bool[].
      streams: float64[N], states of the book's streams afterwards.
      log_stream: int8[L], log_value: float64[L], log_length: int32[], the draws in order, if asked for.
    """

    legal: Array
    hand: Array
    contains: Array
    places: Array
    scoring: Array
    blocked: Array
    chips: Array
    mult: Array
    total: Array
    money: Array
    level: Array
    cards: Cards
    destroyed: Array
    copies: Array
    copied: Array
    jokers: Jokers
    removed: Array
    created: Array
    eye_used: Array
    mouth_hand: Array
    boss_triggered: Array
    streams: Array
    log_stream: Array
    log_value: Array
    log_length: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Rolled:
    """What rolls gave, added up.

    Attributes:
      levels: int32[], levels gained. chips, dollars: int32[]. mult: float64[], after the played pass.
      level_ups: int32[J], by each joker. rolls: `Rolls`; its `hits` are left out (length 0) without a log.
    """

    levels: Array
    chips: Array
    dollars: Array
    mult: Array
    level_ups: Array
    rolls: Rolls


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Breakdown:
    """The amounts that were folded, for a step by step account (calculator/explain.py).

    Attributes:
      base_chips, base_mult: float64[], of the hand at its level, before The Flint. flint: bool[].
      acting: int32[J], whose effects each joker place has.
      before: `Before`. rolled: `Rolled`.
      times: int32[5], triggers. features: uint32[5]. card_chips: float64[5]. card_dollars: int32[5].
      card_mult: `amounts.MultAmounts`[5]. bonus_gain: int32[5], chips for good, per trigger.
      held: `held.Held`. main: `joker_pass.MainAmounts`.
      observatory: int32[], planets that multiply. plasma: bool[].
    """

    base_chips: Array
    base_mult: Array
    flint: Array
    acting: Array
    before: Before
    rolled: Rolled
    times: Array
    features: Array
    card_chips: Array
    card_dollars: Array
    card_mult: amounts.MultAmounts
    bonus_gain: Array
    held: held.Held
    main: joker_pass.MainAmounts
    observatory: Array
    plasma: Array


def _played_places(chosen: Array) -> tuple[Array, Array]:
    """Places of the chosen cards, left to right, -1 after the last: int32[5]; and how many: int32[]."""
    left = bits.to_bits(chosen)
    count = lax.population_count(left).astype(jnp.int32)
    places = []
    for _ in range(NUM_PLAYED):
        places.append(jnp.where(left != 0, bits.lowest(left), -1))
        left = bits.without_lowest(left)
    return jnp.stack(places), count


def _with_copies(hand: Cards, card: Cards, before: Before) -> Cards:
    """The hand with copies of the played card at its right end (DNA; scoring.md 8 item 3 recommends it)."""
    size = jnp.sum(hand.rank > 0, dtype=jnp.int32)
    number = jnp.arange(hand.rank.shape[0]) - size
    new = (number >= 0) & (number < before.copies)
    copied = jax.tree.map(lambda old, one: jnp.where(new, one[0], old), hand, card)
    its = before.copied[jnp.clip(number, 0, before.copied.shape[0] - 1)]
    return replace(copied, enhancement=jnp.where(new, its, hand.enhancement))


def _roll(
    book: JokerBook, luck: Luck, log: int, created_places: int, plan: RollPlan, cards: played.PlayedMult,
    level: Array, states: Array, seed_hash: Array,
) -> Rolled:  # fmt: skip
    """Rolls, and what follows from the rolls up to the end of the played pass."""
    places = plan.acting.shape[0]
    rolls = make_rolls(book, plan, no_rolls(book, places, created_places, states, log), seed_hash, luck)
    row, hits = Row(book, plan.acting), rolls.count[FIRST_JOKER:]
    level_ups = hits * row.level_up
    levels = jnp.sum(level_ups, dtype=jnp.int32)
    lucky_money = rolls.count[LUCKY_MONEY] * int(amounts.LUCKY_ROW["lucky_money"])
    return Rolled(
        levels=levels,
        chips=jnp.sum(hits * row.played_chips, dtype=jnp.int32),
        dollars=jnp.sum(hits * (row.played_dollars + row.held_dollars), dtype=jnp.int32) + lucky_money,
        mult=played.mult_after(book, cards, level + levels, rolls.hits),
        level_ups=level_ups,
        rolls=rolls if log else replace(rolls, hits=rolls.hits[:0], count=rolls.count[:0]),
    )


def score_hand(
    state: ScoringState,
    chosen: Array,
    book: JokerBook = BOOK,
    luck: Luck = "seeded",
    log: int = 0,
) -> tuple[HandScore, Breakdown]:
    """Scores the chosen cards of the hand; nothing of the state is changed.

    Args:
      state: before the hand, with the hand's own play already taken from `hands_left`.
      chosen: bool[H], one to five cards of the hand.
      book: the jokers of the game.
      luck: "seeded": chances fall as the streams have it; "never", "always": see `rolls.make_rolls`.
      log: how many draws to write down; the breakdown has single hits only with a log.
    """
    # numpy arrays cannot be indexed by traced ones
    state, chosen = jax.tree.map(jnp.asarray, (state, chosen))
    jokers, created_places = state.jokers, state.consumables.shape[0]
    there = state.hand.rank > 0
    places, cards_played = _played_places(chosen & there)
    legal = (cards_played >= 1) & (cards_played <= NUM_PLAYED) & ~jnp.any(chosen & ~there)
    cards = take(state.hand, jnp.maximum(places, 0))
    cards = replace(cards, rank=jnp.where(places >= 0, cards.rank, 0).astype(jnp.int8))

    slots = slots_of(book, jokers)
    rules = HandRules(**{name: slots.owning(int(Trait.RULES) + n) != 0 for n, name in enumerate(RULES)})
    probability = bits.for_each(
        slots.owning(Trait.ODDS), lambda place, odds: odds * slots.row(place).odds_factor, jnp.int32(1)
    )

    # 1, 2: the hand, and what the boss says to it.
    poker_hand = written_out(detect(cards, rules))
    hand, scoring = poker_hand.hand, poker_hand.scoring
    judged = boss.judge(state, poker_hand, cards_played, cards)
    blocked, state = judged.blocked | ~legal, replace(state, money=judged.money)

    # 3: before pass. A Bonus or Stone card that loses its enhancement scores as a plain card (8 item 5).
    held_area = area_of(state.hand, there & ~chosen, rules)
    view = View(
        state, rules, poker_hand, area_of(cards, scoring, rules), held_area,
        bits.to_bits(there) & ~bits.to_bits(chosen), jnp.int32(0), jnp.zeros(jokers.id.shape, jnp.int8),
        cards_played, judged.triggered,
    )  # fmt: skip
    before = before_pass(slots, view, jokers.stored, blocked)
    falls = state.debuffed_if_changed[jnp.maximum(places, 0)] & (before.enhancement != cards.enhancement)
    cards = replace(cards, enhancement=before.enhancement, debuffed=cards.debuffed | falls)
    played_area = area_of(cards, scoring, rules)
    hand_after = _with_copies(state.hand, cards, before)
    held_area = area_of(hand_after, (hand_after.rank > 0) & ~chosen, rules)
    state = replace(state, deck_size=state.deck_size + before.copies)
    room = state.hand.rank.shape[0] - jnp.sum(there, dtype=jnp.int32)
    copies = jnp.minimum(before.copies, room)
    view = replace(view, state=state, played=played_area, held=held_area, copies=copies, copied=before.copied)

    # What each card triggers, and the jokers' part in it but for mult and rolls.
    wanted = book.features_in("played_card", "retrigger_card", "destroy_card", "destroyed_card")
    card_features = written_out(features(book, played_area, view, wanted))
    scores = played_area.live & ~blocked
    times = played.triggers(slots, card_features, cards.seal, scores)
    lucky = cards.enhancement == amounts.LUCKY
    joker_part = played.jokers_played(slots, card_features, times, lucky, before.stored)
    held_part = held.held_cards(slots, view, joker_part.stored, blocked)

    # All rolls. Hands without rolls fold the played pass right here, the others while they roll.
    plan = RollPlan(
        levels=before.level_rolls,
        cards=joker_part.rolls,
        times=times,
        held=held_part.rolls,
        held_acts=held_part.acts,
        red=held_part.red,
        held_repeats=held_part.repeats,
        held_features=held_part.features,
        held_card=held_part.rolled_card,
        random=jnp.where(blocked, jnp.uint32(0), slots.having(Trait.RANDOM)),
        glass=scores & (cards.enhancement == amounts.GLASS_CARD),
        acting=slots.acting,
        probability=probability,
        free=after.free_slots(state),
    )
    for_mult = played.PlayedMult(
        hand, judged.flint, slots.acting, times, card_features, cards.enhancement, cards.edition
    )
    states = state.streams.states[jnp.asarray([SLOT[STREAM_ID[name]] for name in book.streams])]
    active = legal & rolls_at_all(plan)

    def roll(*parts: Any) -> Rolled:
        return _roll(book, luck, log, created_places, *parts)

    rolled = compacted(roll, chunk=512)(active, plan, for_mult, judged.level, states, state.streams.seed_hash)
    rolls = replace(rolled.rolls, states=jnp.where(active, rolled.rolls.states, states))

    # 4 to 6: base values at the level as it is now, played pass.
    level = judged.level + rolled.levels
    # Rich get Richer caps chips after every change; all changes but The Flint's only add, so two caps do.
    base_chips = jnp.minimum(amounts.base_chips(hand, level), state.chips_cap)
    chips = jnp.where(judged.flint, boss.halved(base_chips, 0.0), base_chips)
    card_chips = amounts.card_chips(cards)
    triggers, bonus_gain = times.astype(jnp.float64), joker_part.bonus_gain
    earlier = (times * (times - 1) // 2 * bonus_gain).astype(jnp.float64)  # Hiker: what earlier triggers gave
    chips = chips + jnp.sum(triggers * card_chips + earlier) + (joker_part.chips + rolled.chips)
    card_dollars = look_up(amounts.SEAL_DOLLARS, cards.seal.astype(jnp.int32))
    dollars = jnp.sum(times * card_dollars, dtype=jnp.int32) + joker_part.dollars + rolled.dollars
    mult = jnp.where(active, rolled.mult, played.mult_after(book, for_mult, level))
    stored = _lucky_gains(slots, rolls.lucky, joker_part.stored)

    # 7, 8: held pass, joker pass.
    mult = held.mult_after(mult, held_part, slots)
    dollars = jnp.sum(before.dollars, dtype=jnp.int32) + dollars
    of_hand = written_out(facts(book, book.main_facts, view))
    chips, mult, dollars, main = joker_pass.joker_pass(
        slots, view, of_hand, jokers, stored, rolls.random, blocked, chips, mult, dollars
    )

    chips = jnp.minimum(chips, state.chips_cap)

    # 9, 10: Observatory, Plasma, total.
    planets = jnp.where(blocked, 0, joker_pass.observatory_planets(state, hand))
    mult = joker_pass.observatory(mult, planets)
    average = jnp.floor((chips + mult) / 2)
    chips, mult = (jnp.where(state.plasma, average, value) for value in (chips, mult))
    chips, mult = jnp.where(blocked, 0.0, chips), jnp.where(blocked, 0.0, mult)
    total = jnp.where(blocked, 0.0, jnp.floor(chips * mult))

    # 11: after scoring.
    destroyed, created = after.aftermath(slots, view, of_hand, card_features, stored, rolls, blocked)
    stored, removed = after.worn(slots, card_features, destroyed, stored)
    result = HandScore(
        legal=legal,
        hand=hand,
        contains=poker_hand.contains,
        places=places,
        scoring=scoring,
        blocked=judged.blocked,
        chips=chips,
        mult=mult,
        total=total,
        money=jnp.where(judged.blocked, after.refused_dollars(slots, of_hand), dollars) + judged.lost,
        level=level,
        cards=replace(cards, bonus=cards.bonus + times * bonus_gain),
        destroyed=destroyed,
        copies=before.copies,
        copied=before.copied,
        jokers=replace(jokers, stored=stored),
        removed=removed,
        created=created,
        eye_used=judged.eye_used,
        mouth_hand=judged.mouth_hand,
        boss_triggered=judged.triggered,
        streams=rolls.states,
        log_stream=rolls.log_stream,
        log_value=rolls.log_value,
        log_length=rolls.log_length,
    )
    breakdown = Breakdown(
        base_chips, amounts.base_mult(hand, level), judged.flint, slots.acting, before,
        replace(rolled, rolls=rolls), times, card_features, card_chips, card_dollars,
        amounts.mult_amounts(cards.enhancement, cards.edition), bonus_gain, held_part, main, planets,
        state.plasma,
    )  # fmt: skip
    return result, breakdown


def _lucky_gains(slots: Slots, lucky: Array, stored: Array) -> Array:
    """Lucky Cat: gains for every lucky trigger."""

    def joker(place: Array, stored: Array) -> Array:
        gain = guard(slots.row(place).lucky_gain * lucky.astype(jnp.float64))
        return bits.put(stored, place, stored[place] + jnp.where(slots.itself(place), gain, 0.0))

    return bits.for_each(slots.having(Trait.LUCKY), joker, stored)
