"""New jokers, consumables and playing cards, wherever they come from (rng.md 4, 6, 7, 8, 9)."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env import rng
from jaxtro.env.calls import in_one_kernel
from jaxtro.env.generation.rules import RunRules
from jaxtro.env.generation.situation import Situation, open_items
from jaxtro.env.lookups import element, look_up
from jaxtro.env.reductions import any_of
from jaxtro.tables import EDITIONS, ITEMS, SEALS, VOUCHERS
from jaxtro.tables.pools import POOL_FALLBACK, POOL_ID, POOL_ITEMS, POOL_SIZE
from jaxtro.tables.streams import RETRY_SLOT, STREAM_ID


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Item:
    """One thing on offer or just made. All fields are scalars, or arrays of one common shape.

    Attributes:
      id: int32, `tables.ITEMS` id of a joker, consumable or voucher; 0 for a playing card or nothing.
      front: int32, index into `FRONTS` of a playing card, else -1.
      enhancement, edition, seal: int32, ids of the tables, 0 = none.
      eternal, perishable, rental: bool, stickers.
    """

    id: Array
    front: Array
    enhancement: Array
    edition: Array
    seal: Array
    eternal: Array
    perishable: Array
    rental: Array


def new_item(item_id: Array | int = 0, **fields: Array | int) -> Item:
    """An item with the given fields; the others as for nothing."""
    values = dict(id=item_id, front=-1, enhancement=0, edition=0, seal=0)
    values |= {name: value for name, value in fields.items() if name in values}
    stickers = {
        name: jnp.asarray(fields.get(name, False), bool) for name in ("eternal", "perishable", "rental")
    }
    return Item(**{name: jnp.asarray(value, jnp.int32) for name, value in values.items()}, **stickers)


def choose(condition: Array, yes: Item, no: Item) -> Item:
    """`yes` where the condition holds, else `no`."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)


_ITEM_POOL = np.full(len(ITEMS), -1, np.int8)
for _pool, _items in enumerate(POOL_ITEMS):
    _ITEM_POOL[_items[_items > 0]] = _pool


def pick_item(
    streams: rng.Streams,
    situation: Situation,
    key: str | int | Array,
    pool: Array | int,
    ante: Array,
    when: Array | bool = True,
) -> tuple[Array, rng.Streams]:
    """Picks an item from one of the pools of `tables.pools.POOL_NAMES`.

    `key` and `pool` may be traced, so that one pick serves all types of a shop slot or pack card.

    Returns:
      int32[]: the item id (the pool's fallback when everything in it is closed), and the streams.
    """
    stream = rng.stream_id(key)
    if not isinstance(stream, Array) and RETRY_SLOT[stream] < 0:
        raise ValueError(f"the stream {key!r} has no retries")
    stream, pool, ante = (jnp.asarray(value, jnp.int32) for value in (stream, pool, ante))
    return _pick_item(streams, open_items(situation), stream, pool, ante, jnp.asarray(when))


@in_one_kernel
def _pick_item(
    streams: rng.Streams, usable: Array, stream: Array, pool: Array, ante: Array, when: Array
) -> tuple[Array, rng.Streams]:
    def item_of(slot: Array) -> Array:
        return element(POOL_ITEMS.reshape(-1), pool * POOL_ITEMS.shape[1] + jnp.maximum(slot, 0))

    some_open = any_of(usable & (jnp.asarray(_ITEM_POOL) == pool))
    slot, streams = rng.pool_pick(
        streams,
        stream,
        ante,
        lambda slot: element(usable, item_of(slot)),
        some_open,
        look_up(POOL_SIZE, pool),
        when,
    )
    return jnp.where(slot >= 0, item_of(slot), look_up(POOL_FALLBACK, pool)).astype(jnp.int32), streams


# --- editions (rng.md 6.1) ---------------------------------------------------------------------------

_FOIL, _HOLO, _POLYCHROME, _NEGATIVE = (
    EDITIONS.keys.index(key) for key in ("e_foil", "e_holo", "e_polychrome", "e_negative")
)
_RARITY_LEGENDARY = 4


def voucher_extra(key: str) -> float:
    """The number of a voucher's effect."""
    return float(VOUCHERS.row(VOUCHERS.keys.index(key))["extra"])


def edition_rate(situation: Situation) -> Array:
    """How much likelier editions are: 1, Hone 2, Glow Up 4. -> float64[]"""
    rate = jnp.where(situation.has("v_hone"), voucher_extra("v_hone"), 1.0)
    return jnp.where(situation.has("v_glow_up"), voucher_extra("v_glow_up"), rate)


