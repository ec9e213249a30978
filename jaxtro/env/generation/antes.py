"""What a new ante brings: boss, voucher, tags, orbital hands; and the targets of each round (rng.md 4, 5)."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxtro.env import rng
from jaxtro.env.calls import in_one_kernel
from jaxtro.env.generation.items import pick_item
from jaxtro.env.generation.rules import RunRules
from jaxtro.env.generation.situation import Situation
from jaxtro.env.lookups import element, look_up
from jaxtro.env.reductions import any_of
from jaxtro.env.writes import add_at
from jaxtro.tables import BLINDS, ENHANCEMENTS, HANDS, TAGS
from jaxtro.tables.pools import (
    ANCIENT_SUITS,
    HAND_SECRET,
    HAND_WALK,
    POOL_ID,
    TAG_FALLBACK,
    TAG_POOL,
)

_BOSS_MIN_ANTE = np.array([0] + [row["min_ante"] or 0 for row in BLINDS.rows], np.int32)
_BOSS_SHOWDOWN = np.array([False] + [row["type"] == "showdown" for row in BLINDS.rows])
_TAG_MIN_ANTE = np.array([TAGS.row(tag)["min_ante"] for tag in TAG_POOL], np.int32)
_STONE = ENHANCEMENTS.keys.index("m_stone")
_TARGET_STREAMS = ("idol{a}", "mail{a}", "cas{a}", "anc{a}")


def next_boss(
    streams: rng.Streams, rules: RunRules, used: Array, ante: Array
) -> tuple[Array, Array, rng.Streams]:
    """Draws a boss: at run start, for each new ante, and for each boss reroll (rng.md 5.3).

    Args:
      streams: the run's streams.
      rules: the run's rules.
      used: int32[31], how often each blind was drawn in this run.
      ante: int32[].

    Returns:
      int32[]: the blind id; the raised counts; the streams.
    """
    showdown_ante = (ante >= 2) & (ante % rules.win_ante == 0)
    pool = rules.boss_order.astype(jnp.int32)
    due = look_up(_BOSS_MIN_ANTE, pool) <= jnp.maximum(1, ante)
    showdown = look_up(_BOSS_SHOWDOWN, pool)
    eligible = jnp.where(showdown_ante, showdown, ~showdown & due) & ~rules.banned_blinds[pool]
    counts = used[pool]
    least = jnp.min(jnp.where(eligible, counts, jnp.iinfo(jnp.int32).max))
    place, streams = rng.pick_where(streams, "boss", ante, eligible & (counts == least))
    boss = pool[place]
    return boss, add_at(used, boss, 1), streams


def next_voucher(streams: rng.Streams, situation: Situation, ante: Array) -> tuple[Array, rng.Streams]:
    """The voucher of an ante, drawn at run start and when a boss is beaten. -> int32[] item id"""
    return pick_item(streams, situation, "Voucher{a}", POOL_ID["Voucher"], ante)


def voucher_tag_voucher(streams: rng.Streams, situation: Situation, ante: Array) -> tuple[Array, rng.Streams]:
    """The extra voucher of a Voucher Tag; what the shop shows must count as existing. -> int32[] item id"""
    return pick_item(streams, situation, "Voucher_fromtag", POOL_ID["Voucher"], ante)


def next_tag(streams: rng.Streams, rules: RunRules, ante: Array) -> tuple[Array, rng.Streams]:
    """One skip tag; `next_tags` draws both of an ante. -> int32[] tag id"""
    return _next_tag(streams, rules.closed_tags, jnp.asarray(ante))


@in_one_kernel
def _next_tag(streams: rng.Streams, closed_tags: Array, ante: Array) -> tuple[Array, rng.Streams]:
    pool = jnp.asarray(TAG_POOL)
    # Only nine tags have a minimum (ante 2); antes below 1 count as 1, as for bosses (rng.md 3.9, 5.3).
    open_slots = (jnp.asarray(_TAG_MIN_ANTE) <= jnp.maximum(ante, 1)) & ~closed_tags[TAG_POOL]
    slot, streams = rng.pool_pick(
        streams, "Tag{a}", ante, lambda slot: element(open_slots, slot), jnp.any(open_slots), len(TAG_POOL)
    )
    return jnp.where(slot >= 0, element(pool, jnp.maximum(slot, 0)), TAG_FALLBACK).astype(jnp.int32), streams


def next_tags(streams: rng.Streams, rules: RunRules, ante: Array) -> tuple[Array, rng.Streams]:
    """The skip tags of an ante, Small Blind first. -> int32[2] tag ids"""

    def one(streams: rng.Streams, _: None) -> tuple[rng.Streams, Array]:
        tag, streams = next_tag(streams, rules, ante)
        return streams, tag

    # A loop, so that it is compiled once.
    streams, tags = lax.scan(one, streams, None, length=2)
    return tags, streams


def visible_hands(hands_played: Array) -> Array:
    """The hands that the game lists: secret ones only after they were played. int32[12] -> bool[12]"""
    return ~jnp.asarray(HAND_SECRET) | (hands_played > 0)


def pick_hand(
    streams: rng.Streams,
    key: str,
    ante: Array,
    listed: Array,
    when: Array | bool = True,
    order: Array | None = None,
) -> tuple[Array, rng.Streams]:
    """Picks one of the listed hands in the game's walking order (streams `orbital`, `to_do`).

    listed: bool[12] by hand id. order: int8[12], another walking order. Returns int32[] hand id.
    """
    walk = jnp.asarray(HAND_WALK if order is None else order).astype(jnp.int32)
    place, streams = rng.pick_where(streams, key, ante, element(listed, walk), when)
    return element(walk, place), streams


def orbital_hands(streams: rng.Streams, hands_played: Array, ante: Array) -> tuple[Array, rng.Streams]:
    """The Orbital Tag hands of Small, Big and Boss, drawn when an ante is first shown. -> int32[3]"""
    walk = jnp.asarray(HAND_WALK).astype(jnp.int32)
    listed = visible_hands(hands_played)[walk]
    u, states = rng.peek_successive(streams, "orbital", ante, 3)
    streams = rng.use_successive(streams, "orbital", ante, states, jnp.int32(3))
    return walk[jnp.stack([rng.nth_member(listed, u[number]) for number in range(3)])], streams


def to_do_hand(
    streams: rng.Streams,
    hands_played: Array,
    ante: Array,
    current: Array,
    when: Array | bool = True,
    order: Array | None = None,
) -> tuple[Array, rng.Streams]:
    """The hand of a To Do List. current: int32[], the hand it leaves out, -1 for a new card."""
    listed = visible_hands(hands_played) & (jnp.arange(len(HANDS)) != current)
    return pick_hand(streams, "to_do", ante, listed, when, order)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class RoundTargets:
    """Cards that jokers ask for in a round: places in the full deck in creation order, and a suit.

    Attributes:
      idol, mail, castle: int32[], index of the target's card; its rank and/or suit counts.
      ancient: int32[], suit, index into `tables.pools.SUITS`.
    """

    idol: Array
    mail: Array
    castle: Array
    ancient: Array


def round_targets(
    streams: rng.Streams, ante: Array, enhancement: Array, present: Array, ancient: Array
) -> tuple[RoundTargets, rng.Streams]:
    """Draws the targets of a round, at run start and at the end of every round.

    Args:
      streams: the run's streams.
      ante: int32[], already raised after a boss.
      enhancement: int8[N], of the full deck in creation order; stone cards are no targets.
      present: bool[N], which of the N are cards.
      ancient: int32[], the suit so far, -1 at run start.

    Returns:
      The targets; a place is N where no card can be a target (the caller keeps its default then).
    """
    member = present & (enhancement != _STONE)
    peeked = rng.peek(streams, _TARGET_STREAMS, ante)
    some = any_of(member)
    streams = rng.commit(streams, peeked, (some, some, some, True))
    idol, mail, castle = (rng.nth_member(member, peeked.u[number]) for number in range(3))
    suits = jnp.asarray(ANCIENT_SUITS)
    at = rng.nth_member(suits != ancient, peeked.u[3])
    return RoundTargets(idol, mail, castle, suits[at].astype(jnp.int32)), streams
