"""Jokers and consumables that other cards make, one after the other (rng.md 8, 9)."""

from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env import rng
from jaxtro.env.generation.antes import to_do_hand
from jaxtro.env.generation.items import (
    JOKER_SOURCES,
    consumable_stream,
    edition_of,
    edition_rate,
    joker_lanes,
    joker_rarity,
    joker_streams,
    pick_item,
)
from jaxtro.env.generation.situation import add_existing
from jaxtro.env.lookups import look_up
from jaxtro.env.loops import while_loop
from jaxtro.env.owned import (
    TO_DO_LIST,
    first_number,
    free_consumable_slots,
    free_joker_slots,
    get_consumable,
    get_joker,
    situation,
)
from jaxtro.env.scoring.book import CREATED, JokerBook
from jaxtro.env.state import State
from jaxtro.env.work import CREATED_JOKERS, CREATIONS, Work, set_todo
from jaxtro.tables.pools import POOL_ID
from jaxtro.tables.streams import STREAM_ID

_RARITIES = 5


def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    size = 1 + len(CREATIONS)
    stream, pool = np.zeros((size, _RARITIES), np.int32), np.zeros((size, _RARITIES), np.int32)
    lanes = np.zeros((size, 2), np.int32)
    lanes[:] = STREAM_ID["rarity{a}jud"], STREAM_ID["edijud{a}"]
    rarity, draws_rarity = np.zeros(size, np.int32), np.zeros(size, bool)
    for code, (kind, source) in enumerate(CREATIONS, start=1):
        if kind != "Joker":
            stream[code], pool[code] = consumable_stream(kind, source), POOL_ID[kind]
            continue
        origin, names = JOKER_SOURCES[source], joker_lanes(source)
        rarity[code] = origin.rarity or 0
        draws_rarity[code] = origin.rarity in (None, 4)
        lanes[code] = STREAM_ID[names[0]], STREAM_ID[names[3]]
        stream[code] = joker_streams(source)
        pool[code] = np.maximum(np.arange(_RARITIES) - 1, 0) + POOL_ID["Joker1"]
    return stream, pool, lanes, rarity, draws_rarity


_STREAM, _POOL, _LANES, _RARITY, _DRAWS_RARITY = _tables()
FIRST_JOKER_CODE = 1 + len(CREATED)
assert len(CREATIONS) == len(CREATED) + len(CREATED_JOKERS)


def new_stored(
    book: JokerBook, state: State, streams: rng.Streams, joker: Array, when: Array
) -> tuple[Array, rng.Streams]:
    """The number that a new joker stores; a To Do List draws its hand whenever one is made (rng.md 5.4)."""
    drawn = when & (joker == TO_DO_LIST)
    hand, drawn_streams = to_do_hand(
        streams, state.poker_hands.played, state.run.ante, jnp.int32(-1), drawn, state.rules.to_do_order
    )
    stored = first_number(book, state, joker)
    return jnp.where(drawn, hand.astype(jnp.float64), stored), drawn_streams


def create_items(work: Work, book: JokerBook, events: Any) -> Work:
    """Makes everything that `todo.created` lists; what finds no free slot is not made and draws nothing."""
    todo = work.todo

    state = work.state
    start = situation(state, events, todo.in_use)

    def more(carry: tuple[Array, Any]) -> Array:
        return carry[0] < todo.n_created

    # Only what can change goes through the loop: in a batch each turn copies what it carries.
    def one(carry: tuple[Array, Any]) -> tuple[Array, Any]:
        number, (jokers, consumables, streams, next_number, overflow, existing) = carry
        exists = replace(start, exists=existing)
        now = replace(
            state,
            jokers=jokers,
            consumables=consumables,
            run=replace(state.run, next_number=next_number),
            overflow=overflow,
        )
        code = todo.created[number].astype(jnp.int32)
        joker = code >= FIRST_JOKER_CODE
        fits = jnp.where(joker, free_joker_slots(now), free_consumable_slots(now)) > 0
        ante = now.run.ante
        peeked = rng.peek(streams, jnp.asarray(_LANES)[code], ante)
        polls = fits & joker
        streams = rng.commit(streams, peeked, (polls & look_up(_DRAWS_RARITY, code), polls))
        fixed = look_up(_RARITY, code)
        rarity = jnp.where(fixed > 0, fixed, joker_rarity("judgement", peeked.u[0]))
        stream, pool = jnp.asarray(_STREAM)[code, rarity], jnp.asarray(_POOL)[code, rarity]
        made, streams = pick_item(streams, exists, stream, pool, ante, fits)
        stored, streams = new_stored(book, now, streams, made, polls)
        edition = edition_of(peeked.u[1], edition_rate(exists))
        now = get_joker(now, made, stored, edition, eternal=state.rules.all_eternal, when=polls)
        now = get_consumable(now, made, when=fits & ~joker)
        existing = add_existing(exists, jnp.where(fits, made, 0)).exists
        return number + 1, (
            now.jokers, now.consumables, streams, now.run.next_number, now.overflow, existing,
        )  # fmt: skip

    parts = (
        state.jokers, state.consumables, state.streams, state.run.next_number, state.overflow, start.exists,
    )  # fmt: skip
    _, parts = while_loop(more, one, (jnp.int32(0), parts))
    jokers, consumables, streams, next_number, overflow, _ = parts
    state = replace(
        state,
        jokers=jokers,
        consumables=consumables,
        streams=streams,
        run=replace(state.run, next_number=next_number),
        overflow=overflow,
    )
    return set_todo(Work(state, todo), n_created=0)
