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
    new_item,
    new_joker,
    pick_item,
    seal_of,
)
from jaxtro.env.generation.rules import RunRules
from jaxtro.env.generation.situation import Situation, add_existing
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
_TAROT, _PLANET, _SPECTRAL_CARD, _OMEN = range(4)
_SOUL_STREAM = np.array([STREAM_ID[f"soul_{k}{{a}}"] for k in ("Tarot", "Planet", "Spectral", "Spectral")])
_PICK_STREAM = np.array(
    [
        consumable_stream("Tarot", "arcana_pack"),
        consumable_stream("Planet", "celestial_pack"),
        consumable_stream("Spectral", "spectral_pack"),
        consumable_stream("Spectral", "omen_globe"),
    ]
)
_PICK_POOL = np.array([POOL_ID[k] for k in ("Tarot", "Planet", "Spectral", "Spectral")])


def pack_kind(pack: Array) -> Array:
    """Index into `PACK_KINDS` of a pack id."""
    return jnp.asarray(_PACK_KIND)[pack]


def pack_cards(pack: Array) -> Array:
    """Number of cards that a pack shows."""
    return jnp.asarray(_PACK_CARDS)[pack]


def telescope_planet(situation: Situation) -> Array:
    """The planet that Telescope puts first: of the most played hand, the better one of a tie; 0 = none."""
    played = situation.hands_played
    planet = jnp.asarray(_HAND_PLANET)[jnp.argmax(played)]  # hands are in order of strength
    return jnp.where(situation.has("v_telescope") & (jnp.max(played) > 0), planet, 0)


def _consumable_card(
    streams: rng.Streams,
    rules: RunRules,
    situation: Situation,
    ante: Array,
    kind: Array,
    first: Array,
    when: Array,
) -> tuple[Item, rng.Streams]:
    """One card of an Arcana, Celestial or Spectral pack."""
    globe = when & (kind == ARCANA) & situation.has("v_omen_globe")
    u, streams = rng.uniform(streams, "omen_globe", ante, globe, rare=True)
    omen = globe & (u > 0.8)
    row = jnp.where(kind == CELESTIAL, _PLANET, jnp.where(kind == SPECTRAL, _SPECTRAL_CARD, _TAROT))
    row = jnp.where(omen, _OMEN, row)
    spectral = row >= _SPECTRAL_CARD

    forced = jnp.where((kind == CELESTIAL) & first, telescope_planet(situation), 0)
    # Soul checks: Tarot -> The Soul, Planet -> Black Hole, Spectral -> both, one after the other on the same
    # stream, the second one wins. No check for a card that exists, or when the challenge bans The Soul (K).
    check = when & (forced == 0) & ~rules.soul_banned
    may_soul = (situation.exists[_SOUL] == 0) | situation.showman
    may_hole = (situation.exists[_BLACK_HOLE] == 0) | situation.showman
    stream = jnp.asarray(_SOUL_STREAM)[row]
    u, streams = rng.uniform(streams, stream, ante, check & may_soul & (row != _PLANET), rare=True)
    soul = check & may_soul & (row != _PLANET) & (u > _SOUL_CHANCE)
    hole_check = check & may_hole & ((row == _PLANET) | spectral)
    u, streams = rng.uniform(streams, stream, ante, hole_check, rare=True)
    hole = hole_check & (u > _SOUL_CHANCE)
    forced = jnp.where(hole, _BLACK_HOLE, jnp.where(soul, _SOUL, forced))

    picked, streams = pick_item(
        streams,
        rules,
        situation,
        jnp.asarray(_PICK_STREAM)[row],
        jnp.asarray(_PICK_POOL)[row],
        ante,
        when & (forced == 0),
    )
    return new_item(jnp.where(forced > 0, forced, picked)), streams


def standard_card(streams: rng.Streams, ante: Array, when: Array | bool = True) -> tuple[Item, rng.Streams]:
    """One card of a Standard pack: enhancement, front, edition, seal."""
    when = jnp.asarray(when)
    u, streams = rng.uniform(streams, "stdset{a}", ante, when, rare=True)
    enhanced = when & (u > 0.6)
    u, streams = rng.uniform(streams, "Enhancedsta{a}", ante, enhanced, rare=True)
    enhancement = jnp.asarray(ENHANCED_POOL)[rng.to_index(u, jnp.float64(len(ENHANCED_POOL)))]
    u, streams = rng.uniform(streams, "frontsta{a}", ante, when, rare=True)
    front = rng.to_index(u, jnp.float64(len(FRONTS)))
    u, streams = rng.uniform(streams, "standard_edition{a}", ante, when, rare=True)
    edition = edition_of(u, 1.0, mod=2, negative=False)
    u, streams = rng.uniform(streams, "stdseal{a}", ante, when, rare=True)
    sealed = when & (u > 0.8)
    u, streams = rng.uniform(streams, "stdsealtype{a}", ante, sealed, rare=True)
    return new_item(
        front=front,
        enhancement=jnp.where(enhanced, enhancement, 0),
        edition=edition,
        seal=jnp.where(sealed, seal_of(u), 0),
    ), streams


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
        consumable, streams = _consumable_card(
            streams, rules, situation, ante, kind, place == 0, active & (kind != STANDARD) & (kind != BUFFOON)
        )
        joker, streams = new_joker(streams, rules, situation, ante, "buffoon_pack", active & (kind == BUFFOON))
        card, streams = standard_card(streams, ante, active & (kind == STANDARD))
        made = choose(kind == BUFFOON, joker, choose(kind == STANDARD, card, consumable))
        made = choose(active, made, new_item())
        return (streams, add_existing(situation, made.id)), made

    places = jnp.arange(MAX_PACK_CARDS, dtype=jnp.int32)
    (streams, situation), cards = lax.scan(one, (streams, situation), places)
    return cards, situation, streams