def edition_of(u: Array, rate: Array | float, mod: int = 1, negative: bool = True) -> Array:
    """The edition that a float decides. rate: float64[] (a power of two); -> int32[]"""
    # The factors are powers of two, so these products are exact and cannot be changed by fusing.
    edition = jnp.where(u > 1 - 0.04 * rate * mod, _FOIL, 0)
    edition = jnp.where(u > 1 - 0.02 * rate * mod, _HOLO, edition)
    edition = jnp.where(u > 1 - 0.006 * rate * mod, _POLYCHROME, edition)
    if negative:
        edition = jnp.where(u > 1 - 0.003 * mod, _NEGATIVE, edition)
    return edition.astype(jnp.int32)


def guaranteed_edition(u: Array) -> Array:
    """The edition of The Wheel of Fortune, Aura and Illusion cards: never none, never negative."""
    return jnp.where(u > 0.85, _POLYCHROME, jnp.where(u > 0.5, _HOLO, _FOIL)).astype(jnp.int32)


# --- jokers --------------------------------------------------------------------------------------------

ETERNAL_OK = np.array([False] + [bool(row.get("eternal_ok")) for row in ITEMS.rows])
_PERISHABLE_OK = np.array([False] + [bool(row.get("perishable_ok")) for row in ITEMS.rows])


@dataclass(frozen=True)
class JokerSource:
    """Where a joker comes from: the suffix of its streams, its rarity (None = drawn), its sticker polls."""

    suffix: str
    rarity: int | None = None
    stickers: tuple[str, str] | None = None


_SHOP_STICKERS, _PACK_STICKERS = ("etperpoll{a}", "ssjr{a}"), ("packetper{a}", "packssjr{a}")
JOKER_SOURCES = {
    "shop": JokerSource("sho", None, _SHOP_STICKERS),
    "buffoon_pack": JokerSource("buf", None, _PACK_STICKERS),
    "judgement": JokerSource("jud"),
    "soul": JokerSource("sou", 4),
    "wraith": JokerSource("wra", 3),
    "riff_raff": JokerSource("rif", 1),
    "top_up_tag": JokerSource("top", 1),
    # Made in the shop, so both take the sticker polls (rules/README.md, settled, K).
    "uncommon_tag": JokerSource("uta", 2, _SHOP_STICKERS),
    "rare_tag": JokerSource("rta", 3, _SHOP_STICKERS),
}


def joker_streams(source: str) -> np.ndarray:
    """Pool stream row of each rarity 0..4; rarities that the source cannot give repeat one that it can."""
    suffix = JOKER_SOURCES[source].suffix
    rows = [STREAM_ID.get(f"Joker{rarity}{suffix}{{a}}", -1) for rarity in range(4)] + [STREAM_ID["Joker4"]]
    default = max(rows[:4]) if max(rows[:4]) >= 0 else rows[4]
    return np.array([row if row >= 0 else default for row in rows], np.int32)


def joker_lanes(source: str) -> tuple[str, str, str, str]:
    """The streams beside the pick: rarity, eternal/perishable poll, rental poll, edition.

    A source without a rarity draw or sticker polls names any other stream there; it is never stepped.
    """
    origin = JOKER_SOURCES[source]
    poll, rental = origin.stickers or _SHOP_STICKERS
    rarity = f"rarity{{a}}{origin.suffix}" if _draws_rarity(origin) else "rarity{a}sho"
    return rarity, poll, rental, f"edi{origin.suffix}{{a}}"


def joker_lanes_used(source: str, rules: RunRules, when: Array | bool) -> tuple[Array, Array, Array, Array]:
    """Which of `joker_lanes` are drawn: the rental poll only where rentals are on (Gold Stake, R)."""
    origin, when = JOKER_SOURCES[source], jnp.asarray(when)
    polls = origin.stickers is not None
    return when & _draws_rarity(origin), when & polls, when & polls & rules.rentals, when


def _draws_rarity(origin: JokerSource) -> bool:
    # The Soul draws a rarity, too, and takes no notice of it.
    return origin.rarity is None or origin.rarity == _RARITY_LEGENDARY


def joker_rarity(source: str, u: Array) -> Array:
    """The rarity 1..4 of a joker of this source, from the float of its rarity stream. -> int32[]"""
    origin = JOKER_SOURCES[source]
    if origin.rarity is not None:
        return jnp.int32(origin.rarity)
    return jnp.where(u > 0.95, 3, jnp.where(u > 0.7, 2, 1))


