"""The cards of an opened pack, all five kinds (rng.md 6.4)."""

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxtro.env import rng
from jaxtro.env.generation.items import (
    Item,
    choose,
    consumable_stream,
    edition_of,
    edition_rate,
    finish_joker,
    joker_lanes,
    joker_lanes_used,
    joker_rarity,
    joker_streams,
    new_item,
    pick_item,
    seal_of,
)
from jaxtro.env.generation.rules import RunRules
from jaxtro.env.generation.situation import Situation, add_existing
from jaxtro.env.lookups import look_up
from jaxtro.tables import HANDS, PACKS, item
from jaxtro.tables.pools import ENHANCED_POOL, FRONTS, POOL_ID
from jaxtro.tables.streams import STREAM_ID

PACK_KINDS = ("Arcana", "Celestial", "Standard", "Buffoon", "Spectral")
ARCANA, CELESTIAL, STANDARD, BUFFOON, SPECTRAL = range(5)
MAX_PACK_CARDS = max(row["cards"] for row in PACKS.rows)

_PACK_KIND = np.array([0] + [PACK_KINDS.index(row["kind"]) for row in PACKS.rows], np.int32)
_PACK_CARDS = np.array([0] + [row["cards"] for row in PACKS.rows], np.int32)
_HAND_PLANET = np.array([item(row["planet"]) for row in HANDS.rows], np.int32)
_SOUL, _BLACK_HOLE = item("c_soul"), item("c_black_hole")
_SOUL_CHANCE = 0.997

# What a consumable of a pack is: rows of streams and pools by Tarot, Planet, Spectral, Omen Globe Spectral.
_TAROT, _PLANET, _SPECTRAL_CARD, _OMEN, _HALLUCINATED = range(5)
_SOUL_STREAM = np.array(
    [STREAM_ID[f"soul_{k}{{a}}"] for k in ("Tarot", "Planet", "Spectral", "Spectral", "Tarot")]
)
_PICK_STREAM = np.array(
    [
        consumable_stream("Tarot", "arcana_pack"),
        consumable_stream("Planet", "celestial_pack"),
        consumable_stream("Spectral", "spectral_pack"),
        consumable_stream("Spectral", "omen_globe"),
        consumable_stream("Tarot", "hallucination"),
    ]
)
_PICK_POOL = np.array([POOL_ID[k] for k in ("Tarot", "Planet", "Spectral", "Spectral", "Tarot")])


def pack_kind(pack: Array) -> Array:
    """Index into `PACK_KINDS` of a pack id."""
    return look_up(_PACK_KIND, pack)


def pack_cards(pack: Array) -> Array:
    """Number of cards that a pack shows."""
    return look_up(_PACK_CARDS, pack)


def telescope_planet(situation: Situation) -> Array:
    """The planet that Telescope puts first: of the most played hand, the better one of a tie; 0 = none."""
    played = situation.hands_played
    planet = look_up(_HAND_PLANET, jnp.argmax(played))  # hands are in order of strength
    return jnp.where(situation.has("v_telescope") & (jnp.max(played) > 0), planet, 0)


def _soul_checks(
    streams: rng.Streams, rules: RunRules, situation: Situation, ante: Array, row: Array, when: Array
) -> tuple[Array, rng.Streams]:
    """The Soul or Black Hole in place of a card: the item id, 0 for neither.

    Tarot -> The Soul, Planet -> Black Hole, Spectral -> both, one after the other on the same stream, and
    Black Hole wins. No check for a card that exists, and none when the challenge bans The Soul (K).
    """
    when = when & ~rules.soul_banned
    soul_check = when & (row != _PLANET) & (~situation.exists[_SOUL] | situation.showman)
    hole_check = when & (row != _TAROT) & (~situation.exists[_BLACK_HOLE] | situation.showman)
    stream = look_up(_SOUL_STREAM, row)
    u, states = rng.peek_successive(streams, stream, ante, 2, when)
    uses = soul_check.astype(jnp.int32) + hole_check
    streams = rng.use_successive(streams, stream, ante, states, uses)
    soul = soul_check & (u[0] > _SOUL_CHANCE)
    hole = hole_check & (jnp.where(soul_check, u[1], u[0]) > _SOUL_CHANCE)
    return jnp.where(hole, _BLACK_HOLE, jnp.where(soul, _SOUL, 0)), streams


# The streams beside the pick, by kind of pack; rows repeat a stream where a kind uses fewer than six.
_STANDARD_LANES = (
    "stdset{a}", "Enhancedsta{a}", "frontsta{a}", "standard_edition{a}", "stdseal{a}", "stdsealtype{a}",
)  # fmt: skip
_OMEN_LANES = ("omen_globe",) * 6
_BUFFOON_LANES = (*joker_lanes("buffoon_pack"), "stdset{a}", "stdset{a}")
_LANES = np.array(
    [
        [STREAM_ID[key] for key in lanes]
        for lanes in (_OMEN_LANES, _OMEN_LANES, _STANDARD_LANES, _BUFFOON_LANES, _OMEN_LANES)
    ],
    np.int32,
)


