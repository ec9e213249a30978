"""Shuffling and dealing: the draw, cards that come face down, forced cards, the hand's order (run.md 4)."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env import joker_events as ev
from jaxtro.env import rng, run_rules
from jaxtro.env.areas import (
    add_card,
    append,
    deck_mask_of,
    deck_size,
    set_row,
    sorted_hand,
)
from jaxtro.env.chance import hits
from jaxtro.env.generation.items import seal_of
from jaxtro.env.joker_events import JokerEvents
from jaxtro.env.lookups import look_up
from jaxtro.env.loops import while_loop
from jaxtro.env.owned import by_creation, cards_added, hand_size
from jaxtro.env.phases import boss_effects
from jaxtro.env.scoring.book import JokerBook
from jaxtro.env.scoring.hands import ranked
from jaxtro.env.scoring.view import JACK, KING
from jaxtro.env.state import HAND_CAPACITY, Phase, State
from jaxtro.env.work import (
    DEAL_DISCARD,
    DEAL_FIRST,
    DEAL_MORE,
    DEAL_PLAY,
    NO_DEAL,
    NO_SHUFFLE,
    SHUFFLE_ROUND,
    Work,
    set_state,
    set_todo,
    update,
)
from jaxtro.tables import BLINDS
from jaxtro.tables.pools import FRONT_RANK, FRONT_SUIT, FRONTS
from jaxtro.tables.streams import STREAM_ID

_SERPENT_CARDS = BLINDS.row(boss_effects.SERPENT)["draws"]
_WHEEL_ODDS = float(BLINDS.row(boss_effects.WHEEL)["odds"])
_ROUND_STREAM, _CASH_OUT_STREAM = STREAM_ID["nr{a}"], STREAM_ID["cashout{a}"]
_HIDES = np.zeros(len(BLINDS), bool)
_HIDES[[boss_effects.WHEEL, boss_effects.HOUSE, boss_effects.FISH, boss_effects.MARK]] = True
DEAL_ONE = DEAL_MORE + 1  # The Manacle was switched off


def shuffle_deck(work: Work) -> Work:
    """Sorts the whole draw pile by creation and shuffles it (rng.md 5.2)."""
    state, todo = work.state, work.todo
    stream = jnp.where(todo.shuffle == SHUFFLE_ROUND, _ROUND_STREAM, _CASH_OUT_STREAM)
    d, streams = rng.step(state.streams, stream, state.run.ante)
    count, size = state.piles.n_draw, state.piles.draw.shape[0]
    # All cards lie in the draw pile now, so sorting by creation is counting.
    places = jnp.arange(size, dtype=jnp.int32)
    order = rng.shuffle(places.astype(jnp.int8), count, d)
    draw = jnp.where(places < count, order, -1).astype(jnp.int8)
    return set_todo(
        set_state(work, streams=streams, piles=replace(state.piles, draw=draw)), shuffle=NO_SHUFFLE
    )


def _how_many(state: State, deal: Array, events: JokerEvents) -> Array:
    refill = jnp.maximum(hand_size(state, events) - state.piles.n_hand, 0)
    serpent = boss_effects.boss_acts(state) == boss_effects.SERPENT
    fixed = serpent & ((deal == DEAL_PLAY) | (deal == DEAL_DISCARD))
    return jnp.where(fixed, _SERPENT_CARDS, jnp.where(deal == DEAL_ONE, 1, refill))


def _rolled_face_down(state: State, count: Array, probability: Array) -> tuple[rng.Streams, Array]:
    """The Wheel's and X-ray Vision's rolls, card by card. -> streams, bool[H] by number of the dealt card"""
    wheel = boss_effects.boss_acts(state) == boss_effects.WHEEL
    flipped = run_rules.of_challenge(state.rules, run_rules.FLIPPED_CARDS)
    ante, seed_hash = state.run.ante, state.streams.seed_hash

    def more(carry: tuple) -> Array:
        return carry[0] < jnp.where(wheel | (flipped > 0), count, 0)

    def one(carry: tuple) -> tuple:
        number, down, by_wheel, by_challenge = carry
        u, by_wheel = rng.draw_from(by_wheel, seed_hash, wheel)
        v, by_challenge = rng.draw_from(by_challenge, seed_hash, flipped > 0)
        odds = jnp.maximum(flipped, 1).astype(jnp.float64)
        hit = (wheel & hits(u, probability, jnp.float64(_WHEEL_ODDS))) | (
            (flipped > 0) & hits(v, jnp.float64(1), odds)
        )
        return number + 1, down | (hit & (jnp.arange(HAND_CAPACITY) == number)), by_wheel, by_challenge

    start = (
        jnp.int32(0),
        jnp.zeros(HAND_CAPACITY, bool),
        rng.stream_state(state.streams, "wheel", ante),
        rng.stream_state(state.streams, "flipped_card", ante),
    )
    _, down, by_wheel, by_challenge = while_loop(more, one, start)
    streams = rng.set_stream_state(state.streams, "wheel", ante, by_wheel)
    return rng.set_stream_state(streams, "flipped_card", ante, by_challenge), down


def _next_cards(state: State, deal: Array, events: JokerEvents) -> tuple[Array, Array, Array]:
    """A deal: int32[] cards wanted, int32[] cards that come, int8[H] the places of these in the deck, in order."""
    piles = state.piles
    wanted = jnp.minimum(_how_many(state, deal, events), piles.n_draw)
    count = jnp.minimum(wanted, HAND_CAPACITY - piles.n_hand)
    number = jnp.arange(HAND_CAPACITY, dtype=jnp.int32)
    return wanted, count, piles.draw[jnp.maximum(piles.n_draw - 1 - number, 0)]


def hides_cards(work: Work) -> Array:
    """Whether a boss or the challenge may turn cards of this deal face down. -> bool[]"""
    boss = boss_effects.boss_acts(work.state)
    hides = look_up(_HIDES, boss) | (run_rules.of_challenge(work.state.rules, run_rules.FLIPPED_CARDS) > 0)
    return (work.todo.deal != NO_DEAL) & hides


def hide_cards(work: Work, book: JokerBook, events: JokerEvents) -> Work:
    """Turns cards that are about to be dealt face down."""
    state, deal, deck = work.state, work.todo.deal, work.state.deck
    _, count, dealt = _next_cards(state, deal, events)
    streams, down = _rolled_face_down(state, count, ev.probability(book, state.jokers))
    boss = boss_effects.boss_acts(state)
    cards = deck.cards
    face = ranked(cards) & (cards.rank >= JACK) & (cards.rank <= KING)
    face |= ev.rule(book, state.jokers, "pareidolia")
    untouched = (state.round.hands_played == 0) & (state.round.discards_used == 0)
    down |= (boss == boss_effects.HOUSE) & untouched
    down |= (boss == boss_effects.FISH) & state.round.fish_armed & (deal == DEAL_PLAY)
    down |= (boss == boss_effects.MARK) & face[jnp.maximum(dealt, 0).astype(jnp.int32)]
    number = jnp.arange(HAND_CAPACITY, dtype=jnp.int32)
    hidden = deck_mask_of(dealt, (number < count) & down, deck.face_down.shape[0])
    return set_state(work, streams=streams, deck=replace(deck, face_down=deck.face_down | hidden))


def deal_cards(work: Work, events: JokerEvents) -> Work:
    """Deals from the end of the draw pile and sorts the hand; `hide_cards` comes before, `after_deal` behind."""
    state, deal = work.state, work.todo.deal
    piles = state.piles
    wanted, count, dealt = _next_cards(state, deal, events)
    hand, n_hand = append(piles.hand, piles.n_hand, dealt, jnp.arange(HAND_CAPACITY) < count)
    places = jnp.arange(piles.draw.shape[0], dtype=jnp.int32)
    draw = jnp.where(places < piles.n_draw - count, piles.draw, -1)
    hand = jnp.where(n_hand > piles.n_hand, _sorted(state, hand), hand)
    state = replace(
        state,
        piles=replace(piles, draw=draw, n_draw=piles.n_draw - count, hand=hand, n_hand=n_hand),
        round=replace(state.round, fish_armed=state.round.fish_armed & (deal != DEAL_PLAY)),
        overflow=state.overflow | (count < wanted),
    )
    return Work(state, work.todo)


def _sorted(state: State, hand: Array) -> Array:
    return sorted_hand(state.deck, hand, state.run.sort_mode, state.rules.sort_by_age)


def acts_after_deal(work: Work, events: JokerEvents) -> Array:
    """Whether a Certificate or a boss may do something with the hand that was dealt. -> bool[]"""
    state, deal = work.state, work.todo.deal
    boss = boss_effects.boss_acts(state)
    # Copies act only where there is a Certificate to copy.
    certificate = jnp.any(look_up(events.first_draw_cards > 0, state.jokers.id))
    acts = (boss == boss_effects.BELL) | ((boss == boss_effects.HEART) & state.round.heart_armed)
    acts |= certificate & (deal == DEAL_FIRST)
    return (deal != NO_DEAL) & (state.phase == Phase.SELECTING_HAND) & acts


def after_deal(work: Work, book: JokerBook, events: JokerEvents) -> Work:
    """What happens in a round once cards are dealt: Certificates, then bosses that force a card or debuff a joker."""
    boss = boss_effects.boss_acts(work.state)
    state = _certificates(work.state, book, events, work.todo.deal == DEAL_FIRST)
    # The cards of Certificates take their places in the sorted hand, too (K).
    piles = state.piles
    hand = jnp.where(piles.n_hand > work.state.piles.n_hand, _sorted(state, piles.hand), piles.hand)
    state = replace(state, piles=replace(piles, hand=hand))
    state = _force_card(state, boss == boss_effects.BELL)
    state = _debuff_joker(state, boss == boss_effects.HEART)
    return Work(state, work.todo)


def _certificates(state: State, book: JokerBook, events: JokerEvents, first: Array) -> State:
    """Certificate: after the first deal a random card with a random seal joins the hand; copies too."""
    wanted = jnp.sum(look_up(events.first_draw_cards, ev.acting(book, state.jokers)), dtype=jnp.int32)
    size = state.deck.cards.rank.shape[0]
    room = jnp.minimum(size - deck_size(state.deck), HAND_CAPACITY - state.piles.n_hand)
    wanted = jnp.where(first, wanted, 0)
    count = jnp.minimum(wanted, room)
    seed_hash = state.streams.seed_hash

    def one(carry: tuple) -> tuple:
        number, fronts, seals, deck, hand, n_hand = carry
        u, fronts = rng.draw_from(fronts, seed_hash)
        v, seals = rng.draw_from(seals, seed_hash)
        front = rng.to_index(u, jnp.float64(len(FRONTS)))
        place, zero = deck_size(deck), jnp.int8(0)
        deck = add_card(
            deck, look_up(FRONT_RANK, front), look_up(FRONT_SUIT, front), zero, zero, seal_of(v),
            state.run.next_number + number,
        )  # fmt: skip
        hand = set_row(hand, n_hand, place)
        return number + 1, fronts, seals, deck, hand, n_hand + 1

    ante = state.run.ante
    start = (
        jnp.int32(0),
        rng.stream_state(state.streams, "cert_fr", ante),
        rng.stream_state(state.streams, "certsl", ante),
        state.deck,
        state.piles.hand,
        state.piles.n_hand,
    )
    _, fronts, seals, deck, hand, n_hand = while_loop(lambda carry: carry[0] < count, one, start)
    streams = rng.set_stream_state(state.streams, "cert_fr", ante, fronts)
    streams = rng.set_stream_state(streams, "certsl", ante, seals)
    state = replace(
        state,
        streams=streams,
        deck=deck,
        piles=replace(state.piles, hand=hand, n_hand=n_hand),
        run=update(state.run, next_number=state.run.next_number + count),
        overflow=state.overflow | (count < wanted),
    )
    return cards_added(state, events, count)


def _force_card(state: State, when: Array) -> State:
    """Cerulean Bell: one card of the hand is held selected; a new one when that card has left."""
    size = state.deck.cards.rank.shape[0]
    in_hand = deck_mask_of(state.piles.hand, state.piles.hand >= 0, size)
    forced = state.round.forced.astype(jnp.int32)
    gone = (forced < 0) | ~in_hand[jnp.maximum(forced, 0)]
    draws = when & gone & (state.piles.n_hand > 0)
    place, streams = rng.pick_where(state.streams, "cerulean_bell", state.run.ante, in_hand, draws)
    forced = jnp.where(draws, place, forced).astype(jnp.int8)
    return replace(state, streams=streams, round=replace(state.round, forced=forced))


def _debuff_joker(state: State, when: Array) -> State:
    """Crimson Heart: at the first deal and after each play another joker is debuffed."""
    jokers = state.jokers
    armed = when & state.round.heart_armed
    there = jokers.id > 0
    member = there & (~jokers.debuffed | (jnp.sum(there) < 2))
    order = by_creation(jokers.number, member)
    count = jnp.sum(member, dtype=jnp.int32)
    nth, streams = rng.pick(state.streams, "crimson_heart", state.run.ante, count, armed & (count > 0))
    picked = order[jnp.clip(nth, 0, order.shape[0] - 1)]
    perished = there & (jokers.perish == 0)
    hit = (count > 0) & (jnp.arange(there.shape[0]) == picked)
    debuffed = jnp.where(armed, perished | hit, jokers.debuffed)
    return replace(
        state,
        streams=streams,
        jokers=replace(jokers, debuffed=debuffed),
        round=replace(state.round, heart_armed=state.round.heart_armed & ~armed),
    )
