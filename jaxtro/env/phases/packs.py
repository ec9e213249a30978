"""Booster packs: opening, picking, skipping, closing (run.md 8)."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxtro.env import joker_events as ev
from jaxtro.env import rng
from jaxtro.env.areas import reversed_first, under
from jaxtro.env.chance import hits
from jaxtro.env.generation import new_consumable
from jaxtro.env.generation import open_pack as pack_contents
from jaxtro.env.joker_events import JokerEvents
from jaxtro.env.owned import (
    consumable_count,
    consumable_slots,
    get_consumable,
    situation,
)
from jaxtro.env.phases.creation import new_stored
from jaxtro.env.phases.shop import offer, take_offer, without_offer
from jaxtro.env.scoring.book import JokerBook
from jaxtro.env.state import PACK_CARDS, Offers, Pack, Phase, State, no_offers
from jaxtro.env.work import Work, set_todo
from jaxtro.tables import PACKS

_CHOOSE = np.array([0] + [row["choose"] for row in PACKS.rows], np.int32)


def no_pack() -> Pack:
    """No pack is open."""
    cards: Offers = jax.tree.map(jnp.asarray, no_offers(PACK_CARDS))
    return Pack(jnp.int8(0), jnp.bool_(False), jnp.int32(0), cards)


def open_pack(work: Work, book: JokerBook, events: JokerEvents) -> Work:
    """Makes the cards of the pack, then Hallucination may make a Tarot."""
    state, todo = work.state, work.todo
    pack = todo.open_pack.astype(jnp.int32)
    made, exists, streams = pack_contents(
        state.streams, state.rules, situation(state, events), state.run.ante, pack
    )

    def store(place: Array, carry: tuple) -> tuple:
        streams, stored = carry
        number, streams = new_stored(book, state, streams, made.id[place], jnp.bool_(True))
        return streams, stored.at[place].set(number)

    streams, stored = lax.fori_loop(0, PACK_CARDS, store, (streams, jnp.zeros(PACK_CARDS, jnp.float64)))
    offers = offer(made, stored, jnp.ones(PACK_CARDS, bool))
    blank: Offers = jax.tree.map(jnp.asarray, no_offers(PACK_CARDS))
    offers = jax.tree.map(lambda values, empty: values.astype(empty.dtype), offers, blank)

    # Hallucination: each one (and each copy) rolls only while a slot is free.
    odds = jnp.asarray(events.pack_odds)[ev.acting(book, state.jokers)]
    probability = ev.probability(book, state.jokers)

    def more(carry: tuple) -> Array:
        return carry[0] < odds.shape[0]

    def one(carry: tuple) -> tuple:
        place, streams, consumables, next_number, existing = carry
        now = replace(
            state, consumables=consumables, run=replace(state.run, next_number=next_number)
        )
        free = consumable_count(consumables) < jnp.minimum(consumable_slots(now), consumables.id.shape[0])
        rolls = (odds[place] > 0) & free
        u, streams = rng.uniform(streams, "halu{a}", now.run.ante, rolls)
        hit = rolls & hits(u, probability, odds[place])
        here = replace(exists, exists=existing)
        tarot, streams = new_consumable(streams, here, now.run.ante, "Tarot", "hallucination", hit)
        now = get_consumable(now, tarot.id, when=hit)
        existing = existing.at[jnp.where(hit, tarot.id, 0)].add(1)
        following = jnp.argmax((odds > 0) & (jnp.arange(odds.shape[0]) > place))
        following = jnp.where(following > place, following, odds.shape[0]).astype(jnp.int32)
        return following, streams, now.consumables, now.run.next_number, existing

    first = jnp.where(jnp.any(odds > 0), jnp.argmax(odds > 0), odds.shape[0]).astype(jnp.int32)
    start = (first, streams, state.consumables, state.run.next_number, exists.exists)
    _, streams, consumables, next_number, _ = lax.while_loop(more, one, start)
    state = replace(
        state,
        streams=streams,
        consumables=consumables,
        run=replace(state.run, next_number=next_number),
        pack=Pack(
            id=todo.open_pack,
            by_tag=todo.pack_by_tag,
            picks_left=jnp.asarray(_CHOOSE)[pack],
            cards=offers,
        ),
    )
    return set_todo(Work(state, todo), open_pack=0, pack_by_tag=False)


def take_pick(state: State, place: Array) -> tuple[State, Offers]:
    """Takes a card out of the open pack and counts the pick. -> state, the card as a row of `Offers`"""
    pack = state.pack
    row: Offers = jax.tree.map(lambda values: values[place], pack.cards)
    pack = replace(pack, cards=without_offer(pack.cards, place), picks_left=pack.picks_left - 1)
    return replace(state, pack=pack), row


def pick_card(work: Work, place: Array, book: JokerBook, events: JokerEvents) -> Work:
    """Picks a joker or a playing card; consumables are used (`consumables.use`)."""
    state, row = take_pick(work.state, place)
    state = take_offer(state, row, book, events)
    return set_todo(Work(state, work.todo), close_pack=state.pack.picks_left <= 0)


def skip_pack(work: Work, events: JokerEvents) -> Work:
    """Closes the pack; Red Card grows, once per pack, tag packs too."""
    state = work.state
    gain = jnp.abs(ev.own(state.jokers, events.pack_skipped_gain))
    state = replace(state, jokers=replace(state.jokers, stored=state.jokers.stored + gain))
    return set_todo(Work(state, work.todo), close_pack=True)


def close_pack(work: Work) -> Work:
    """Cards dealt for the pack go under the draw pile, the leftmost first; then shop or blind select."""
    state, piles, deck = work.state, work.state.piles, work.state.deck
    back = reversed_first(piles.hand, piles.n_hand)
    draw, n_draw = under(piles.draw, piles.n_draw, back, piles.n_hand)
    by_tag = state.pack.by_tag
    state = replace(
        state,
        phase=jnp.where(by_tag, int(Phase.BLIND_SELECT), int(Phase.SHOP)).astype(jnp.int8),
        piles=replace(
            piles, draw=draw, n_draw=n_draw, hand=jnp.full_like(piles.hand, -1), n_hand=jnp.int32(0)
        ),
        deck=replace(deck, face_down=jnp.zeros_like(deck.face_down)),
        pack=no_pack(),
    )
    return set_todo(Work(state, work.todo), close_pack=False, blind_tags=by_tag)


