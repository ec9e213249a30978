"""Discarding cards: seals, jokers that watch discards, and what destroyed cards feed (run.md 4.2)."""

from dataclasses import replace

import jax.numpy as jnp
from jax import Array

from jaxtro.env import bits, run_rules
from jaxtro.env import joker_events as ev
from jaxtro.env.areas import append, deck_mask_of, take_hand, without
from jaxtro.env.joker_events import DISCARD_CARDS, JokerEvents
from jaxtro.env.lookups import look_up
from jaxtro.env.owned import lose_jokers
from jaxtro.env.reductions import any_of
from jaxtro.env.scoring.book import RULES, JokerBook
from jaxtro.env.scoring.card_features import FEATURES
from jaxtro.env.scoring.hands import HandRules, detect, ranked
from jaxtro.env.scoring.rolls import NUM_PLAYED
from jaxtro.env.scoring.view import JACK, Area, area_of
from jaxtro.env.state import Cards, State, take
from jaxtro.env.work import DEAL_DISCARD, Work, create, creation, set_todo, update
from jaxtro.env.writes import add_at
from jaxtro.tables import ENHANCEMENTS, SEALS

_PURPLE = SEALS.keys.index("Purple")
_GLASS = ENHANCEMENTS.keys.index("m_glass")
_FACE_BIT, _GLASS_BIT = (1 << list(FEATURES).index(name) for name in ("face", "glass"))
_TAROT = creation("Tarot", "purple_seal")


def hand_rules(book: JokerBook, state: State) -> HandRules:
    """The jokers at work that bend the rules of hands."""
    return HandRules(**{name: ev.rule(book, state.jokers, name) for name in RULES})


def hand_area(book: JokerBook, state: State, chosen: Array) -> Area:
    """Chosen cards of the hand as jokers see them. chosen: bool[H]"""
    return area_of(take_hand(state.deck, state.piles.hand), chosen, hand_rules(book, state))


def cards_destroyed(state: State, events: JokerEvents, area: Area, gone: Array) -> State:
    """Canio (faces) and Glass Joker (Glass cards) grow. gone: bool[N], destroyed cards of the area."""
    faces = jnp.sum(gone & area.face, dtype=jnp.float64)
    glass = jnp.sum(gone & (area.cards.enhancement == _GLASS), dtype=jnp.float64)
    wants = ev.own(state.jokers, events.destroyed_card)
    count = jnp.where(wants & _FACE_BIT != 0, faces, 0) + jnp.where(wants & _GLASS_BIT != 0, glass, 0)
    gain = jnp.abs(ev.own(state.jokers, events.destroyed_gain) * count)
    return replace(state, jokers=replace(state.jokers, stored=state.jokers.stored + gain))


