"""Skip tags: gaining them, and those that fire at once or in blind select (run.md 6)."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxtro.env.lookups import element, look_up
from jaxtro.env.loops import while_loop
from jaxtro.env.owned import joker_slots
from jaxtro.env.phases.blind_select import BOSS, bits_without, draw_boss
from jaxtro.env.reductions import int_sum
from jaxtro.env.state import BlindStatus, Phase, State
from jaxtro.env.work import (
    DEAL_MORE,
    Work,
    create,
    creation,
    set_todo,
    update,
)
from jaxtro.env.writes import add_at, put
from jaxtro.tables import PACKS, TAGS
from jaxtro.tables.streams import ANTES_KEPT

_ID = TAGS.keys.index
_DOUBLE, _BOSS = _ID("tag_double"), _ID("tag_boss")
_ECONOMY, _SPEED, _HANDY, _GARBAGE, _TOP_UP, _ORBITAL = (
    _ID(f"tag_{name}") for name in ("economy", "skip", "handy", "garbage", "top_up", "orbital")
)


def config(tag: int) -> dict:
    """The numbers of a tag."""
    return dict(TAGS.row(tag)["config"])


_ECONOMY_MOST = config(_ECONOMY)["max"]
_SPEED_DOLLARS = config(_SPEED)["skip_bonus"]
_HANDY_DOLLARS = config(_HANDY)["dollars_per_hand"]
_GARBAGE_DOLLARS = config(_GARBAGE)["dollars_per_discard"]
_TOP_UP_JOKERS = config(_TOP_UP)["spawn_jokers"]
_ORBITAL_LEVELS = config(_ORBITAL)["levels"]
_AT_ONCE = np.array([False] + [row["context"] == "immediate" for row in TAGS.rows])
_BLIND_SELECT = np.array([False] + [row["context"] == "new_blind_choice" for row in TAGS.rows])
# The pack that a tag opens; art variants are not seeded, so the first one stands for them (rng.md 11).
_PACKS = {
    "tag_charm": "p_arcana_mega_1", "tag_meteor": "p_celestial_mega_1", "tag_standard": "p_standard_mega_1",
    "tag_buffoon": "p_buffoon_mega_1", "tag_ethereal": "p_spectral_normal_1",
}  # fmt: skip
_PACK = np.array([0] + [PACKS.keys.index(_PACKS.get(row["key"], "")) for row in TAGS.rows], np.int8)
DRAWS_HAND = np.array([False] + [row["draws_hand"] for row in PACKS.rows])


def tag_count(tags: Array) -> Array:
    """Number of held tags. -> int32[]"""
    return jnp.sum(tags > 0, dtype=jnp.int32)


def add_tag(state: State, tag: Array, when: Array | bool = True) -> State:
    """Gains a tag; every held Double Tag adds a copy and is spent, unless it is a Double Tag (run.md 6.2)."""
    when = jnp.asarray(when)
    copied = when & (tag != _DOUBLE)
    doubles = jnp.where(copied, jnp.sum(state.tags == _DOUBLE, dtype=jnp.int32), 0)
    tags = jnp.where(copied, bits_without(state.tags, state.tags == _DOUBLE), state.tags)
    count, new = tag_count(tags), jnp.where(when, 1 + doubles, 0)
    places = jnp.arange(tags.shape[0], dtype=jnp.int32)
    tags = jnp.where((places >= count) & (places < count + new), tag.astype(tags.dtype), tags)
    return replace(state, tags=tags, overflow=state.overflow | (count + new > tags.shape[0]))


def take_first(tags: Array, kinds: Array) -> tuple[Array, Array]:
    """Removes the oldest held tag of some kinds (bool[25]). -> the tag (0 = none), the rest"""
    found = (tags > 0) & element(kinds, tags.astype(jnp.int32))
    place = jnp.argmax(found)
    some = jnp.any(found)
    gone = some & (jnp.arange(tags.shape[0]) == place)
    return jnp.where(some, element(tags, place), 0).astype(jnp.int32), jnp.where(
        some, bits_without(tags, gone), tags
    )


def skip(work: Work) -> Work:
    """Skips the Small or Big Blind (run.md 3.2): the tag, then every tag that acts at once, oldest first."""
    state = work.state
    which = state.blinds.on_deck.astype(jnp.int32)
    status = put(state.blinds.status, which, int(BlindStatus.SKIPPED))
    status = put(status, jnp.minimum(which + 1, BOSS), int(BlindStatus.SELECT))
    tag = state.blinds.tags[jnp.minimum(which, 1)].astype(jnp.int32)
    state = replace(
        state,
        run=update(state.run, skips=state.run.skips + 1),
        blinds=update(state.blinds, status=status, on_deck=which + 1),
    )
    state = add_tag(state, tag)
    run, tags = state.run, state.tags
    gains = jnp.where(tags == _SPEED, _SPEED_DOLLARS * run.skips, 0)
    gains += jnp.where(tags == _HANDY, _HANDY_DOLLARS * run.hands_played, 0)
    gains += jnp.where(tags == _GARBAGE, _GARBAGE_DOLLARS * run.unused_discards, 0)

    # Only money depends on the order, and only through Economy Tags.
    def pay(place: Array, money: Array) -> Array:
        economy = jnp.where(element(tags, place) == _ECONOMY, jnp.clip(money, 0, _ECONOMY_MOST), 0)
        return money + economy + element(gains, place)

    money = lax.fori_loop(0, tags.shape[0], pay, run.money)
    made = _TOP_UP_JOKERS * int_sum(tags == _TOP_UP)
    levels = _ORBITAL_LEVELS * int_sum(tags == _ORBITAL)
    hand = run.orbital[run.ante % ANTES_KEPT, which]
    hands = state.poker_hands
    state = replace(
        state,
        run=update(run, money=money),
        tags=bits_without(tags, look_up(_AT_ONCE, tags.astype(jnp.int32))),
        poker_hands=replace(hands, level=add_at(hands.level, hand, levels)),
    )
    made = jnp.minimum(made, jnp.maximum(joker_slots(state), 0))
    work = set_todo(Work(state, work.todo), blind_tags=True)
    return create(work, creation("Joker", "top_up_tag"), made)


def fire_blind_tags(work: Work) -> Work:
    """Draws bosses that are due; then held tags of blind select fire, oldest first, until one opens a pack.

    After a Boss Tag the next tag fires at once (not settled when several wait, oracle/README.md).
    """
    state, todo = work.state, work.todo

    def more(carry: tuple) -> Array:
        return carry[0] > 0

    def one(carry: tuple) -> tuple:
        left, streams, used, boss = carry
        now = replace(
            state,
            streams=streams,
            run=replace(state.run, bosses_used=used),
            blinds=replace(state.blinds, boss=boss),
        )
        now = draw_boss(now)
        return left - 1, now.streams, now.run.bosses_used, now.blinds.boss

    # Boss Tags before the first pack tag.
    tags = state.tags
    fires = todo.blind_tags & look_up(_BLIND_SELECT, tags.astype(jnp.int32))
    opens = fires & (tags != _BOSS)
    first_pack = jnp.where(jnp.any(opens), jnp.argmax(opens), tags.shape[0])
    places = jnp.arange(tags.shape[0])
    rerolls = fires & (tags == _BOSS) & (places < first_pack)
    by_tag = jnp.sum(rerolls, dtype=jnp.int32)
    start = (todo.bosses + by_tag, state.streams, state.run.bosses_used, state.blinds.boss)
    _, streams, used, boss = while_loop(more, one, start)
    pack = jnp.where(jnp.any(opens), look_up(_PACK, tags[jnp.argmax(opens)].astype(jnp.int32)), 0)
    state = replace(
        state,
        streams=streams,
        blinds=replace(state.blinds, boss=boss),
        run=update(state.run, bosses_used=used, boss_rerolled=state.run.boss_rerolled | (by_tag > 0)),
        tags=bits_without(tags, rerolls | (places == first_pack)),
        phase=jnp.where(pack > 0, jnp.int8(Phase.PACK), state.phase),
    )
    deals = (pack > 0) & look_up(DRAWS_HAND, pack)
    return set_todo(
        Work(state, todo),
        bosses=0,
        blind_tags=False,
        open_pack=jnp.where(pack > 0, pack, todo.open_pack),
        pack_by_tag=todo.pack_by_tag | (pack > 0),
        deal=jnp.where(deals, DEAL_MORE, todo.deal),
    )
