"""Playing a hand: what a boss does when the cards are played, the score, and where everything goes then."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env import rng, run_rules
from jaxtro.env.areas import (
    append,
    deck_mask_of,
    deck_size,
    hand_mask_of,
    take_hand,
    without,
)
from jaxtro.env.lookups import PackedRows, rows_at
from jaxtro.env.owned import (
    consumable_slots,
    has_voucher,
    joker_sell_values,
    joker_slots,
    lose_jokers,
)
from jaxtro.env.phases import boss_effects
from jaxtro.env.reductions import any_of, int_sum
from jaxtro.env.rng.streams import NOT_STARTED
from jaxtro.env.scoring import HandScore, JokerBook, score_hand
from jaxtro.env.scoring.hands import STONE
from jaxtro.env.scoring.rolls import Luck
from jaxtro.env.state import Deck, Jokers, ScoringState, State
from jaxtro.env.work import DEAL_PLAY, MOST_CREATED, Work, set_state, set_todo, update
from jaxtro.env.writes import add_at, put
from jaxtro.tables import BLINDS, ENHANCEMENTS
from jaxtro.tables.streams import NUM_SLOTS, SLOT, STREAM_ID

_STEEL = ENHANCEMENTS.keys.index("m_steel")
_HOOK_CARDS = BLINDS.row(boss_effects.HOOK)["discards"]
_TOOTH_DOLLARS = BLINDS.row(boss_effects.TOOTH)["dollars_per_card"]


def scoring_state(state: State, book: JokerBook) -> ScoringState:
    """What the score of a hand depends on, the hand to be played already paid for."""
    cards, there = state.deck.cards, state.deck.cards.rank > 0
    tally = lambda kind: int_sum(there & (cards.enhancement == kind))  # noqa: E731
    jokers, run, now = state.jokers, state.run, state.round
    small = lambda value: value.astype(jnp.int32)  # noqa: E731
    cap = run_rules.of_challenge(state.rules, run_rules.CHIPS_CAP)
    return ScoringState(
        hand=take_hand(state.deck, state.piles.hand),
        jokers=Jokers(jokers.id, jokers.edition, jokers.debuffed, joker_sell_values(state), jokers.stored),
        poker_hands=state.poker_hands,
        consumables=state.consumables.id,
        boss=boss_effects.boss_acts(state),
        money=run.money,
        hands_left=now.hands_left - 1,
        discards_left=now.discards_left,
        hands_played_this_round=now.hands_played,
        hands_played=run.hands_played,
        deck_size=deck_size(state.deck),
        starting_deck_size=run.starting_deck_size,
        cards_in_draw_pile=state.piles.n_draw,
        steel_in_deck=tally(_STEEL),
        stone_in_deck=tally(STONE),
        enhanced_in_deck=int_sum(there & (cards.enhancement > 0)),
        tarots_used=run.tarots_used,
        blinds_skipped=run.skips,
        target_suit=small(state.targets.ancient_suit),
        idol_rank=small(state.targets.idol_rank),
        idol_suit=small(state.targets.idol_suit),
        most_played=small(run.ox_hand),
        eye_used=now.eye_used,
        mouth_hand=small(now.mouth_hand),
        consumable_slots=consumable_slots(state),
        joker_slots=joker_slots(state),
        plasma=run_rules.of_deck(state.rules, run_rules.PLASMA),
        observatory=has_voucher(state, "v_observatory"),
        debuffed_if_changed=_debuffed_if_changed(state, book),
        chips_cap=jnp.where(cap, jnp.maximum(run.money, 0).astype(jnp.float64), jnp.inf),
        streams=state.streams,
    )


def _debuffed_if_changed(state: State, book: JokerBook) -> Array:
    """Cards of the hand that the boss would debuff without their enhancement. -> bool[H]

    Debuffs are found anew whenever a card changes. A played card counts as played this ante by then, so The
    Pillar debuffs one that Vampire or Midas Mask changes.
    """
    deck = state.deck
    cards = replace(deck.cards, enhancement=jnp.zeros_like(deck.cards.enhancement))
    plain = replace(state, deck=replace(deck, cards=cards))
    return hand_mask_of(state.piles, boss_effects.debuffed_cards(plain, book))


def press_play(work: Work, chosen: Array) -> Work:
    """What happens before the score: cards are marked as played, The Tooth acts; The Hook acts in `hook`.

    chosen: bool[H]
    """
    state = work.state
    played = deck_mask_of(state.piles.hand, chosen, state.deck.cards.rank.shape[0])
    boss = boss_effects.boss_acts(state)
    tooth = jnp.where(boss == boss_effects.TOOTH, _TOOTH_DOLLARS, 0) * jnp.sum(chosen, dtype=jnp.int32)
    state = replace(
        state,
        deck=replace(state.deck, played_this_ante=state.deck.played_this_ante | played),
        run=update(state.run, money=state.run.money - tooth),
        round=update(
            state.round,
            fish_armed=state.round.fish_armed | (boss == boss_effects.FISH),
            heart_armed=state.round.heart_armed | (boss == boss_effects.HEART),
        ),
    )
    return set_todo(Work(state, work.todo), played=played)


def hooks(work: Work) -> Array:
    """Whether The Hook takes cards before the hand that is played scores. -> bool[]"""
    return any_of(work.todo.played) & (boss_effects.boss_acts(work.state) == boss_effects.HOOK)


def hook(work: Work, book: JokerBook) -> Work:
    """The Hook chooses two cards of those that are not played; the next stage discards them.

    Apart from `press_play`, so that only hands that it is there for move the streams.
    """
    state = work.state
    size = state.deck.cards.rank.shape[0]
    held = deck_mask_of(state.piles.hand, state.piles.hand >= 0, size) & ~work.todo.played
    hooked = jnp.zeros(size, bool)
    u, states = rng.peek_successive(state.streams, "hook", state.run.ante, _HOOK_CARDS)
    times = jnp.int32(0)
    for number in range(_HOOK_CARDS):
        left = held & ~hooked
        hooked |= jnp.arange(size) == rng.nth_member(left, u[number])
        times += any_of(left)
    streams = rng.use_successive(state.streams, "hook", state.run.ante, states, times)
    work = set_state(work, streams=streams)
    return set_todo(work, discarded=hand_mask_of(state.piles, hooked))


def add_copies(
    deck: Deck, source: Array, count: Array, number: Array, enhancements: Array | None = None
) -> Deck:
    """Makes `count` full copies of a card at the first free places of the deck.

    A copy's printed suit is the suit that the original has now (K).
    number: int32[], creation number of the first one. enhancements: int8[N], of each
    copy, if they differ from the card's.
    """
    places = jnp.arange(deck.cards.rank.shape[0], dtype=jnp.int32)
    nth = places - deck_size(deck)
    new = (nth >= 0) & (nth < count)
    row = rows_at(deck, source)
    row = replace(row, printed_suit=row.cards.suit, face_down=jnp.bool_(False))
    copied: Deck = jax.tree.map(lambda values, one: jnp.where(new, one, values), deck, row)
    numbers = jnp.where(new, (number + nth).astype(deck.number.dtype), deck.number)
    copied = replace(copied, number=numbers)
    if enhancements is None:
        return copied
    its = enhancements[jnp.clip(nth, 0, enhancements.shape[0] - 1)]
    kinds = jnp.where(new, its, copied.cards.enhancement)
    return replace(copied, cards=replace(copied.cards, enhancement=kinds))


def _rolling_slots(book: JokerBook) -> np.ndarray:
    return np.array([SLOT[STREAM_ID[name]] for name in book.streams])


def rolling_of(state: State, book: JokerBook) -> Array:
    """The streams that scoring rolls on. -> float64[book.streams]"""
    return state.streams.states[_rolling_slots(book)]


def scored_from(work: Work, book: JokerBook, rolling: Array) -> ScoringState:
    """The scoring state after The Hook: Tarots of the Purple Seals that it discarded have taken their slots.

    rolling: `rolling_of` the state. Of the streams it has only those.
    """
    scoring = scoring_state(work.state, book)
    none = jnp.full(NUM_SLOTS, NOT_STARTED, jnp.float64)
    states = put(none, _rolling_slots(book), rolling)
    return replace(
        scoring,
        streams=replace(scoring.streams, states=states),
        consumable_slots=scoring.consumable_slots - work.todo.n_created,
    )


def use_rolls(work: Work, book: JokerBook) -> Work:
    """Puts the streams of the rolls back after a hand that rolled.

    Apart from the score, so that hands without rolls, which are most, do not move the streams.
    """
    streams = work.state.streams
    states = put(streams.states, _rolling_slots(book), work.todo.rolling)
    return set_todo(set_state(work, streams=replace(streams, states=states)), rolled=False)


def score_played(work: Work, rolling: Array, book: JokerBook, luck: Luck = "seeded") -> Work:
    """Scores the played cards, as the hand is after `press_play` and The Hook's discard (run.md 4.1).

    rolling: `rolling_of` the state, apart from it, so that the stage does not move all streams of a game.
    """
    state = work.state
    chosen = hand_mask_of(state.piles, work.todo.played)
    result, _ = score_hand(scored_from(work, book, rolling), chosen, book, luck)
    return _after_score(work, chosen, result, rolling, book)


def _after_score(work: Work, chosen: Array, result: HandScore, rolling: Array, book: JokerBook) -> Work:
    state = work.state
    now, run, hands, piles = state.round, state.run, state.poker_hands, state.piles
    # The played cards as they are now, and copies of the single played card.
    deck, size = state.deck, state.deck.cards.rank.shape[0]
    there = result.places >= 0
    at = jnp.where(there, piles.hand[jnp.maximum(result.places, 0)].astype(jnp.int32), size)
    single = jnp.minimum(at[0], size - 1)
    before = deck_size(deck)
    room = jnp.minimum(size - before, piles.hand.shape[0] - piles.n_hand)
    copies = jnp.minimum(result.copies, room)
    deck = add_copies(deck, single, copies, run.next_number, result.copied)
    alike = jax.tree.map(lambda new, old: new.astype(old.dtype), result.cards, deck.cards)
    rows = PackedRows(deck.cards)
    cards = rows.fields(
        [put(old, at, new) for old, new in zip(rows.words, PackedRows(alike).words, strict=True)]
    )
    for_good = run_rules.of_challenge(state.rules, run_rules.DEBUFF_PLAYED)
    played = deck_mask_of(piles.hand, chosen, size)
    cards = replace(cards, debuffed=cards.debuffed | (played & for_good))
    deck = replace(
        deck,
        cards=cards,
        debuffed_for_good=deck.debuffed_for_good | (played & for_good),
    )
    destroyed = put(jnp.zeros(size, bool), jnp.where(result.destroyed, at, size), True)
    destroyed &= played
    kept = chosen & ~hand_mask_of(piles, destroyed)
    discard, n_discard = append(piles.discard, piles.n_discard, piles.hand, kept)
    hand, n_hand = without(piles.hand, chosen)
    nth = jnp.arange(hand.shape[0], dtype=jnp.int32)
    hand, n_hand = append(hand, n_hand, before + nth, nth < copies)

    chips = now.chips + result.total
    hands_left = now.hands_left - 1
    state = replace(
        state,
        deck=deck,
        piles=replace(piles, hand=hand, n_hand=n_hand, discard=discard, n_discard=n_discard),
        jokers=replace(state.jokers, stored=result.jokers.stored),
        poker_hands=replace(
            hands,
            level=put(hands.level, result.hand, result.level),
            played=add_at(hands.played, result.hand, 1),
            played_this_round=add_at(hands.played_this_round, result.hand, 1),
            visible=put(hands.visible, result.hand, True),
        ),
        run=update(
            run,
            money=run.money + result.money,
            hands_played=run.hands_played + 1,
            next_number=run.next_number + copies,
        ),
        round=update(
            now,
            chips=chips,
            hands_left=hands_left,
            hands_played=now.hands_played + 1,
            eye_used=result.eye_used,
            mouth_hand=result.mouth_hand,
            last_hand=result.hand,
        ),
        overflow=state.overflow | (copies < result.copies),
    )
    state = lose_jokers(state, result.removed)
    # What the hand creates, behind what The Hook's discard creates.
    todo = work.todo
    made = jnp.sum(result.created > 0, dtype=jnp.int32)
    places = jnp.arange(MOST_CREATED, dtype=jnp.int32)
    nth = jnp.clip(places - todo.n_created, 0, result.created.shape[0] - 1)
    new = (places >= todo.n_created) & (places < todo.n_created + made)
    over = (chips >= now.target) | (hands_left <= 0)
    return set_todo(
        Work(state, todo),
        created=jnp.where(new, result.created[nth], todo.created),
        n_created=jnp.minimum(todo.n_created + made, MOST_CREATED),
        doomed=todo.doomed | destroyed,
        round_over=over,
        deal=jnp.where(over, 0, DEAL_PLAY),
        debuffs=(jnp.arange(size) >= before) & (jnp.arange(size) < before + copies),
        rolling=result.streams,
        rolled=jnp.any(result.streams != rolling),
    )
