"""The score of one hand, in the order of scoring.md 3.

The order of a hand matters to the last bit of mult, so the three passes (played cards, held cards, jokers) are
folds in exactly that order. Everything that does not change mult is a sum of whole numbers, exact in any order.
"""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxtro.env.rng.hash import guard
from jaxtro.env.scoring import bits, boss, fold
from jaxtro.env.scoring.book import BOOK, GLASS, LUCKY_MONEY, LUCKY_MULT, Condition, JokerBook
from jaxtro.env.scoring.copying import resolve
from jaxtro.env.scoring.hands import STONE, HandRules, detect, joker_suits, ranked
from jaxtro.env.scoring.quantities import RANK_CHIPS
from jaxtro.env.scoring.rolls import FIRST_JOKER, NUM_PLAYED, Luck, RollPlan, Rolls, no_rolls, rolls_of
from jaxtro.env.scoring.view import Area, Slots, View
from jaxtro.env.state import Cards, Jokers, ScoringState, take
from jaxtro.tables import EDITIONS, ENHANCEMENTS, HANDS, SEALS, VOUCHERS, item
from jaxtro.tables.streams import SLOT, STREAM_ID


def _column(rows: tuple, name: str, empty: float = 0, dtype: type = np.float64) -> np.ndarray:
    return np.array([empty] + [row.get(name, empty) for row in rows], dtype)


_LUCKY_ROW = ENHANCEMENTS.row(ENHANCEMENTS.keys.index("m_lucky"))
_LUCKY, _GLASS_CARD, _BONUS = (ENHANCEMENTS.keys.index(key) for key in ("m_lucky", "m_glass", "m_bonus"))
_GLASS_ODDS = ENHANCEMENTS.row(_GLASS_CARD)["break_odds"]
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
class Breakdown:
    """The amounts that were folded, for a step by step account (explain.py).

    Attributes:
      base_chips, base_mult: float64[], of the hand at its level, before The Flint. flint: bool[].
      acting: int16[J], whose effects each joker place has.
      before_dollars: int32[J]. level_ups: int32[J].
      times: int32[5], card: `fold.CardAmounts`[5], joker: `fold.JokerAmounts`[J] of the played pass.
      held_times: int32[H], held_card, held_joker: of the held pass; held_hits: int32[J], dollar rolls that hit.
      main: `fold.MainAmounts`[J]. observatory: int32[], planets that multiply. plasma: bool[].
      rolls: `Rolls`. bonus: int32[5], permanent chips before the hand; bonus_gain: gained on every trigger (Hiker).
    """

    base_chips: Array
    base_mult: Array
    flint: Array
    acting: Array
    before_dollars: Array
    level_ups: Array
    times: Array
    card: fold.CardAmounts
    joker: fold.JokerAmounts
    held_times: Array
    held_card: fold.CardAmounts
    held_joker: fold.JokerAmounts
    held_hits: Array
    main: fold.MainAmounts
    observatory: Array
    plasma: Array
    rolls: Rolls
    bonus: Array
    bonus_gain: Array


class _Lookup:
    """Columns of the book at some joker ids."""

    def __init__(self, book: JokerBook, ids: Array) -> None:
        self.book, self.ids = book, ids.astype(jnp.int32)

    def __getattr__(self, name: str) -> Array:
        column = jnp.asarray(self.book.columns[name])
        return column.at[self.ids].get(mode="promise_in_bounds")


def _area(cards: Cards, members: Array, rules: HandRules) -> Area:
    live = members & ~cards.debuffed
    printed = ranked(cards) & (cards.rank >= 11) & (cards.rank <= 13)
    return Area(cards, members, live, live & (printed | rules.pareidolia), joker_suits(cards, rules.smeared))


def _features(book: JokerBook, area: Area, view: View, wanted: int) -> Array:
    """The wanted features of each card, as bits. -> uint32[N]"""
    found = jnp.zeros(area.members.shape, jnp.uint32)
    for number, function in enumerate(book.features.values()):
        if wanted >> number & 1:
            found = found | jnp.where(function(area, view), jnp.uint32(1 << number), jnp.uint32(0))
    return found