def finish_joker(source: str, rules: RunRules, situation: Situation, joker: Array, u: Array) -> Item:
    """Stickers and edition of a picked joker. u: float64[4], floats of `joker_lanes`."""
    polls = JOKER_SOURCES[source].stickers is not None
    eternal = polls & rules.eternals & (u[1] > 0.7) & look_up(ETERNAL_OK, joker)
    perishable = polls & rules.perishables & (u[1] > 0.4) & (u[1] <= 0.7) & look_up(_PERISHABLE_OK, joker)
    eternal = eternal | rules.all_eternal
    return new_item(
        joker,
        edition=edition_of(u[3], edition_rate(situation)),
        eternal=eternal,
        perishable=perishable & ~eternal,
        rental=polls & rules.rentals & (u[2] > 0.7),
    )


def new_joker(
    streams: rng.Streams,
    rules: RunRules,
    situation: Situation,
    ante: Array,
    source: str,
    when: Array | bool = True,
) -> tuple[Item, rng.Streams]:
    """Makes a joker: rarity, pick, stickers, edition, each from the streams of its source.

    Args:
      source: a key of `JOKER_SOURCES`.
      when: bool[]; where False nothing is drawn and the item means nothing.

    Returns:
      The joker and the streams. The caller adds it to the situation.
    """
    peeked = rng.peek(streams, joker_lanes(source), ante)
    streams = rng.commit(streams, peeked, joker_lanes_used(source, rules, when))
    rarity = joker_rarity(source, peeked.u[0])
    stream = look_up(joker_streams(source), rarity)
    joker, streams = pick_item(streams, situation, stream, rarity + POOL_ID["Joker1"] - 1, ante, when)
    return finish_joker(source, rules, situation, joker, peeked.u), streams


def rare_tag_joker(
    streams: rng.Streams, rules: RunRules, situation: Situation, ante: Array, owned: Array
) -> tuple[Item, Array, rng.Streams]:
    """The free joker of a Rare Tag; owned: bool[235], jokers in the player's joker area.

    Returns:
      The joker, whether one was made (not when every rare joker is owned: the tag is spent), the streams.
    """
    rare = jnp.asarray(POOL_ID["Joker3"] == _ITEM_POOL)
    possible = jnp.any(rare & ~owned)
    joker, streams = new_joker(streams, rules, situation, ante, "rare_tag", possible)
    return choose(possible, joker, new_item()), possible, streams


# --- consumables -----------------------------------------------------------------------------------------

# Suffix of the pool stream by what makes the card.
CONSUMABLE_SOURCES = {
    "Tarot": dict(
        shop="sho", arcana_pack="ar1", emperor="emp", cartomancer="car", vagabond="vag", superposition="sup",
        eight_ball="8ba", purple_seal="8ba", hallucination="hal",
    ),
    "Planet": dict(shop="sho", celestial_pack="pl1", high_priestess="pri"),
    "Spectral": dict(shop="sho", spectral_pack="spe", omen_globe="ar2", seance="sea", sixth_sense="sixth"),
}  # fmt: skip


def consumable_stream(kind: str, source: str) -> int:
    """Row of the stream table for a kind ("Tarot", "Planet", "Spectral") and a source."""
    return STREAM_ID[f"{kind}{CONSUMABLE_SOURCES[kind][source]}{{a}}"]


def new_consumable(
    streams: rng.Streams,
    situation: Situation,
    ante: Array,
    kind: str,
    source: str,
    when: Array | bool = True,
) -> tuple[Item, rng.Streams]:
    """Makes a consumable outside shop and packs (no soul check): Emperor, Cartomancer, Purple Seal, ...

    Args:
      kind: "Tarot", "Planet" or "Spectral".
      source: a key of `CONSUMABLE_SOURCES[kind]`.
      when: bool[]; False when no slot is free: nothing is drawn then.
    """
    stream = consumable_stream(kind, source)
    made, streams = pick_item(streams, situation, stream, POOL_ID[kind], ante, when)
    return new_item(made), streams


# --- playing cards -----------------------------------------------------------------------------------------

_GOLD, _RED, _BLUE, _PURPLE = (SEALS.keys.index(key) for key in ("Gold", "Red", "Blue", "Purple"))


def seal_of(u: Array) -> Array:
    """The seal that a float decides, four equal quarters (stdsealtype, certsl). -> int32[]"""
    return jnp.where(u > 0.75, _RED, jnp.where(u > 0.5, _BLUE, jnp.where(u > 0.25, _GOLD, _PURPLE)))
