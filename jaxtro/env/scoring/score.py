"""The score of one hand, in the order of scoring.md 3.

The order of a hand matters to the last bit of mult, so the three passes (played cards, held cards, jokers)
are folds in exactly that order. Everything that does not change mult is a sum of whole numbers, exact in any
order. Loops run over the jokers that have a part in a pass, not over all places: a hand pays for what it has.
"""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxtro.env.rng.hash import guard
from jaxtro.env.scoring import bits, boss, fold
from jaxtro.env.scoring.before import Before
from jaxtro.env.scoring.book import BOOK, GLASS, LUCKY_MONEY, LUCKY_MULT, JokerBook, Trait
from jaxtro.env.scoring.hands import STONE, HandRules, detect, joker_suits, ranked
from jaxtro.env.scoring.lookup import Row, Slots, factor, factors, facts, features, holds, slots_of
from jaxtro.env.scoring.quantities import RANK_CHIPS
from jaxtro.env.scoring.rolls import (
    FIRST_JOKER,
    NUM_PLAYED,
    Luck,
    RollPlan,
    Rolls,
    Sources,
    no_rolls,
    rolls_of,
)
from jaxtro.env.scoring.view import Area, View
from jaxtro.env.state import Cards, Jokers, ScoringState, take
from jaxtro.tables import EDITIONS, ENHANCEMENTS, HANDS, SEALS, VOUCHERS, item
from jaxtro.tables.streams import SLOT, STREAM_ID


def _column(rows: tuple, name: str, empty: float = 0, dtype: type = np.float64) -> np.ndarray:
    return np.array([empty] + [row.get(name, empty) for row in rows], dtype)


_LUCKY, _GLASS_CARD, _STEEL = (ENHANCEMENTS.keys.index(key) for key in ("m_lucky", "m_glass", "m_steel"))
_LUCKY_ROW, _GLASS_ROW = ENHANCEMENTS.row(_LUCKY), ENHANCEMENTS.row(_GLASS_CARD)
_CARD_ODDS = np.array(
    [_LUCKY_ROW["lucky_mult_odds"], _LUCKY_ROW["lucky_money_odds"], _GLASS_ROW["break_odds"]], np.float64
)
_CARD_CHIPS = _column(ENHANCEMENTS.rows, "chips", dtype=np.int32)
_CARD_MULT, _CARD_XMULT = _column(ENHANCEMENTS.rows, "mult"), _column(ENHANCEMENTS.rows, "xmult", 1)
_HELD_XMULT = _column(ENHANCEMENTS.rows, "held_xmult", 1)
_EDITION_CHIPS = _column(EDITIONS.rows, "chips", dtype=np.int32)
_EDITION_MULT, _EDITION_XMULT = _column(EDITIONS.rows, "mult"), _column(EDITIONS.rows, "xmult", 1)
_SEAL_DOLLARS = _column(SEALS.rows, "dollars", dtype=np.int32)
_SEAL_REPEATS = _column(SEALS.rows, "repeats", dtype=np.int32)
_BASE_CHIPS = np.array([row["base_chips"] for row in HANDS.rows], np.int32)
_BASE_MULT = np.array([row["base_mult"] for row in HANDS.rows], np.int32)
_LEVEL_CHIPS = np.array([row["chips_per_level"] for row in HANDS.rows], np.int32)
_LEVEL_MULT = np.array([row["mult_per_level"] for row in HANDS.rows], np.int32)
_PLANETS = np.array([item(row["planet"]) for row in HANDS.rows], np.int32)
_OBSERVATORY_XMULT = float(VOUCHERS.row(VOUCHERS.keys.index("v_observatory"))["extra"])


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
      destroyed: bool[5], played cards that are gone. copies: int32[], copies of the played card (DNA).
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
class MainAmounts:
    """What each joker place gave in the joker pass, in this order: chips, mult, dollars, X Mult. [J]"""

    chips: Array
    mult: Array
    dollars: Array
    xmult: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Breakdown:
    """The amounts that were folded, for a step by step account (explain.py).

    Attributes:
      base_chips, base_mult: float64[], of the hand at its level, before The Flint. flint: bool[].
      acting: int32[J], whose effects each joker place has.
      before: `Before`. level_ups: int32[J].
      times: int32[5], triggers; card: `fold.CardAmounts`[5]; bonus_gain: int32[5], for good, per trigger.
      held_times: int32[H], held_features: uint32[H], steel: float64[H], held_mult: float64[J].
      hits: int32[J], rolls of each joker that hit. rolls: `Rolls`.
      main: `MainAmounts`. observatory: int32[], planets that multiply. plasma: bool[].
    """

    base_chips: Array
    base_mult: Array
    flint: Array
    acting: Array
    before: Before
    level_ups: Array
    times: Array
    card: fold.CardAmounts
    bonus_gain: Array
    held_times: Array
    held_features: Array
    steel: Array
    held_mult: Array
    hits: Array
    rolls: Rolls
    main: MainAmounts
    observatory: Array
    plasma: Array


