"""Searching seeds in batches on the device."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from jaxtro.env import generation as gen
from jaxtro.env import rng
from jaxtro.seed_text import MAX_SEED_LENGTH, RANDOM_SEED_CHARACTERS, decode_seed, random_seeds
from jaxtro.seeds import query
from jaxtro.seeds.analysis import PACKS_OF_VIEW, PARTS, Plan, analyse
from jaxtro.tables.pools import POOL_ID

ALL_SEEDS = len(RANDOM_SEED_CHARACTERS) ** MAX_SEED_LENGTH


@dataclass(frozen=True)
class Progress:
    """One finished batch.

    Attributes:
      first: number of its first seed. tried: number of seeds.
      found: (place in the batch, text) of each seed that fits.
    """

    first: int
    tried: int
    found: list[tuple[int, str]]


def plan_for(
    wants: Sequence[query.Want], rules: gen.RunRules, antes: int = 8, view: str = "queue", slots: int = 8,
    rerolls: int = 3,
) -> Plan:  # fmt: skip
    """The smallest plan that decides the filters.

    Raises:
      query.FilterError: if a filter asks for an ante or slot that is not searched.
    """
    size = int(gen.shop_size(gen.start_situation(rules).has))
    per_ante = slots if view == "queue" else (rerolls + 2) * size
    for want in wants:
        _refuse_impossible(want, rules)
        packs = PACKS_OF_VIEW[view]
        limit = {"shop": per_ante, "pack": packs, "packs": packs}.get(want.place)
        if limit is not None and want.last_slot > limit:
            raise query.FilterError(
                f"in the filter {want.text!r}: slot {want.last_slot} is beyond the {limit} that are searched"
            )
        if max(want.first_ante, want.last_ante) > antes:
            raise query.FilterError(
                f"in the filter {want.text!r}: ante {max(want.first_ante, want.last_ante)} is beyond the "
                f"{antes} that are searched; raise --antes"
            )
    parts = {part for want in wants for part in query.PARTS_OF[want.place]}
    if view == "shop" and "contents" in parts:
        parts.add("shop")  # what is on display closes pool slots of the packs
    last = max((want.last_ante or antes for want in wants if want.place != "soul"), default=1)
    return Plan(
        last,
        view,
        tuple(part for part in PARTS if part in parts),
        rerolls,
        slots,
        size,
        PACKS_OF_VIEW[view],
    )


def _refuse_impossible(want: query.Want, rules: gen.RunRules) -> None:
    """Raises FilterError for what these rules never give, so that no search runs for ever."""
    given = {
        "eternal": rules.eternals | rules.all_eternal,
        "perishable": rules.perishables,
        "rental": rules.rentals,
    }
    for sticker in want.stickers:
        if not bool(given[sticker]):
            raise query.FilterError(
                f"in the filter {want.text!r}: this stake and challenge give no {sticker} jokers"
            )
    if want.ids and want.place in ("shop", "pack", "anywhere", "voucher", "soul") and not want.negated:
        closed = np.asarray(rules.closed_items)
        if closed[list(want.ids)].all():
            raise query.FilterError(f"in the filter {want.text!r}: banned by the challenge or locked")


def first_soul_joker(seed: ArrayLike, rules: gen.RunRules) -> Array:
    """The legendary joker that the first The Soul of a run gives. -> int32[] item id"""
    streams = rng.start_streams(jnp.asarray(seed), 1, ["Joker4"])
    joker, _ = gen.pick_item(streams, gen.start_situation(rules), "Joker4", POOL_ID["Joker4"], jnp.int32(1))
    return joker


@functools.lru_cache(maxsize=8)
def _compiled(plan: Plan, places: tuple[str, ...]):  # type: ignore[no-untyped-def]
    def fits(seed: Array, rules: gen.RunRules, wants: query.WantArrays) -> Array:
        # A report with too many redraws for the counters is not trusted.
        soul = first_soul_joker(seed, rules) if "soul" in places else jnp.int32(0)
        report = analyse(seed, rules, plan)
        return query.matches(report, soul, wants, places) & ~report.overflow

    return jax.jit(jax.vmap(fits, in_axes=(0, None, None)))


def default_batch() -> int:
    """Seeds per batch: what a CPU keeps in its caches, or enough to fill a GPU."""
    return 2048 if jax.default_backend() == "cpu" else 65536


def search(
    wants: Sequence[query.Want],
    rules: gen.RunRules,
    plan: Plan,
    first: int = 0,
    batch: int | None = None,
) -> Iterator[Progress]:
    """Tries the seeds number `first`, `first + 1`, ... (`jaxtro.random_seeds`) until the caller stops.

    Args:
      wants: parsed filters, all of which must hold.
      rules: rules of the runs.
      plan: from `plan_for`.
      first: number of the first seed.
      batch: seeds per batch.

    Yields:
      One `Progress` per batch, in order; the next batch is already running meanwhile.
    """
    batch = batch or default_batch()
    places = tuple(want.place for want in wants)
    run, arrays = _compiled(plan, places), query.as_arrays(wants, plan.antes)
    start, waiting = first, None
    while True:
        seeds = random_seeds(start, batch)
        launched = (start, seeds, run(seeds, rules, arrays))
        start += batch
        if waiting is not None:
            yield _finish(*waiting)
        waiting = launched


def _finish(start: int, seeds: np.ndarray, fits: Array) -> Progress:
    found = [(int(row), decode_seed(seeds[row])) for row in np.flatnonzero(np.asarray(fits))]
    return Progress(start, len(seeds), found)
