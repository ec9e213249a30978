"""What a seed holds ante by ante, for a player who buys nothing; batched over seeds.

Two views of the shop:

- `shop`: what lies on the counter. Each ante has two shop visits; the first is rerolled `rerolls` times.
  Items on display are unavailable to later picks, and both packs of a visit are opened beside its last items.
- `queue`: the streams alone, as seed finders print them. Only the cards of one pack exclude each other.
"""

import functools
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.typing import ArrayLike

from jaxtro.env import generation as gen
from jaxtro.env import rng
from jaxtro.tables import BLINDS
from jaxtro.tables.streams import STREAM_KEYS

PARTS = ("boss", "voucher", "tags", "orbital", "shop", "packs", "contents", "deal")
VIEWS = ("shop", "queue")
FIRST_ANTE_PACKS = 4  # ante 1 has two shop visits, after the Small and the Big Blind
MAX_ANTE = 999
DEALT = 10  # cards of a deal that a report shows
BLINDS_PER_ANTE = 3
# Packs of an ante that the commands show: the schedule "shop" has two visits (see `Plan.packs`).
PACKS_OF_VIEW = {"shop": 4, "queue": 6}

# The streams of each part, by the start of their keys ("packs" are the pack types, "contents" their cards).
_STREAMS_OF = {
    "boss": ("boss",),
    "voucher": ("Voucher{a}",),
    "tags": ("Tag{a}",),
    "orbital": ("orbital",),
    "deal": ("nr{a}",),
    "packs": ("shop_pack{a}",),
    "shop": (
        "cdt", "rarity{a}sho", "Joker1sho", "Joker2sho", "Joker3sho", "etperpoll", "ssjr", "edisho",
        "Tarotsho", "Planetsho", "Spectralsho", "frontsho", "Enhancedsho", "illusion",
    ),
    "contents": (
        "omen_globe", "soul_", "Tarotar1", "Planetpl1", "Spectralspe", "Spectralar2", "rarity{a}buf",
        "Joker1buf", "Joker2buf", "Joker3buf", "packetper", "packssjr", "edibuf", "stdset", "Enhancedsta",
        "frontsta", "standard_edition", "stdseal",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What to work out for each seed; a compiled program belongs to each plan.

    Attributes:
      antes: number of antes from 1 on.
      view: "shop" or "queue".
      parts: which of `PARTS` are wanted; the others come out as zeros.
      rerolls: rerolls of the first shop visit of each ante (view "shop").
      slots: shop items of each ante (view "queue").
      packs: packs of each ante. 4: those of two visits. 6: also those of the shop after the last boss, which
        belongs to the new ante (rng.md 5.5); ante 1 has 4 all the same. Only for the view "queue".
      shop_size: card slots of a shop, 2 to 4 (view "shop"); `gen.shop_size` tells it for a deck.
    """

    antes: int = 8
    view: str = "shop"
    parts: tuple[str, ...] = PARTS
    rerolls: int = 3
    slots: int = 8
    shop_size: int = 2
    packs: int = 4

    def __post_init__(self) -> None:
        if self.antes < 1 or self.rerolls < 0 or self.slots < 0 or not 1 <= self.shop_size <= 4:
            raise ValueError(
                f"antes must be 1 or more, rerolls and slots 0 or more, shop_size 1 to 4: {self}"
            )
        if self.antes > MAX_ANTE:
            raise ValueError(f"antes must be {MAX_ANTE} or less, not {self.antes}")
        if self.packs not in (4, 6) or (self.packs == 6 and self.view == "shop"):
            raise ValueError('packs must be 4, or 6 in the view "queue"')
        if self.view not in VIEWS:
            raise ValueError(f"unknown view {self.view!r}; allowed: {', '.join(VIEWS)}")
        if set(self.parts) - set(PARTS):
            raise ValueError(f"unknown parts in {self.parts}; allowed: {', '.join(PARTS)}")

    @property
    def fills(self) -> tuple[int, int]:
        """How often the shop is filled in an ante, and with how many items."""
        return (self.rerolls + 2, self.shop_size) if self.view == "shop" else (self.slots, 1)

    @property
    def stream_keys(self) -> tuple[str, ...]:
        """The streams that the plan uses."""
        starts = tuple(start for part in self.parts for start in _STREAMS_OF[part])
        always = ("shuffle", "erratic") if "deal" in self.parts else ()
        return tuple(key for key in STREAM_KEYS if key.startswith(starts) or key in always)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class SeedReport:
    """What one seed holds; A = antes of the plan. Parts that the plan leaves out are 0.

    Attributes:
      boss: int32[A], blind ids. voucher: int32[A], item ids. tags: int32[A, 2], Small then Big.
      orbital: int32[A, 3], hands of an Orbital Tag gained at Small, Big, Boss.
      shop: `Item` of arrays [A, F, S]: F fills of S slots (`Plan.fills`).
      packs: int32[A, P], pack ids, two per visit, P = `Plan.packs`. cards: `Item` of arrays [A, P, 5].
      deal: int32[A, 3, 10], fronts of the first cards dealt to the 1st, 2nd, 3rd blind selected.
      overflow: bool[], the retry counters were too small and the report may be wrong (see `rng.Streams`).
    """

    boss: Array
    voucher: Array
    tags: Array
    orbital: Array
    shop: gen.Item
    packs: Array
    cards: gen.Item
    deal: Array
    overflow: Array


def _stack_items(streams, situation, count, one):  # type: ignore[no-untyped-def]
    """Runs `one(streams, situation)` `count` times, each item on display for the next."""

    def body(carry, _):  # type: ignore[no-untyped-def]
        item, situation, streams = one(*carry)
        return (streams, situation), item

    (streams, situation), items = lax.scan(body, (streams, situation), None, length=count)
    return items, situation, streams


def _shop(
    streams: rng.Streams, rules: gen.RunRules, base: gen.Situation, ante: Array, plan: Plan
) -> tuple[gen.Item, Array, rng.Streams]:
    """All fills of an ante: items [F, S], what existed after each fill (uint8[F, 235]), the streams."""
    fills, size = plan.fills

    def fill(streams: rng.Streams, _: None) -> tuple[rng.Streams, tuple[gen.Item, Array]]:
        items, shown, streams = _stack_items(
            streams, base, size, lambda streams, now: gen.shop_slot(streams, rules, now, ante)
        )
        return streams, (items, shown.exists)

    streams, (items, exists) = lax.scan(fill, streams, None, length=fills)
    return items, exists, streams


def _packs(
    streams: rng.Streams, rules: gen.RunRules, base: gen.Situation, ante: Array, plan: Plan, exists: Array
) -> tuple[Array, gen.Item, rng.Streams]:
    """The packs of an ante and their cards. exists: uint8[P, 235], at the opening of each."""

    def one(streams: rng.Streams, at: tuple[Array, Array]) -> tuple[rng.Streams, tuple[Array, gen.Item]]:
        place, shown = at
        there = (place < FIRST_ANTE_PACKS) | (ante > 1)
        pack, streams = gen.next_pack(streams, rules, ante, (ante == 1) & (place == 0), there)
        if "contents" not in plan.parts:
            return streams, (pack, _no_items((5,)))
        cards, _, streams = gen.open_pack(streams, rules, replace(base, exists=shown), ante, pack, there)
        return streams, (pack, cards)

    streams, (packs, cards) = lax.scan(one, streams, (jnp.arange(plan.packs), exists))
    return packs, cards, streams


def _no_items(shape: tuple[int, ...]) -> gen.Item:
    nothing, no = jnp.zeros(shape, jnp.int32), jnp.zeros(shape, bool)
    return gen.Item(nothing, nothing - 1, nothing, nothing, nothing, no, no, no)


def analyse(seed: ArrayLike, rules: gen.RunRules, plan: Plan) -> SeedReport:
    """Works out what a seed holds.

    Args:
      seed: uint8[8] of `jaxtro.encode_seed`.
      rules: rules of the run; deck and challenge decide starting vouchers, rates and bans.
      plan: what to work out (static).
    """
    parts = plan.parts
    streams = rng.start_streams(jnp.asarray(seed), 1, plan.stream_keys)
    deck, streams = gen.starting_deck(streams, rules) if "deal" in parts else (None, streams)
    known_deck = deck if deck is not None else gen.known_deck(rules)
    base = gen.start_situation(rules, known_deck.enhancements())

    def ante_report(carry: tuple[rng.Streams, Array], ante: Array) -> tuple[tuple[rng.Streams, Array], tuple]:
        streams, used = carry
        streams = rng.enter_ante(streams, ante, plan.stream_keys)
        zero = jnp.int32(0)
        boss = voucher = zero
        tags, orbital = jnp.zeros(2, jnp.int32), jnp.zeros(3, jnp.int32)
        if "boss" in parts:
            boss, used, streams = gen.next_boss(streams, rules, used, ante)
        if "voucher" in parts:
            voucher, streams = gen.next_voucher(streams, base, ante)
        if "tags" in parts:
            tags, streams = gen.next_tags(streams, rules, ante)
        if "orbital" in parts:
            orbital, streams = gen.orbital_hands(streams, base.hands_played, ante)
        fills, size = plan.fills
        items, exists = _no_items((fills, size)), jnp.broadcast_to(base.exists, (fills, *base.exists.shape))
        if "shop" in parts:
            items, exists, streams = _shop(streams, rules, base, ante, plan)
        packs, cards = jnp.zeros(plan.packs, jnp.int32), _no_items((plan.packs, 5))
        if "packs" in parts:
            if plan.view == "shop" and "shop" in parts:
                shown = jnp.stack([exists[-2], exists[-2], exists[-1], exists[-1]])
            else:
                shown = jnp.broadcast_to(base.exists, (plan.packs, *base.exists.shape))
            packs, cards, streams = _packs(streams, rules, base, ante, plan, shown)
        deal = jnp.zeros((BLINDS_PER_ANTE, DEALT), jnp.int32)
        if deck is not None:

            def shuffle(streams: rng.Streams, _: None) -> tuple[rng.Streams, Array]:
                order, streams = gen.shuffled(streams, "nr{a}", ante, deck.count, deck.front.shape[0])
                return streams, deck.front[order[deck.count - 1 - jnp.arange(DEALT)]].astype(jnp.int32)

            streams, deal = lax.scan(shuffle, streams, None, length=BLINDS_PER_ANTE)
        return (streams, used), (boss, voucher, tags, orbital, items, packs, cards, deal)

    start = (streams, jnp.zeros(len(BLINDS), jnp.int32))
    antes = jnp.arange(1, plan.antes + 1, dtype=jnp.int32)
    (streams, _), (boss, voucher, tags, orbital, shop, packs, cards, deal) = lax.scan(
        ante_report, start, antes
    )
    return SeedReport(boss, voucher, tags, orbital, shop, packs, cards, deal, streams.overflow)


@functools.lru_cache(maxsize=32)
def _compiled(plan: Plan):  # type: ignore[no-untyped-def]
    return jax.jit(jax.vmap(lambda seed, rules: analyse(seed, rules, plan), in_axes=(0, None)))


def analyse_batch(seeds: ArrayLike, rules: gen.RunRules, plan: Plan) -> SeedReport:
    """`analyse` for many seeds with the same rules, compiled once per plan and batch size.

    seeds: uint8[B, 8]. All arrays of the report get a leading axis B.
    """
    return _compiled(plan)(seeds, rules)