def _area(cards: Cards, members: Array, rules: HandRules) -> Area:
    live = members & ~cards.debuffed
    printed = ranked(cards) & (cards.rank >= 11) & (cards.rank <= 13)
    return Area(cards, members, live, live & (printed | rules.pareidolia), joker_suits(cards, rules.smeared))


def _put(array: Array, place: Array, value: Array) -> Array:
    """An array with one element replaced; in a batch this writes in place."""
    return lax.dynamic_update_slice(array, value[None].astype(array.dtype), (place,))


def _played_places(chosen: Array) -> tuple[Array, Array]:
    """Places of the chosen cards, left to right, -1 after the last: int32[5]; and how many: int32[]."""
    left = bits.to_bits(chosen)
    count = lax.population_count(left).astype(jnp.int32)
    places = []
    for _ in range(NUM_PLAYED):
        places.append(jnp.where(left != 0, bits.lowest(left), -1))
        left = bits.without_lowest(left)
    return jnp.stack(places), count


def _with_copies(hand: Cards, card: Cards, copies: Array) -> Cards:
    """The hand with copies of one card at its right end (DNA; scoring.md 8 item 3 recommends it)."""
    size = jnp.sum(hand.rank > 0, dtype=jnp.int32)
    places = jnp.arange(hand.rank.shape[0])
    new = (places >= size) & (places < size + copies)
    return jax.tree.map(lambda old, copied: jnp.where(new, copied[0], old), hand, card)


