"""Shop slots and the packs on offer (rng.md 6.2, 6.3)."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env import rng
from jaxtro.env.generation.items import (
    Item,
    choose,
    consumable_stream,
    finish_joker,
    guaranteed_edition,
    joker_lanes,
    joker_lanes_used,
    joker_rarity,
    joker_streams,
    new_item,
    pick_item,
    voucher_extra,
)
from jaxtro.env.generation.rules import BANNED_PACKS, RunRules
from jaxtro.env.generation.situation import Situation, add_existing
from jaxtro.env.lookups import look_up
from jaxtro.tables import PACKS
from jaxtro.tables.pools import ENHANCED_POOL, FRONTS, POOL_ID
from jaxtro.tables.streams import STREAM_ID

JOKER, TAROT, PLANET, PLAYING_CARD, SPECTRAL = range(5)  # types of a slot, in the order of the walk


_BASE_RATE = 4.0  # of tarots and planets, before vouchers (rng.md 6.2)
_SOURCES = ("shop", "uncommon_tag", "rare_tag")
_LANES = np.array(
    [
        [STREAM_ID[key] for key in ("cdt{a}", *joker_lanes(source), "frontsho{a}", "Enhancedsho{a}")]
        for source in _SOURCES
    ],
    np.int32,
)
_JOKER_STREAMS = np.stack([joker_streams(source) for source in _SOURCES])
_TAG_RARITY = np.array([0, 2, 3], np.int32)
_KINDS = ("Tarot", "Tarot", "Planet", "Tarot", "Spectral")  # by type; jokers and cards do not use theirs
_STREAM = np.array([consumable_stream(kind, "shop") for kind in _KINDS], np.int32)
_POOL = np.array([POOL_ID[kind] for kind in _KINDS], np.int32)


def slot_rates(rules: RunRules, situation: Situation) -> Array:
    """Weights of the types Joker, Tarot, Planet, playing card, Spectral. -> float64[5]"""
    has = situation.has

    def rate(merchant: str, tycoon: str) -> Array:
        """The vouchers multiply the base rate; exact, as it is a power of two."""
        first = jnp.where(has(merchant), _BASE_RATE * voucher_extra(merchant), _BASE_RATE)
        return jnp.where(has(tycoon), _BASE_RATE * voucher_extra(tycoon), first)

    tarot = rate("v_tarot_merchant", "v_tarot_tycoon")
    planet = rate("v_planet_merchant", "v_planet_tycoon")
    playing = jnp.where(has("v_magic_trick") | has("v_illusion"), voucher_extra("v_magic_trick"), 0.0)
    return jnp.stack([rules.joker_rate, tarot, planet, playing, rules.spectral_rate])


def shop_size(has: Callable[[str], Array]) -> Array:
    """Number of card slots: 2, one more with Overstock, another with Overstock Plus. -> int32[]

    has: tells whether a voucher is redeemed.
    """
    return 2 + has("v_overstock_norm").astype(jnp.int32) + has("v_overstock_plus")


def _walk(q: Array, rates: Array) -> Array:
    """The type whose interval (low, low + rate] holds q; sums are made one by one, as the game does."""
    chosen, low = jnp.int32(JOKER), jnp.float64(0)
    for number in range(5):
        high = low + rates[number]
        chosen = jnp.where((low < q) & (q <= high), number, chosen)
        low = high
    return chosen


def shop_slot(
    streams: rng.Streams,
    rules: RunRules,
    situation: Situation,
    ante: Array,
    when: Array | bool = True,
    tag: Array | int = 0,
) -> tuple[Item, Situation, rng.Streams]:
    """Fills one shop slot: type, card, stickers, edition.

    Args:
      when: bool[]; where False nothing is drawn and the item is empty.
      tag: int32[], 0 = the slot is rolled; 1 Uncommon Tag, 2 Rare Tag: a joker without a type or rarity roll.

    Returns:
      The item, the situation with it on display, the streams.
    """
    when, tag = jnp.asarray(when), jnp.asarray(tag, jnp.int32)
    rates = slot_rates(rules, situation)
    total = (((rates[0] + rates[1]) + rates[2]) + rates[3]) + rates[4]
    peeked = rng.peek(streams, jnp.asarray(_LANES)[tag], ante)
    u = peeked.u
    rolled = tag == 0
    kind = jnp.where(rolled, _walk(u[0] * total, rates), JOKER)
    is_joker, is_card = when & (kind == JOKER), when & (kind == PLAYING_CARD)

    # Illusion draws at every slot that no tag fills, whatever its type, and for a playing card once or
    # twice more; the whole
    # paragraph is marked U in rng.md 6.2.
    illusion = when & rolled & situation.has("v_illusion")
    v, states = rng.peek_successive(streams, "illusion", ante, 3, illusion)
    enhanced = illusion & (v[0] > 0.6)
    card_edition = illusion & (v[1] > 0.8)
    times = jnp.where(is_card, jnp.where(card_edition, 3, 2), 1)
    streams = rng.use_successive(streams, "illusion", ante, states, jnp.where(illusion, times, 0))

    joker_used = joker_lanes_used("shop", rules, is_joker)
    used = (when & rolled, joker_used[0] & rolled, *joker_used[1:], is_card, is_card & enhanced)
    streams = rng.commit(streams, peeked, used)

    # One pick serves every type: only the stream and the pool differ.
    rarity = jnp.where(rolled, joker_rarity("shop", u[1]), look_up(_TAG_RARITY, tag))
    joker_stream = jnp.asarray(_JOKER_STREAMS)[tag, rarity]
    stream = jnp.where(kind == JOKER, joker_stream, look_up(_STREAM, kind))
    pool = jnp.where(kind == JOKER, rarity + POOL_ID["Joker1"] - 1, look_up(_POOL, kind))
    picked, streams = pick_item(streams, situation, stream, pool, ante, when & ~is_card)

    enhancement = look_up(ENHANCED_POOL, rng.to_index(u[6], jnp.float64(len(ENHANCED_POOL))))
    card = new_item(
        front=rng.to_index(u[5], jnp.float64(len(FRONTS))),
        enhancement=jnp.where(enhanced, enhancement, 0),
        edition=jnp.where(card_edition, guaranteed_edition(v[2]), 0),
    )
    joker = finish_joker("shop", rules, situation, picked, u[1:5])
    item = choose(is_joker, joker, choose(is_card, card, new_item(picked)))
    item = choose(when, item, new_item())
    return item, add_existing(situation, item.id), streams


_PACK_WEIGHTS = np.array([row["weight"] for row in PACKS.rows])
FIRST_PACK = PACKS.keys.index("p_buffoon_normal_1")


def _sums_of_weights() -> np.ndarray:
    """float64[1 + challenges, 32]: the weights of the packs that are not banned, added up one by one in list order.

    The sums in binary64 depend on the order.
    """
    allowed = np.where(BANNED_PACKS[:, 1:], 0.0, _PACK_WEIGHTS)
    sums = np.zeros_like(allowed)
    total = np.zeros(len(allowed))
    for number in range(allowed.shape[1]):
        total = total + allowed[:, number]
        sums[:, number] = total
    return sums


_PACK_SUMS = _sums_of_weights()


def next_pack(
    streams: rng.Streams,
    rules: RunRules,
    ante: Array,
    first_of_run: Array | bool = False,
    when: Array | bool = True,
) -> tuple[Array, rng.Streams]:
    """One of the two packs of a shop visit.

    Args:
      first_of_run: bool[], True for the first pack of the first shop of the run, which is a normal Buffoon
        pack and draws nothing, unless that pack is banned.
      when: bool[]; where False nothing is drawn and the pack is 0.

    Returns:
      int32[]: the pack id, with the art variant of the walk (variant 1 for the first pack).
    """
    given = jnp.asarray(first_of_run) & ~rules.banned_packs[FIRST_PACK]
    u, streams = rng.uniform(streams, "shop_pack{a}", ante, jnp.asarray(when) & ~given)
    banned = rules.banned_packs[1:]
    weights = jnp.where(banned, 0.0, jnp.asarray(_PACK_WEIGHTS))
    its = jnp.asarray(_PACK_SUMS)[rules.challenge]
    total = its[-1]
    poll = u * total
    hit = (its >= poll) & (its - weights <= poll) & ~banned
    chosen = jnp.where(jnp.any(hit), 1 + jnp.argmax(hit), 0)
    pack = jnp.where(given, FIRST_PACK, chosen).astype(jnp.int32)
    return jnp.where(when, pack, 0), streams