def _discard_cards(work: Work, book: JokerBook, events: JokerEvents, chosen: Array) -> Work:
    """Moves cards to the discard pile with all that seals and jokers do to discarded cards.

    The Hook's discard is one, too (corner case 28). chosen: bool[H].
    """
    state = work.state
    jokers = state.jokers
    area = hand_area(book, state, chosen)
    cards, live = area.cards, area.live
    count = jnp.sum(chosen, dtype=jnp.int32)
    some = count > 0
    work = create(work, _TAROT, jnp.sum(live & (cards.seal == _PURPLE), dtype=jnp.int32))

    # Cards that some joker asks for: its rank, its suit, Jacks (Stone and debuffed cards are none of these).
    suit = (area.suits >> state.targets.castle_suit.astype(jnp.uint8)) & 1 != 0
    wanted = {
        "": jnp.zeros_like(live),
        "target_rank": ranked(cards) & (cards.rank == state.targets.mail_rank),
        "target_suit": suit,
        "jack": ranked(cards) & (cards.rank == JACK),
    }
    asked = jnp.stack([jnp.sum(wanted[name] & live, dtype=jnp.int32) for name in DISCARD_CARDS])
    acting = ev.acting(book, jokers)
    has = lambda column: look_up(column, acting)  # noqa: E731
    own = lambda column: ev.own(jokers, column)  # noqa: E731

    faces = jnp.sum(area.face, dtype=jnp.int32)
    per_card = has(events.discard_dollars) * asked[has(events.discard_card).astype(jnp.int32)]
    enough = (has(events.discard_faces) > 0) & (faces >= has(events.discard_faces))
    dollars = per_card + jnp.where(enough, has(events.discard_dollars), 0)
    single = own(events.discard_single) & (state.round.discards_used == 0) & (count == 1)
    # One card can be destroyed once, but every Trading Card pays for it.
    dollars = dollars + jnp.where(single, own(events.discard_dollars), 0)
    doomed = jnp.any(single) & chosen

    gain = jnp.abs(own(events.discard_gain) * asked[own(events.discard_card).astype(jnp.int32)])
    stored = jokers.stored + jnp.where(own(events.discard_every) > 0, 0.0, gain)
    lower = jnp.maximum(stored + own(events.action_gain), 0.0)
    stored = jnp.where(some & (own(events.action_gain) < 0), lower, stored)
    # Yorick counts cards down; Ramen loses per card, one rounding after the other.
    every = own(events.discard_every)
    left = jokers.counter - jnp.where(every > 0, count, 0)
    full = (every > 0) & (left <= 0)
    counter = jnp.where(full, left + every, left)
    stored = stored + jnp.where(full, own(events.discard_gain), 0.0)
    wear, eaten = own(events.discard_wear), jnp.zeros(stored.shape, bool)
    for number in range(NUM_PLAYED):
        worn = stored - wear
        now = (wear > 0) & (number < count) & ~eaten
        eaten |= now & (worn <= own(events.discard_least))
        stored = jnp.where(now & ~eaten, worn, stored)

    state = replace(
        state,
        jokers=replace(jokers, stored=stored, counter=counter.astype(jnp.int32)),
        run=update(state.run, money=state.run.money + jnp.sum(dollars, dtype=jnp.int32)),
    )
    state = cards_destroyed(state, events, area, doomed)
    state = lose_jokers(state, eaten)
    piles, size = state.piles, state.deck.cards.rank.shape[0]
    discard, n_discard = append(piles.discard, piles.n_discard, piles.hand, chosen & ~doomed)
    gone = deck_mask_of(piles.hand, doomed, size)
    hand, n_hand = without(piles.hand, chosen)
    piles = replace(piles, hand=hand, n_hand=n_hand, discard=discard, n_discard=n_discard)
    # A discarded card is turned up (it lies in the discard pile) when the round ends, not before.
    return set_todo(Work(replace(state, piles=piles), work.todo), doomed=work.todo.doomed | gone)


def _first_five(cards: Cards, chosen: Array) -> Cards:
    """The chosen cards, left to right, as an area of five places."""
    left, places = bits.to_bits(chosen), []
    for _ in range(NUM_PLAYED):
        places.append(jnp.where(left != 0, bits.lowest(left), -1))
        left = bits.without_lowest(left)
    at = jnp.stack(places)
    five = take(cards, jnp.maximum(at, 0))
    return replace(five, rank=jnp.where(at >= 0, five.rank, 0).astype(jnp.int8))


def discard(work: Work, book: JokerBook, events: JokerEvents) -> Work:
    """The player's discard, or The Hook's, which counts for nothing that counts discards."""
    state, chosen = work.state, work.todo.discarded
    mine = ~any_of(work.todo.played)
    # Burnt Joker: the first discard of a round raises its poker hand; copies add one each.
    levels = jnp.sum(look_up(events.discard_levels, ev.acting(book, state.jokers)), dtype=jnp.int32)
    levels = jnp.where(mine & (state.round.discards_used == 0), levels, 0)
    five = _first_five(take_hand(state.deck, state.piles.hand), chosen)
    poker_hand = detect(five, hand_rules(book, state)).hand
    hands = state.poker_hands
    state = replace(state, poker_hands=replace(hands, level=add_at(hands.level, poker_hand, levels)))
    work = _discard_cards(Work(state, work.todo), book, events, chosen)
    state, now = work.state, work.state.round
    cost = jnp.where(mine, run_rules.of_challenge(state.rules, run_rules.DISCARD_COST), 0)
    state = replace(
        state,
        run=update(state.run, money=state.run.money - cost),
        round=update(now, discards_left=now.discards_left - mine, discards_used=now.discards_used + mine),
    )
    return set_todo(
        Work(state, work.todo),
        deal=jnp.where(mine, DEAL_DISCARD, work.todo.deal),
        cost=work.todo.cost + cost,
        discarded=jnp.zeros_like(chosen),
    )