def _standard_card(u: Array, rate: Array) -> Item:
    """A card of a Standard pack. u: float64[6], floats of `_STANDARD_LANES`; rate: `edition_rate`."""
    enhancement = look_up(ENHANCED_POOL, rng.to_index(u[1], jnp.float64(len(ENHANCED_POOL))))
    return new_item(
        front=rng.to_index(u[2], jnp.float64(len(FRONTS))),
        enhancement=jnp.where(u[0] > 0.6, enhancement, 0),
        edition=edition_of(u[3], rate, mod=2, negative=False),
        seal=jnp.where(u[4] > 0.8, seal_of(u[5]), 0),
    )


def pack_card(
    streams: rng.Streams,
    rules: RunRules,
    situation: Situation,
    ante: Array,
    kind: Array,
    first: Array,
    when: Array,
    hallucinated: Array | bool = False,
) -> tuple[Item, rng.Streams]:
    """One card of a pack of any kind.

    Args:
      kind: int32[], index into `PACK_KINDS`. first: bool[], the first card of its pack (Telescope).
      when: bool[]; where False nothing is drawn and the item is empty.
      hallucinated: bool[], not a card of the pack but the Tarot of a Hallucination; kind must be ARCANA.
    """
    hallucinated = jnp.asarray(hallucinated)
    standard, buffoon = when & (kind == STANDARD), when & (kind == BUFFOON)
    consumable = when & ~standard & ~buffoon
    globe = consumable & (kind == ARCANA) & ~hallucinated & situation.has("v_omen_globe")
    peeked = rng.peek(streams, jnp.asarray(_LANES)[kind], ante)
    u = peeked.u
    poll = joker_lanes_used("buffoon_pack", rules, buffoon)
    used = (
        globe | poll[0] | standard,
        poll[1] | (standard & (u[0] > 0.6)),
        poll[2] | standard,
        poll[3] | standard,
        standard,
        standard & (u[4] > 0.8),
    )
    streams = rng.commit(streams, peeked, used)

    row = jnp.where(kind == CELESTIAL, _PLANET, jnp.where(kind == SPECTRAL, _SPECTRAL_CARD, _TAROT))
    row = jnp.where(globe & (u[0] > 0.8), _OMEN, row)
    row = jnp.where(hallucinated, _HALLUCINATED, row)
    forced = jnp.where((kind == CELESTIAL) & first, telescope_planet(situation), 0)
    special, streams = _soul_checks(
        streams, rules, situation, ante, row, consumable & ~hallucinated & (forced == 0)
    )
    forced = jnp.where(forced > 0, forced, special)

    # One pick serves every kind: only the stream and the pool differ.
    rarity = joker_rarity("buffoon_pack", u[0])
    joker_stream = look_up(joker_streams("buffoon_pack"), rarity)
    stream = jnp.where(buffoon, joker_stream, look_up(_PICK_STREAM, row))
    pool = jnp.where(buffoon, rarity + POOL_ID["Joker1"] - 1, look_up(_PICK_POOL, row))
    picks = buffoon | (consumable & (forced == 0))
    picked, streams = pick_item(streams, situation, stream, pool, ante, picks)

    joker = finish_joker("buffoon_pack", rules, situation, picked, u[:4])
    made = choose(
        standard, _standard_card(u, edition_rate(situation)), new_item(jnp.where(forced > 0, forced, picked))
    )
    return choose(when, choose(buffoon, joker, made), new_item()), streams


def open_pack(
    streams: rng.Streams,
    rules: RunRules,
    situation: Situation,
    ante: Array,
    pack: Array,
    when: Array | bool = True,
) -> tuple[Item, Situation, rng.Streams]:
    """Makes the cards of a pack, one after the other; they exclude each other while the pack is open.

    Args:
      pack: int32[], pack id.
      when: bool[]; where False nothing is drawn and the cards are empty.

    Returns:
      `Item` with arrays [5] (empty behind the pack's size), the situation with the cards, the streams.
    """
    kind, count = pack_kind(pack), pack_cards(pack)

    def one(carry: tuple[rng.Streams, Situation], place: Array) -> tuple[tuple[rng.Streams, Situation], Item]:
        streams, situation = carry
        active = jnp.asarray(when) & (place < count)
        made, streams = pack_card(streams, rules, situation, ante, kind, place == 0, active)
        return (streams, add_existing(situation, made.id)), made

    places = jnp.arange(MAX_PACK_CARDS, dtype=jnp.int32)
    (streams, situation), cards = lax.scan(one, (streams, situation), places)
    return cards, situation, streams