def _before_pass(slots: Slots, view: View, stored: Array, blocked: Array) -> Before:
    """Step 3. Facts about the hand do not depend on what jokers do to the cards here."""
    book, scoring, cards = slots.book, view.poker_hand.scoring, view.played.cards
    of_hand = facts(book, book.before_facts, view)

    def joker(place: Array, done: Before) -> Before:
        row, itself = slots.row(place), slots.itself(place)
        acting = slots.joker(place, done.stored, view.state.money)
        found = of_hand | facts(book, book.before_facts, view, acting)
        acts = holds(found, row.before_if)
        old = done.stored[place]
        reset = row.has_reset & holds(found, row.reset_if)
        new = jnp.where(reset, row.reset_to, old + row.gain)
        rolls = acts & (row.level_up > 0)
        return replace(
            done,
            stored=_put(done.stored, place, jnp.where(itself & acts, new, old)),
            dollars=_put(done.dollars, place, jnp.where(acts, row.before_dollars, 0)),
            copies=done.copies + (acts & row.copy_card),
            level_rolls=done.level_rolls | (rolls.astype(jnp.uint32) << place.astype(jnp.uint32)),
        )

    def changer(place: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        enhancement, stored = carry
        row = slots.row(place)
        area = _area(replace(cards, enhancement=enhancement), scoring, view.rules)
        new, old = enhancement, stored[place]
        for number, function in enumerate(book.changes.values(), start=1):
            after, gained, zeroed = function(area, row.gain)
            this = (row.change == number) & slots.itself(place)
            new = jnp.where(this, after, new)
            stored = _put(stored, place, jnp.where(this, jnp.where(zeroed, 0.0, old) + gained, stored[place]))
        return new, stored

    # Changing cards and everything else before scoring do not look at each other.
    enhancement, stored = bits.for_each(
        jnp.where(blocked, 0, slots.having(Trait.CHANGES_CARDS)), changer, (cards.enhancement, stored)
    )
    places = slots.acting.shape[0]
    start = Before(enhancement, stored, jnp.zeros(places, jnp.int32), jnp.int32(0), jnp.uint32(0))
    return bits.for_each(jnp.where(blocked, 0, slots.having(Trait.BEFORE)), joker, start)


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
      log: how many draws to write down.
    """
    state, chosen = jax.tree.map(
        jnp.asarray, (state, chosen)
    )  # numpy arrays cannot be indexed by traced ones
    jokers = state.jokers
    joker_places = jokers.id.shape[0]
    there = state.hand.rank > 0
    places, cards_played = _played_places(chosen & there)
    legal = (cards_played >= 1) & (cards_played <= NUM_PLAYED) & ~jnp.any(chosen & ~there)
    chosen_cards = take(state.hand, jnp.maximum(places, 0))
    played = replace(chosen_cards, rank=jnp.where(places >= 0, chosen_cards.rank, 0).astype(jnp.int8))

    slots = slots_of(book, jokers)
    names = HandRules.__dataclass_fields__
    rules = HandRules(**{name: slots.owning(int(Trait.RULES) + n) != 0 for n, name in enumerate(names)})
    probability = bits.for_each(
        slots.owning(Trait.ODDS), lambda place, odds: odds * slots.row(place).odds_factor, jnp.int32(1)
    )

    # 1, 2: the hand, and what the boss says to it.
    poker_hand = detect(played, rules)
    hand = poker_hand.hand
    judged = boss.judge(state, poker_hand, cards_played, played)
    blocked, state = judged.blocked | ~legal, replace(state, money=judged.money)

    # 3: before pass.
    held_area = _area(state.hand, there & ~chosen, rules)
    played_area = _area(played, poker_hand.scoring, rules)
    view = View(state, rules, poker_hand, played_area, held_area, cards_played, judged.triggered)
    before = _before_pass(slots, view, jokers.stored, blocked)
    stored = before.stored
    # A Bonus or Stone card that lost its enhancement scores as a plain card (scoring.md 8 item 5).
    cards = replace(played, enhancement=before.enhancement)
    played_area = _area(cards, poker_hand.scoring, rules)
    held_cards = _with_copies(state.hand, cards, before.copies)
    held_area = _area(held_cards, (held_cards.rank > 0) & ~chosen, rules)
    view = replace(view, played=played_area, held=held_area)

    # What each card triggers.
    card_features = features(
        book,
        played_area,
        view,
        book.features_in("played_card", "retrigger_card", "destroy_card", "destroyed_card"),
    )
    scores = played_area.live & ~blocked
    enhancement, edition, seal = (
        field.astype(jnp.int32) for field in (cards.enhancement, cards.edition, cards.seal)
    )

    def retrigger(place: Array, times: Array) -> Array:
        row = slots.row(place)
        return times + jnp.where((card_features & row.retrigger_card) != 0, row.repeats, 0)

    times = bits.for_each(slots.having(Trait.RETRIGGER), retrigger, 1 + jnp.asarray(_SEAL_REPEATS)[seal])
    times = jnp.where(scores, times, 0)

    held_features = features(book, held_area, view, book.features_in("held_card"))

    def ask(place: Array, asked: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        row, (sure, rolled, repeats) = slots.row(place), asked
        mine = jnp.where(row.held_rolled, row.held_card, 0).astype(jnp.uint32)
        return sure | (row.held_card & ~mine), _put(rolled, place, mine), repeats + row.held_repeats

    held_jokers = slots.having(Trait.HELD)
    sure, rolled_card, held_repeats = bits.for_each(
        held_jokers | slots.having(Trait.HELD_REPEATS),
        ask,
        (jnp.uint32(0), jnp.zeros(joker_places, jnp.uint32), jnp.int32(0)),
    )
    held_enhancement = held_cards.enhancement.astype(jnp.int32)
    steel = jnp.asarray(_HELD_XMULT)[held_enhancement]
    again = jnp.asarray(_SEAL_REPEATS)[held_cards.seal.astype(jnp.int32)]
    held_times = jnp.where(held_area.live & ~blocked, 1 + again + held_repeats, 0)
    held_acts = (held_enhancement == _STEEL) | ((held_features & sure) != 0)

    # The jokers' part in the played pass, but for mult: whole numbers, in any order.
    def joker_played(place: Array, carry: tuple[Array, ...]) -> Any:
        chips, dollars, bonus_gain, rolls, stored = carry
        row = slots.row(place)
        matches = (card_features & row.played_card) != 0
        count = jnp.where(row.played_rolled, 0, jnp.sum(jnp.where(matches, times, 0), dtype=jnp.int32))
        rolls = rolls | jnp.where(
            matches & row.played_rolled, jnp.uint32(1) << (FIRST_JOKER + place).astype(jnp.uint32), 0
        ).astype(jnp.uint32)
        gain = jnp.where(slots.itself(place), guard(row.played_gain * count.astype(jnp.float64)), 0.0)
        return (
            chips + count * row.played_chips,
            dollars + count * row.played_dollars,
            bonus_gain + jnp.where(matches, row.card_bonus, 0),
            rolls,
            _put(stored, place, stored[place] + gain),
        )

    lucky = enhancement == _LUCKY
    both = jnp.uint32(1 << LUCKY_MULT | 1 << LUCKY_MONEY)
    none = jnp.int32(0)
    joker_chips, joker_dollars, bonus_gain, card_rolls, stored = bits.for_each(
        slots.having(Trait.PLAYED),
        joker_played,
        (none, none, jnp.zeros(NUM_PLAYED, jnp.int32), jnp.where(lucky, both, jnp.uint32(0)), stored),
    )

    # All rolls of the hand.
    rolls = _roll(
        state, slots, legal, luck, log,
        level_rolls=before.level_rolls, card_rolls=card_rolls, times=times, held_times=held_times,
        held_features=held_features, rolled_card=rolled_card, held_acts=held_acts,
        random=jnp.where(blocked, 0, slots.having(Trait.RANDOM)),
        breakable=scores & (enhancement == _GLASS_CARD), probability=probability.astype(jnp.float64),
    )  # fmt: skip
    hits = rolls.count[FIRST_JOKER:]

    def joker_rolled(place: Array, carry: tuple[Array, ...]) -> Any:
        level_ups, chips, dollars = carry
        row, count = slots.row(place), hits[place]
        return (
            _put(level_ups, place, count * row.level_up),
            chips + count * row.played_chips,
            dollars + count * (row.played_dollars + row.held_dollars),
        )

    level_ups, joker_chips, joker_dollars = bits.for_each(
        slots.having(Trait.ROLLED),
        joker_rolled,
        (jnp.zeros(joker_places, jnp.int32), joker_chips, joker_dollars),
    )

    # 4, 5: base values at the level as it is now.
    level = judged.level + jnp.sum(level_ups, dtype=jnp.int32)
    base_chips = jnp.maximum(
        jnp.asarray(_BASE_CHIPS)[hand] + jnp.asarray(_LEVEL_CHIPS)[hand] * (level - 1), 0
    )
    base_mult = jnp.maximum(jnp.asarray(_BASE_MULT)[hand] + jnp.asarray(_LEVEL_MULT)[hand] * (level - 1), 1)
    base_chips, base_mult = base_chips.astype(jnp.float64), base_mult.astype(jnp.float64)
    chips = jnp.where(judged.flint, boss.halved(base_chips, 0.0), base_chips)
    mult = jnp.where(judged.flint, boss.halved(base_mult, 1.0), base_mult)

    # 6: played pass.
    rank_chips = jnp.where(enhancement == STONE, 0, jnp.asarray(RANK_CHIPS)[cards.rank.astype(jnp.int32)])
    card = fold.CardAmounts(
        features=card_features,
        chips=rank_chips
        + jnp.asarray(_CARD_CHIPS)[enhancement]
        + cards.bonus
        + jnp.asarray(_EDITION_CHIPS)[edition],
        dollars=jnp.asarray(_SEAL_DOLLARS)[seal],
        mult=jnp.asarray(_CARD_MULT)[enhancement],
        lucky_mult=jnp.where(lucky, float(_LUCKY_ROW["lucky_mult"]), 0.0),
        xmult=jnp.asarray(_CARD_XMULT)[enhancement],
        edition_mult=jnp.asarray(_EDITION_MULT)[edition],
        edition_xmult=jnp.asarray(_EDITION_XMULT)[edition],
    )
    earlier = times * (times - 1) // 2  # Hiker: each trigger has what the earlier ones gave
    chips = chips + (jnp.sum(times * card.chips + earlier * bonus_gain, dtype=jnp.int32) + joker_chips)
    dollars = jnp.sum(times * card.dollars, dtype=jnp.int32) + joker_dollars
    dollars = dollars + rolls.count[LUCKY_MONEY] * int(_LUCKY_ROW["lucky_money"])
    mult = fold.played(mult, times, card, slots, rolls.hits)

    def lucky_gain(place: Array, stored: Array) -> Array:
        gain = guard(slots.row(place).lucky_gain * rolls.lucky.astype(jnp.float64))
        return _put(stored, place, stored[place] + jnp.where(slots.itself(place), gain, 0.0))

    stored = bits.for_each(slots.having(Trait.LUCKY), lucky_gain, stored)

    # 7: held pass. A failed Reserved Parking roll is no effect, and repeats nothing.
    held_times = jnp.where(held_acts, held_times, 0)
    held_factors = factors(book, view, "held_per")

    def held_amount(place: Array, amounts: Array) -> Array:
        row = slots.row(place)
        by = factor(book, view, held_factors, row.held_per, slots.joker(place, stored, state.money))
        return _put(amounts, place, row.held_mult + guard(row.held_each * by))

    held_mult = bits.for_each(held_jokers, held_amount, jnp.zeros(joker_places))
    mult = fold.held(mult, held_times, held_features, steel, slots, held_jokers, held_mult)

    # 8: joker pass.
    dollars = jnp.sum(before.dollars, dtype=jnp.int32) + dollars
    chips, mult, dollars, main = _joker_pass(
        slots, view, jokers, stored, rolls.random[FIRST_JOKER:], blocked, chips, mult, dollars
    )

    # 9, 10: Observatory, Plasma, total.
    planets = jnp.sum(state.consumables == jnp.asarray(_PLANETS)[hand], dtype=jnp.int32)
    planets = jnp.where(state.observatory & ~blocked, planets, 0)
    mult = fold.repeatedly(mult, _OBSERVATORY_XMULT, planets)
    average = jnp.floor((chips + mult) / 2)
    chips, mult = (jnp.where(state.plasma, average, value) for value in (chips, mult))
    chips, mult = jnp.where(blocked, 0.0, chips), jnp.where(blocked, 0.0, mult)
    total = jnp.where(blocked, 0.0, jnp.floor(chips * mult))

    # 11: after scoring.
    of_hand = facts(book, book.main_facts, view)
    destroyed, created = _aftermath(slots, view, of_hand, card_features, stored, rolls, blocked)
    stored, removed = _worn(slots, card_features, destroyed, stored)
    refused = _refused(slots, of_hand)
    result = HandScore(
        legal=legal,
        hand=hand,
        contains=poker_hand.contains,
        places=places,
        scoring=poker_hand.scoring,
        blocked=judged.blocked,
        chips=chips,
        mult=mult,
        total=total,
        money=jnp.where(judged.blocked, refused, dollars) + judged.lost,
        level=level,
        cards=replace(cards, bonus=cards.bonus + times * bonus_gain),
        destroyed=destroyed,
        copies=before.copies,
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
        base_chips, base_mult, judged.flint, slots.acting, before, level_ups, times, card, bonus_gain,
        held_times, held_features, steel, held_mult, hits, rolls, main, planets, state.plasma,
    )  # fmt: skip
    return result, breakdown


def _roll(
    state: ScoringState, slots: Slots, legal: Array, luck: Luck, log: int, *,
    level_rolls: Array, card_rolls: Array, times: Array, held_times: Array, held_features: Array,
    rolled_card: Array, held_acts: Array, random: Array, breakable: Array, probability: Array,
) -> Rolls:  # fmt: skip
    """Plans the rolls of the hand and makes them; see `rolls.RollPlan` for the groups."""
    book, joker_places = slots.book, slots.acting.shape[0]
    glass = jnp.where(breakable, jnp.uint32(1 << GLASS), jnp.uint32(0))
    one, nothing = jnp.ones(1, jnp.int32), jnp.zeros(1 + NUM_PLAYED, bool)
    sources = jnp.concatenate(
        [
            (level_rolls << FIRST_JOKER)[None],
            card_rolls,
            jnp.zeros(held_times.shape, jnp.uint32),
            (random << FIRST_JOKER)[None],
            glass,
        ]
    )
    asked = lax.reduce(rolled_card, jnp.uint32(0), lax.bitwise_or, (0,))
    held_rolls = (held_features & asked) != 0
    group_times = jnp.concatenate([one, times, held_times, one, jnp.ones(NUM_PLAYED, jnp.int32)])
    rolling = (jnp.concatenate([nothing, held_rolls, nothing]) | (sources != 0)) & (group_times > 0)
    free = state.consumable_slots - jnp.sum(state.consumables > 0, dtype=jnp.int32)

    def roll_sources(ids: Array) -> Sources:
        row, cards = Row(book, ids), jnp.zeros(FIRST_JOKER)
        return Sources(
            jnp.concatenate([jnp.arange(FIRST_JOKER, dtype=jnp.int8), row.stream]),
            jnp.concatenate([jnp.asarray(_CARD_ODDS), jnp.maximum(row.odds, 1.0)]),
            jnp.concatenate([cards.astype(jnp.int8), row.played_create]),
            jnp.concatenate([cards, row.random_low]),
            jnp.concatenate([cards, row.random_high]),
        )

    plan = RollPlan(
        rolling=rolling,
        times=group_times,
        sources=sources,
        held_features=held_features,
        held_card=rolled_card,
        needs_hit=jnp.concatenate([nothing, ~held_acts, nothing]),
        acting=slots.acting,
        probability=probability,
        free=free,
    )

    def blank(states: Array) -> Rolls:
        triggers = book.most_triggers(joker_places)
        return no_rolls(joker_places, triggers, state.consumables.shape[0], states, log)

    states = state.streams.states[jnp.asarray([SLOT[STREAM_ID[name]] for name in book.streams])]
    active = legal & jnp.any(rolling)
    return rolls_of(active, plan, states, state.streams.seed_hash, luck, roll_sources, blank)


def _joker_pass(
    slots: Slots, view: View, jokers: Jokers, stored: Array, random: Array, blocked: Array, chips: Array,
    mult: Array, dollars: Array,
) -> tuple[Array, Array, Array, MainAmounts]:  # fmt: skip
    """Step 8: editions, main effects and joker-on-joker effects, from left to right."""
    book, state = slots.book, view.state
    of_hand, by_hand = facts(book, book.main_facts, view), factors(book, view, "main_per")
    other = slots.having(Trait.OTHER)
    editions = jnp.where(slots.active, jokers.edition, 0).astype(jnp.int32)
    takes_part = bits.to_bits((editions > 0) | ((slots.own > 0) & (other != 0))) | slots.having(Trait.MAIN)

    def joker(place: Array, carry: tuple[Array, Array, Array, MainAmounts]) -> Any:
        chips, mult, dollars, main = carry
        row, edition = slots.row(place), editions[place]
        acting = slots.joker(place, stored, state.money + dollars)
        found = of_hand | facts(book, book.main_facts, view, acting)
        acts = row.main & holds(found, row.main_if)
        by = factor(book, view, by_hand, row.main_per, acting)
        its_chips = jnp.where(acts, row.main_chips + guard(row.each_chips * by), 0.0)
        its_mult = jnp.where(acts, row.main_mult + guard(row.each_mult * by) + random[place], 0.0)
        its_xmult = jnp.where(acts, row.main_xmult + guard(row.each_xmult * by), 1.0)
        its_dollars = jnp.where(acts, row.main_dollars, 0)
        chips = chips + (jnp.asarray(_EDITION_CHIPS)[edition].astype(jnp.float64) + its_chips)
        mult = mult + jnp.asarray(_EDITION_MULT)[edition]
        mult = guard((mult + its_mult) * its_xmult)
        mult = fold.others(mult, Row(book, slots.own[place]).rarity, slots, other)
        mult = guard(mult * jnp.asarray(_EDITION_XMULT)[edition])
        amounts = MainAmounts(
            chips=_put(main.chips, place, its_chips),
            mult=_put(main.mult, place, its_mult),
            dollars=_put(main.dollars, place, its_dollars),
            xmult=_put(main.xmult, place, its_xmult),
        )
        return chips, mult, dollars + its_dollars, amounts

    size = slots.acting.shape[0]
    nothing = MainAmounts(jnp.zeros(size), jnp.zeros(size), jnp.zeros(size, jnp.int32), jnp.ones(size))
    return bits.for_each(jnp.where(blocked, 0, takes_part), joker, (chips, mult, dollars, nothing))


def _aftermath(
    slots: Slots,
    view: View,
    of_hand: Array,
    card_features: Array,
    stored: Array,
    rolls: Rolls,
    blocked: Array,
) -> tuple[Array, Array]:
    """Destroyed played cards, and what is created: by rolls, in the joker pass, by Sixth Sense."""
    book, state = slots.book, view.state
    free = state.consumable_slots - jnp.sum(state.consumables > 0, dtype=jnp.int32)

    def create(made: tuple[Array, Array], wanted: Array) -> tuple[Array, Array]:
        count, created = made
        fits = (wanted > 0) & (count < free)
        return count + fits, jnp.where(fits, _put(created, count, wanted.astype(jnp.int8)), created)

    def main_create(place: Array, made: tuple[Array, Array]) -> tuple[Array, Array]:
        row = slots.row(place)
        found = of_hand | facts(book, book.main_facts, view, slots.joker(place, stored, state.money))
        return create(made, jnp.where(holds(found, row.main_if), row.main_create, 0))

    made = (jnp.sum(rolls.created > 0, dtype=jnp.int32), rolls.created)
    made = bits.for_each(jnp.where(blocked, 0, slots.having(Trait.CREATES)), main_create, made)

    def destroy(place: Array, carry: tuple[Array, tuple[Array, Array]]) -> Any:
        doomed, made = carry
        row = slots.row(place)
        mine = ((card_features & row.destroy_card) != 0) & view.played.members
        mine = mine & slots.itself(place) & holds(of_hand, row.destroy_if)
        # The first joker that destroys a card has its effect, further ones do not see the card.
        first = jnp.any(mine & ~doomed)
        return doomed | mine, create(made, jnp.where(first, row.destroy_create, 0))

    broken = (rolls.broken >> jnp.arange(NUM_PLAYED, dtype=jnp.uint8)) & 1 != 0
    destroyers = jnp.where(blocked, 0, slots.having(Trait.DESTROYS))
    doomed, (_, created) = bits.for_each(destroyers, destroy, (jnp.zeros(NUM_PLAYED, bool), made))
    return doomed | broken, created


def _worn(slots: Slots, card_features: Array, destroyed: Array, stored: Array) -> tuple[Array, Array]:
    """Stored numbers after destroyed cards (Canio, Glass Joker) and after use (Ice Cream, Seltzer).

    Use counts for refused hands, too (not settled, scoring.md 8 item 2 recommends it).
    """

    def joker(place: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        stored, removed = carry
        row, itself = slots.row(place), slots.itself(place)
        gone = jnp.sum(destroyed & ((card_features & row.destroyed_card) != 0), dtype=jnp.int32)
        new = stored[place] + guard(row.destroyed_gain * gone.astype(jnp.float64))
        new = new - row.lose
        stored = _put(stored, place, jnp.where(itself, new, stored[place]))
        return stored, _put(removed, place, itself & (row.lose > 0) & (new <= 0))

    start = (stored, jnp.zeros(stored.shape, bool))
    return bits.for_each(slots.having(Trait.AFTER), joker, start)


def _refused(slots: Slots, of_hand: Array) -> Array:
    """Dollars for a hand that the boss refuses (Matador)."""

    def joker(place: Array, dollars: Array) -> Array:
        row = slots.row(place)
        return dollars + jnp.where(holds(of_hand, row.main_if), row.main_dollars, 0)

    return bits.for_each(slots.having(Trait.MAIN), joker, jnp.int32(0))
