"""Shop slots and the packs on offer (rng.md 6.2, 6.3)."""

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env import rng
from jaxtro.env.generation.items import (
    Item,
    choose,
    consumable_stream,
    edition_of,
    edition_rate,
    guaranteed_edition,
    new_item,
    pick_item,
)
from jaxtro.env.generation.items import new_joker as _new_joker
from jaxtro.env.generation.rules import RunRules
from jaxtro.env.generation.situation import Situation, add_existing
from jaxtro.tables import PACKS
from jaxtro.tables.pools import ENHANCED_POOL, FRONTS, POOL_ID

JOKER, TAROT, PLANET, PLAYING_CARD, SPECTRAL = range(5)  # types of a slot, in the order of the walk


def slot_rates(rules: RunRules, situation: Situation) -> Array:
    """Weights of the types Joker, Tarot, Planet, playing card, Spectral. -> float64[5]"""
    has = situation.has
    tarot = jnp.where(has("v_tarot_tycoon"), 32.0, jnp.where(has("v_tarot_merchant"), 9.6, 4.0))
    planet = jnp.where(has("v_planet_tycoon"), 32.0, jnp.where(has("v_planet_merchant"), 9.6, 4.0))
    playing = jnp.where(has("v_magic_trick") | has("v_illusion"), 4.0, 0.0)
    return jnp.stack([rules.joker_rate, tarot, planet, playing, rules.spectral_rate])


def shop_size(situation: Situation) -> Array:
    """Number of card slots: 2, one more with Overstock, another with Overstock Plus. -> int32[]"""
    extra = situation.has("v_overstock_norm").astype(jnp.int32) + situation.has("v_overstock_plus")
    return 2 + extra


def _walk(q: Array, rates: Array) -> Array:
    """The type whose interval (low, low + rate] holds q; sums are made one by one, as the game does."""
    chosen, low = jnp.int32(JOKER), jnp.float64(0)
    for number in range(5):
        high = low + rates[number]
        chosen = jnp.where((low < q) & (q <= high), number, chosen)
        low = high
    return chosen


def shop_slot(
    streams: rng.Streams, rules: RunRules, situation: Situation, ante: Array, when: Array | bool = True
) -> tuple[Item, Situation, rng.Streams]:
    """Fills one shop slot that no tag fills: type, card, stickers, edition.

    Args:
      when: bool[]; where False nothing is drawn and the item is empty.

    Returns:
      The item, the situation with it on display, the streams.
    """
    when = jnp.asarray(when)
    rates = slot_rates(rules, situation)
    total = ((((rates[0] + rates[1]) + rates[2]) + rates[3]) + rates[4]).astype(jnp.float64)
    u, streams = rng.uniform(streams, "cdt{a}", ante, when)
    kind = _walk(u * total, rates)

    # Illusion draws at every slot, whatever its type; the whole paragraph is marked U in rng.md 6.2.
    illusion = situation.has("v_illusion")
    u, streams = rng.uniform(streams, "illusion", ante, when & illusion, rare=True)
    enhanced = illusion & (u > 0.6)

    joker, streams = _new_joker(streams, rules, situation, ante, "shop", when & (kind == JOKER))
    is_consumable = (kind == TAROT) | (kind == PLANET) | (kind == SPECTRAL)
    names = ("Tarot", "Tarot", "Planet", "Tarot", "Spectral")  # by type; unused rows hold any
    stream = jnp.asarray([consumable_stream(name, "shop") for name in names], jnp.int32)[kind]
    pool = jnp.asarray([POOL_ID[name] for name in names], jnp.int32)[kind]
    consumable, streams = pick_item(streams, rules, situation, stream, pool, ante, when & is_consumable)
    card, streams = _shop_card(streams, ante, enhanced, illusion, when & (kind == PLAYING_CARD))

    item = choose(kind == JOKER, joker, choose(kind == PLAYING_CARD, card, new_item(consumable)))
    item = choose(when, item, new_item())
    return item, add_existing(situation, item.id), streams


def _shop_card(
    streams: rng.Streams, ante: Array, enhanced: Array, illusion: Array, when: Array
) -> tuple[Item, rng.Streams]:
    """A playing card in the shop (Magic Trick, Illusion)."""
    u, streams = rng.uniform(streams, "frontsho{a}", ante, when, rare=True)
    front = rng.to_index(u, jnp.float64(len(FRONTS)))
    u, streams = rng.uniform(streams, "Enhancedsho{a}", ante, when & enhanced, rare=True)
    enhancement = jnp.asarray(ENHANCED_POOL)[rng.to_index(u, jnp.float64(len(ENHANCED_POOL)))]
    u, streams = rng.uniform(streams, "illusion", ante, when & illusion, rare=True)
    has_edition = illusion & (u > 0.8)
    u, streams = rng.uniform(streams, "illusion", ante, when & has_edition, rare=True)
    edition = jnp.where(has_edition, guaranteed_edition(u), 0)
    return new_item(front=front, enhancement=jnp.where(enhanced, enhancement, 0), edition=edition), streams


_PACK_WEIGHTS = np.array([row["weight"] for row in PACKS.rows])
FIRST_PACK = PACKS.keys.index("p_buffoon_normal_1")


def next_pack(
    streams: rng.Streams, rules: RunRules, ante: Array, first_of_run: Array | bool = False
) -> tuple[Array, rng.Streams]:
    """One of the two packs of a shop visit.

    Args:
      first_of_run: bool[], True for the first pack of the first shop of the run, which is a normal Buffoon
        pack and draws nothing, unless that pack is banned.

    Returns:
      int32[]: the pack id, with the art variant of the walk (variant 1 for the first pack).
    """
    given = jnp.asarray(first_of_run) & ~rules.banned_packs[FIRST_PACK]
    u, streams = rng.uniform(streams, "shop_pack{a}", ante, ~given)
    weights = [jnp.where(rules.banned_packs[n + 1], 0.0, w) for n, w in enumerate(_PACK_WEIGHTS)]
    total = jnp.float64(0)
    for weight in weights:  # in list order, one by one: the sum in binary64 depends on it
        total = total + weight
    poll = u * total
    chosen, it = jnp.int32(0), jnp.float64(0)
    for number, weight in enumerate(weights, start=1):
        it = it + weight
        hit = (it >= poll) & (it - weight <= poll) & ~rules.banned_packs[number]
        chosen = jnp.where((chosen == 0) & hit, number, chosen)
    return jnp.where(given, FIRST_PACK, chosen).astype(jnp.int32), streams


__all__ = [
    "FIRST_PACK", "JOKER", "PLANET", "PLAYING_CARD", "SPECTRAL", "TAROT", "edition_of", "edition_rate",
    "next_pack", "shop_size", "shop_slot", "slot_rates",
]  # fmt: skip
