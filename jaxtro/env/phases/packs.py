"""Booster packs: opening, picking, skipping, closing (run.md 8)."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env import joker_events as ev
from jaxtro.env import rng
from jaxtro.env.areas import reversed_first, set_row, under
from jaxtro.env.chance import hits
from jaxtro.env.generation import ARCANA, add_existing, pack_card, pack_cards, pack_kind
from jaxtro.env.joker_events import JokerEvents
from jaxtro.env.lookups import look_up, rows_at
from jaxtro.env.loops import while_loop
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
    kind, count = pack_kind(pack), pack_cards(pack)
    start, ante = situation(state, events), state.run.ante
    # Hallucinations (and copies) roll after the cards are there, each only while a slot is free.
    odds = look_up(events.pack_odds, ev.acting(book, state.jokers))
    probability = ev.probability(book, state.jokers)
    hallucinations = jnp.sum(odds > 0, dtype=jnp.int32)
    each_odds = jnp.max(odds)
    blank: Offers = jax.tree.map(jnp.asarray, no_offers(PACK_CARDS))

    # One loop makes the cards of the pack and the Tarots: they differ in stream and pool only.
    def one(carry: tuple) -> tuple:
        number, streams, existing, offers, consumables, next_number = carry
        here = replace(start, exists=existing)
        now = replace(state, consumables=consumables, run=replace(state.run, next_number=next_number))
        in_pack = number < count
        free = consumable_count(consumables) < jnp.minimum(consumable_slots(now), consumables.id.shape[0])
        rolls = ~in_pack & free
        u, streams = rng.uniform(streams, "halu{a}", ante, rolls)
        tarot = rolls & hits(u, probability, jnp.maximum(each_odds, 1.0))
        made, streams = pack_card(
            streams,
            state.rules,
            here,
            ante,
            jnp.where(in_pack, kind, ARCANA),
            number == 0,
            in_pack | tarot,
            tarot,
        )
        stored, streams = new_stored(book, state, streams, made.id, in_pack)
        offers = set_row(offers, number, offer(made, stored, jnp.bool_(False), next_number), in_pack)
        now = get_consumable(now, made.id, when=tarot)
        existing = add_existing(here, made.id).exists
        return number + 1, streams, existing, offers, now.consumables, now.run.next_number + in_pack

    first = (
        jnp.int32(0), state.streams, start.exists, blank, state.consumables, state.run.next_number,
    )  # fmt: skip
    end = while_loop(lambda carry: carry[0] < count + hallucinations, one, first)
    _, streams, _, offers, consumables, next_number = end
    state = replace(
        state,
        streams=streams,
        consumables=consumables,
        run=replace(state.run, next_number=next_number),
        pack=Pack(
            id=todo.open_pack,
            by_tag=todo.pack_by_tag,
            picks_left=look_up(_CHOOSE, pack),
            cards=offers,
        ),
    )
    return set_todo(Work(state, todo), open_pack=0, pack_by_tag=False)


def take_pick(state: State, place: Array) -> tuple[State, Offers]:
    """Takes a card out of the open pack and counts the pick. -> state, the card as a row of `Offers`"""
    pack = state.pack
    row = rows_at(pack.cards, place)
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
