"""Comparison with `seed_shops` files: what seeds hold in the antes from 1 on, in two views."""

from typing import Any

import jax
import numpy as np

import jaxtro
from jaxtro.env import generation as gen
from jaxtro.seeds.analysis import Plan, SeedReport, analyse_batch
from jaxtro.seeds.codes import item_codes
from jaxtro.tables import BLINDS, HANDS, ITEMS, PACKS, TAGS
from jaxtro.tables.pools import FRONTS
from parity.report import FileResult, Mismatch

KIND, UNIT = "seed shops", "antes"
BATCH = 64


def _report(report: SeedReport, seed: int, ante: int) -> dict[str, Any]:
    """The fields of one ante in the format of the file."""
    at = (seed, ante)
    return {
        "boss": BLINDS.keys[report.boss[at]],
        "voucher": ITEMS.keys[report.voucher[at]],
        "tag_small": TAGS.keys[report.tags[at][0]],
        "tag_big": TAGS.keys[report.tags[at][1]],
        "shop": item_codes(report.shop, at),
        "packs": [
            [PACKS.keys[report.packs[(*at, n)]], *item_codes(report.cards, (*at, n))]
            for n in range(report.packs.shape[-1])
        ],
        "deal": [[FRONTS[front] for front in deal] for deal in report.deal[at]],
        "orbital": [HANDS.keys[hand] for hand in report.orbital[at]],
    }


def _plain_first_pack(packs: list[list[str]]) -> list[list[str]]:
    """The first pack of a run without its art variant, which the seed does not decide (rng.md 11)."""
    return (
        [[packs[0][0].removesuffix("_1").removesuffix("_2"), *packs[0][1:]], *packs[1:]] if packs else packs
    )


def check(path: str, data: dict[str, Any]) -> FileResult:
    """Compares every ante of every seed; an ante matches if all its fields in both views do."""
    result = FileResult(path, KIND, UNIT)
    seeds = data["seeds"]
    last = max((row["ante"] for entry in seeds for row in entry["antes"]), default=1)
    if any(row["ante"] < 1 for entry in seeds for row in entry["antes"]):
        raise ValueError("antes below 1 have no fixed shop schedule")
    antes = -(-last // 8) * 8  # in eights, so that files of other lengths share the compiled program
    rules = gen.make_rules()
    views = {
        "shop": Plan(antes=antes, view="shop"),
        "queue": Plan(antes=antes, view="queue", parts=("shop", "packs", "contents")),
    }
    for first in range(0, len(seeds), BATCH):
        chunk = seeds[first : first + BATCH]
        encoded = np.stack([jaxtro.encode_seed(entry["seed"]) for entry in chunk])
        padded = np.concatenate([encoded, np.repeat(encoded[:1], BATCH - len(chunk), 0)])
        reports = {view: jax.device_get(analyse_batch(padded, rules, plan)) for view, plan in views.items()}
        for number, entry in enumerate(chunk):
            for row in entry["antes"]:
                _compare(result, entry["seed"], row, reports, number)
    return result


def _compare(
    result: FileResult, seed: str, row: dict[str, Any], reports: dict[str, SeedReport], number: int
) -> None:
    got = _report(reports["shop"], number, row["ante"] - 1)
    queue = _report(reports["queue"], number, row["ante"] - 1)
    got |= {"queue": queue["shop"], "queue_packs": queue["packs"]}
    where = f"seed {seed} ante {row['ante']}"
    differences = []
    for field, expected in row.items():
        if field == "ante" or expected is None:
            continue
        if field not in got:
            differences.append(Mismatch(where, field, expected, "(unknown field)"))
            continue
        value = got[field]
        if field in ("packs", "queue_packs") and row["ante"] == 1:
            value, expected = _plain_first_pack(value), _plain_first_pack(expected)
        good = value == expected
        counts = result.sections.setdefault(field, [0, 0])
        counts[0] += good
        counts[1] += 1
        if not good:
            differences.append(Mismatch(where, field, expected, value))
    if any(value is not None for field, value in row.items() if field != "ante"):
        result.count("antes", differences)