def _facts(book: JokerBook, conditions: tuple[Condition, ...], view: View) -> Array:
    """The conditions that hold, as bits. -> uint32[] or uint32[J]"""
    found, known = jnp.uint32(0), {}
    for number, fact in enumerate(conditions):
        if fact.quantity not in known:
            if fact.quantity.startswith("contains "):
                hand = HANDS.keys.index(fact.quantity.removeprefix("contains "))
                known[fact.quantity] = view.poker_hand.contains[hand].astype(jnp.int32)
            else:
                known[fact.quantity] = book.quantities[fact.quantity](view)
        value = known[fact.quantity]
        value = value % fact.modulus if fact.modulus else value
        number_asked = jnp.asarray(fact.number, value.dtype)
        holds = {
            "==": value == number_asked, ">=": value >= number_asked, "<=": value <= number_asked,
        }[fact.compare]  # fmt: skip
        found = found | jnp.where(holds, jnp.uint32(1 << number), jnp.uint32(0))
    return found


def _per(book: JokerBook, view: View, which: Array, used: set[int]) -> Array:
    """For each joker place the quantity that its amounts are multiplied with. -> float64[J]"""
    scalars, by_place = [jnp.float64(0)] * len(book.per), {}
    for number, (name, every) in enumerate(book.per):
        if number not in used:
            continue
        value = book.quantities[name](view)
        value = (value // every if every > 1 else value).astype(jnp.float64)
        if value.ndim:
            by_place[number] = value
        else:
            scalars[number] = value
    found = jnp.stack(scalars)[which.astype(jnp.int32)]
    for number, value in by_place.items():
        found = jnp.where(which == number, value, found)
    return found


def _all(facts: Array, needed: Array) -> Array:
    return (facts & needed) == needed


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


def _change_cards(
    book: JokerBook, cards: Cards, scoring: Array, rules: HandRules, own: _Lookup, stored: Array, acts: Array
) -> tuple[Cards, Array]:
    """The jokers that change scoring cards, from left to right (before.py)."""
    change, gains = own.change, own.gain

    def turn(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        left, enhancement, stored = carry
        place = bits.lowest(left)
        area = _area(replace(cards, enhancement=enhancement), scoring, rules)
        after, gained, reset = enhancement, jnp.float64(0), jnp.bool_(False)
        for number, function in enumerate(book.changes.values(), start=1):
            this = change[place] == number
            its_after, its_gain, its_reset = function(area, gains[place])
            after = jnp.where(this, its_after, after)
            gained, reset = jnp.where(this, its_gain, gained), jnp.where(this, its_reset, reset)
        here = jnp.arange(stored.shape[0]) == place
        stored = jnp.where(here, jnp.where(reset, 0.0, stored) + gained, stored)
        return bits.without_lowest(left), after, stored

    start = (bits.to_bits(acts & (change > 0)), cards.enhancement, stored)
    _, enhancement, stored = lax.while_loop(lambda carry: carry[0] != 0, turn, start)
    return replace(cards, enhancement=enhancement), stored


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
      chosen: bool[HAND_CAPACITY], one to five cards of the hand.
      book: the jokers of the game.
      luck: "seeded": chances fall as the streams have it; "never", "always": see `rolls.make_rolls`.
      log: how many draws to write down.
    """
    jokers, hand_levels = state.jokers, state.poker_hands
    joker_places = jokers.id.shape[0]
    there = state.hand.rank > 0
    places, cards_played = _played_places(chosen & there)
    legal = (cards_played >= 1) & (cards_played <= NUM_PLAYED) & ~jnp.any(chosen & ~there)
    chosen_cards = take(state.hand, jnp.maximum(places, 0))
    played = replace(chosen_cards, rank=jnp.where(places >= 0, chosen_cards.rank, 0).astype(jnp.int8))

    # Jokers: which ones work, and whose effects each place has.
    active = (jokers.id > 0) & ~jokers.debuffed
    own = _Lookup(book, jokers.id)
    rule_bits = jnp.where(active, own.rules, 0)
    rules = HandRules(
        **{
            name: jnp.any((rule_bits >> number) & 1 != 0)
            for number, name in enumerate(HandRules.__dataclass_fields__)
        }
    )
    target = resolve(own.copier, active, own.copyable)
    acting_id = jnp.where(target >= 0, jokers.id[jnp.maximum(target, 0)], 0)
    acting = _Lookup(book, acting_id)
    itself = active & (target == jnp.arange(joker_places))
    slots = Slots(jokers.id, active, acting_id, target, jokers.stored)
    probability = jnp.prod(jnp.where(active, own.odds_factor, 1), dtype=jnp.int32).astype(jnp.float64)

    # 1, 2: the hand, and what the boss says to it.
    poker_hand = detect(played, rules)
    hand = poker_hand.hand
    judged = boss.judge(state, poker_hand, cards_played, played)
    blocked, state = judged.blocked, replace(state, money=judged.money)

    # 3: before pass.
    drained, stored = _change_cards(
        book, played, poker_hand.scoring, rules, own, jokers.stored, itself & ~blocked
    )
    # A Bonus or Stone card that loses its enhancement scores as a plain card (scoring.md 8 item 5).
    played_area = _area(drained, poker_hand.scoring, rules)
    no_held = _area(state.hand, there & ~chosen, rules)
    view = View(
        state, rules, poker_hand, played_area, no_held, slots, cards_played, judged.triggered, state.money
    )
    before_facts = _facts(book, book.before_facts, view)
    before = (acting_id > 0) & _all(before_facts, acting.before_if) & ~blocked
    reset = own.has_reset & _all(before_facts, own.reset_if)
    grown = jnp.where(reset, own.reset_to, stored + own.gain)
    stored = jnp.where(itself & before & (own.change == 0), grown, stored)
    before_dollars = jnp.where(before, acting.before_dollars, 0)
    copies = jnp.sum(before & acting.copy_card, dtype=jnp.int32)
    held_cards = _with_copies(state.hand, drained, copies)
    held_area = _area(held_cards, (held_cards.rank > 0) & ~chosen, rules)
    slots = replace(slots, stored=stored)
    view = replace(view, held=held_area, slots=slots)

    # What each card triggers.
    features = _features(
        book,
        played_area,
        view,
        book.features_in("played_card", "retrigger_card", "destroy_card", "destroyed_card"),
    )
    cards = played_area.cards
    scores = played_area.live & ~blocked
    enhancement, edition, seal = (
        field.astype(jnp.int32) for field in (cards.enhancement, cards.edition, cards.seal)
    )
    repeats = jnp.sum(
        jnp.where((features[:, None] & acting.retrigger_card) != 0, acting.repeats, 0), axis=1, dtype=jnp.int32
    )
    times = jnp.where(scores, 1 + jnp.asarray(_SEAL_REPEATS)[seal] + repeats, 0)
    matches = (features[:, None] & acting.played_card) != 0

    held_features = _features(book, held_area, view, book.features_in("held_card"))
    held_live = held_area.live & ~blocked
    held_enhancement = held_cards.enhancement.astype(jnp.int32)
    steel = jnp.asarray(_HELD_XMULT)[held_enhancement]
    sure = _union(jnp.where(acting.held_rolled, 0, acting.held_card))
    held_acts = (held_enhancement == _STEEL) | ((held_features & sure) != 0)
    again = jnp.asarray(_SEAL_REPEATS)[held_cards.seal.astype(jnp.int32)]
    held_times = jnp.where(held_live, 1 + again + jnp.sum(acting.held_repeats, dtype=jnp.int32), 0)

    # All rolls of the hand.
    rolled_card = jnp.where(acting.held_rolled, acting.held_card, 0).astype(jnp.uint32)
    held_rolls = held_live & ((held_features & _union(rolled_card)) != 0)
    lucky = enhancement == _LUCKY
    jokers_roll = bits.to_bits(matches & acting.played_rolled) << FIRST_JOKER
    card_rolls = jnp.where(lucky, jnp.uint32(1 << LUCKY_MULT | 1 << LUCKY_MONEY), jnp.uint32(0)) | jokers_roll
    level_rolls = bits.to_bits(before & (acting.level_up > 0)) << FIRST_JOKER
    random_rolls = bits.to_bits(acting.random & (acting_id > 0) & ~blocked) << FIRST_JOKER
    breakable = jnp.where(scores & (enhancement == _GLASS_CARD), jnp.uint32(1 << GLASS), jnp.uint32(0))
    sources = jnp.concatenate(
        [level_rolls[None], card_rolls, jnp.zeros(there.shape, jnp.uint32), random_rolls[None], breakable]
    )
    one = jnp.ones(1, jnp.int32)
    group_times = jnp.concatenate([one, times, held_times, one, jnp.ones(NUM_PLAYED, jnp.int32)])
    nothing = jnp.zeros(1 + NUM_PLAYED, bool)
    held_group = jnp.concatenate([nothing, held_rolls, nothing])
    free = state.consumable_slots - jnp.sum(state.consumables > 0, dtype=jnp.int32)
    plan = RollPlan(
        rolling=(held_group | (sources != 0)) & (group_times > 0),
        times=group_times,
        sources=sources,
        held_features=held_features,
        held_card=rolled_card,
        needs_hit=jnp.concatenate([nothing, ~held_acts, nothing]),
        stream=jnp.concatenate([jnp.arange(FIRST_JOKER, dtype=jnp.int32), acting.stream.astype(jnp.int32)]),
        odds=jnp.concatenate([jnp.asarray(_CARD_ODDS), jnp.maximum(acting.odds, 1.0)]),
        creates=jnp.concatenate([jnp.zeros(FIRST_JOKER, jnp.int8), acting.played_create]),
        random_low=jnp.concatenate([jnp.zeros(FIRST_JOKER), acting.random_low]),
        random_high=jnp.concatenate([jnp.zeros(FIRST_JOKER), acting.random_high]),
        probability=probability,
        free=free,
    )
    stream_slots = jnp.asarray([SLOT[STREAM_ID[name]] for name in book.streams])
    blank = no_rolls(
        joker_places,
        book.most_triggers(joker_places),
        state.consumables.shape[0],
        state.streams.states[stream_slots],
        log,
    )
    rolls = rolls_of(legal & jnp.any(plan.rolling), plan, blank, state.streams.seed_hash, luck)
    hit_count = rolls.count[FIRST_JOKER:]

    # 4, 5: base values at the level as it is now.
    level_ups = jnp.where(acting.level_up > 0, hit_count * acting.level_up, 0)
    level = judged.level + jnp.sum(level_ups, dtype=jnp.int32)
    above = level - 1
    base_chips = jnp.maximum(jnp.asarray(_BASE_CHIPS)[hand] + jnp.asarray(_LEVEL_CHIPS)[hand] * above, 0)
    base_mult = jnp.maximum(jnp.asarray(_BASE_MULT)[hand] + jnp.asarray(_LEVEL_MULT)[hand] * above, 1)
    base_chips, base_mult = base_chips.astype(jnp.float64), base_mult.astype(jnp.float64)
    chips = jnp.where(judged.flint, boss.halved(base_chips, 0.0), base_chips)
    mult = jnp.where(judged.flint, boss.halved(base_mult, 1.0), base_mult)

    # 6: played pass.
    stone = enhancement == STONE
    rank_chips = jnp.where(stone, 0, jnp.asarray(RANK_CHIPS)[cards.rank.astype(jnp.int32)])
    own_chips = rank_chips + jnp.asarray(_CARD_CHIPS)[enhancement] + cards.bonus
    card_amounts = fold.CardAmounts(
        features=features,
        chips=own_chips + jnp.asarray(_EDITION_CHIPS)[edition],
        dollars=jnp.asarray(_SEAL_DOLLARS)[seal],
        mult=jnp.asarray(_CARD_MULT)[enhancement],
        lucky_mult=jnp.where(lucky, float(_LUCKY_ROW["lucky_mult"]), 0.0),
        xmult=jnp.asarray(_CARD_XMULT)[enhancement],
        edition_mult=jnp.asarray(_EDITION_MULT)[edition],
        edition_xmult=jnp.asarray(_EDITION_XMULT)[edition],
    )
    joker_amounts = fold.JokerAmounts(
        card=acting.played_card,
        rolled=acting.played_rolled,
        chips=acting.played_chips,
        dollars=acting.played_dollars,
        mult=acting.played_mult,
        xmult=acting.played_xmult,
    )
    sure_hits = times[:, None] * (matches & ~acting.played_rolled)  # [5, J]
    hits = jnp.sum(sure_hits, axis=0, dtype=jnp.int32) + jnp.where(acting.played_rolled, hit_count, 0)
    bonus_gain = jnp.sum(jnp.where(matches, acting.card_bonus, 0), axis=1, dtype=jnp.int32)
    earlier = times * (times - 1) // 2  # each trigger has what the earlier ones gave
    chips = chips + jnp.sum(times * card_amounts.chips + earlier * bonus_gain, dtype=jnp.int32)
    chips = chips + jnp.sum(hits * acting.played_chips, dtype=jnp.int32)
    played_dollars = jnp.sum(times * card_amounts.dollars, dtype=jnp.int32)
    played_dollars += jnp.sum(hits * acting.played_dollars, dtype=jnp.int32)
    played_dollars += rolls.count[LUCKY_MONEY] * int(_LUCKY_ROW["lucky_money"])
    mult = fold.cards(mult, times, card_amounts, joker_amounts, rolls.hits)
    grown = stored + guard(acting.played_gain * hits.astype(jnp.float64))
    grown = grown + guard(acting.lucky_gain * rolls.lucky.astype(jnp.float64))
    stored = jnp.where(itself, grown, stored)

    # 7: held pass. A failed Reserved Parking roll is no effect, and repeats nothing.
    per_used = set(np.unique(book.columns["held_per"]).tolist()) - {0}
    held_factor = _per(book, view, acting.held_per, per_used) if per_used else jnp.zeros(joker_places)
    held_card = fold.CardAmounts(
        features=held_features,
        chips=jnp.zeros(there.shape, jnp.int32),
        dollars=jnp.zeros(there.shape, jnp.int32),
        mult=jnp.zeros(there.shape),
        lucky_mult=jnp.zeros(there.shape),
        xmult=steel,
        edition_mult=jnp.zeros(there.shape),
        edition_xmult=jnp.ones(there.shape),
    )
    held_joker = fold.JokerAmounts(
        card=jnp.where(acting.held_rolled, 0, acting.held_card).astype(jnp.uint32),
        rolled=jnp.zeros(joker_places, bool),
        chips=jnp.zeros(joker_places, jnp.int32),
        dollars=acting.held_dollars,
        mult=acting.held_mult + guard(acting.held_each * held_factor),
        xmult=acting.held_xmult,
    )
    held_times = jnp.where(held_acts, held_times, 0)
    mult = fold.cards(mult, held_times, held_card, held_joker, None)
    held_hits = jnp.where(acting.held_rolled, hit_count, 0)
    held_dollars = jnp.sum(held_hits * acting.held_dollars, dtype=jnp.int32)

    # 8: joker pass.
    money = state.money + jnp.sum(before_dollars, dtype=jnp.int32) + played_dollars + held_dollars
    slots = replace(slots, stored=stored)
    view = replace(view, slots=slots, money=money)
    main_facts = _facts(book, book.main_facts, view)
    main = acting.main & _all(main_facts, acting.main_if) & ~blocked
    main_dollars = jnp.where(main, acting.main_dollars, 0)
    # Bull and Bootstraps see what jokers further left were paid (Matador).
    to_the_left = jnp.tri(joker_places, k=-1, dtype=jnp.int32)
    view = replace(view, money=money + jnp.sum(to_the_left * main_dollars, axis=1, dtype=jnp.int32))
    per_used = set(np.unique(book.columns["main_per"]).tolist()) - {0}
    factor = _per(book, view, acting.main_per, per_used)
    editions = jnp.where(active & ~blocked, jokers.edition, 0).astype(jnp.int32)
    main_amounts = fold.MainAmounts(
        edition_chips=jnp.asarray(_EDITION_CHIPS)[editions].astype(jnp.float64),
        edition_mult=jnp.asarray(_EDITION_MULT)[editions],
        chips=jnp.where(main, acting.main_chips + guard(acting.each_chips * factor), 0.0),
        mult=jnp.where(main, acting.main_mult + guard(acting.each_mult * factor), 0.0)
        + rolls.random[FIRST_JOKER:],
        xmult=jnp.where(main, acting.main_xmult + guard(acting.each_xmult * factor), 1.0),
        dollars=main_dollars,
        rarity=own.rarity,
        other=bits.to_bits(acting.other & ~blocked),
        other_rarity=acting.other_rarity,
        other_xmult=acting.other_xmult,
        edition_xmult=jnp.asarray(_EDITION_XMULT)[editions],
    )
    chips = chips + jnp.sum(main_amounts.edition_chips + main_amounts.chips)
    mult = fold.jokers(mult, main_amounts)

    # 9, 10: Observatory, Plasma, total.
    planets = jnp.sum(state.consumables == jnp.asarray(_PLANETS)[hand], dtype=jnp.int32)
    planets = jnp.where(state.observatory, planets, 0)
    mult = fold.repeatedly(mult, _OBSERVATORY_XMULT, planets)
    average = jnp.floor((chips + mult) / 2)
    chips, mult = (jnp.where(state.plasma, average, value) for value in (chips, mult))
    nil = blocked | ~legal
    chips, mult = jnp.where(nil, 0.0, chips), jnp.where(nil, 0.0, mult)
    total = jnp.where(nil, 0.0, jnp.floor(chips * mult))

    # 11: after scoring.
    destroyers = itself & own.destroy & _all(main_facts, own.destroy_if) & ~blocked
    doomed = ((features[:, None] & own.destroy_card) != 0) & destroyers & played_area.members[:, None]
    broken = (rolls.broken >> jnp.arange(NUM_PLAYED, dtype=jnp.uint8)) & 1 != 0
    destroyed = jnp.any(doomed, axis=1) | broken
    gone = jnp.sum(
        ((features[:, None] & own.destroyed_card) != 0) & destroyed[:, None], axis=0, dtype=jnp.int32
    )
    stored = jnp.where(itself, stored + guard(own.destroyed_gain * gone.astype(jnp.float64)), stored)
    worn = itself & (own.lose > 0)
    stored = jnp.where(worn, stored - own.lose, stored)
    removed = worn & (stored <= 0)

    hand_bonus = jnp.where(scores, times * bonus_gain, 0)
    # Matador is also paid for a hand that the boss refuses.
    refusal = jnp.where(blocked & _all(main_facts, acting.main_if), acting.main_dollars, 0)
    dollars = jnp.where(blocked, jnp.sum(refusal, dtype=jnp.int32), money + jnp.sum(main_dollars) - state.money)
    result = HandScore(
        legal=legal,
        hand=hand,
        contains=poker_hand.contains,
        places=places,
        scoring=poker_hand.scoring,
        blocked=blocked,
        chips=chips,
        mult=mult,
        total=total,
        money=(dollars + judged.lost).astype(jnp.int32),
        level=level,
        cards=replace(cards, bonus=cards.bonus + hand_bonus),
        destroyed=destroyed & legal,
        copies=copies,
        jokers=replace(jokers, stored=stored),
        removed=removed,
        created=_created(rolls, main, acting.main_create, jnp.any(doomed, axis=0), own.destroy_create, free),
        eye_used=judged.eye_used,
        mouth_hand=judged.mouth_hand,
        boss_triggered=judged.triggered,
        streams=rolls.states,
        log_stream=rolls.log_stream,
        log_value=rolls.log_value,
        log_length=rolls.log_length,
    )
    breakdown = Breakdown(
        base_chips, base_mult, judged.flint, acting_id, before_dollars, level_ups, times, card_amounts,
        joker_amounts, held_times, held_card, held_joker, held_hits, main_amounts, planets, state.plasma, rolls,
        cards.bonus, bonus_gain,
    )  # fmt: skip
    return result, breakdown


def _union(sets: Array) -> Array:
    """All elements of several sets of bits."""
    return lax.reduce(sets.astype(jnp.uint32), jnp.uint32(0), lax.bitwise_or, (0,))


def _created(
    rolls: Rolls, main: Array, main_create: Array, destroyers: Array, destroy_create: Array, free: Array
) -> Array:
    """What is created, in order, as far as slots are free: by rolls, in the joker pass, by Sixth Sense."""
    made = jnp.sum(rolls.created > 0, dtype=jnp.int32)
    first = destroyers & (jnp.arange(main.shape[0]) == jnp.argmax(destroyers))
    wanted = jnp.concatenate([jnp.where(main, main_create, 0), jnp.where(first, destroy_create, 0)])
    before = jnp.tri(wanted.shape[0], k=-1, dtype=jnp.int32)
    rank = made + jnp.sum(before * (wanted > 0), axis=1, dtype=jnp.int32)
    put = (jnp.arange(rolls.created.shape[0])[:, None] == rank) & (wanted > 0) & (rank < free)
    return rolls.created + jnp.sum(jnp.where(put, wanted, 0), axis=1, dtype=jnp.int8)


_STEEL = ENHANCEMENTS.keys.index("m_steel")
_CARD_ODDS = np.array([_LUCKY_ROW["lucky_mult_odds"], _LUCKY_ROW["lucky_money_odds"], _GLASS_ODDS], np.float64)
