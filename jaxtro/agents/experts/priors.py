"""What the planner believes of things that it does not simulate (priors.json); changing it compiles nothing."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxtro.env.scoring import BOOK
from jaxtro.tables import BLINDS, ITEMS, JOKERS, PACKS, item

_FILE = Path(__file__).with_name("priors.json")
_SIZES = ("normal", "jumbo", "mega")
_MULTIPLIES = ("main_xmult", "each_xmult", "played_xmult", "held_xmult", "other_xmult")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Priors:
    """Numbers by id, in units of log(score) where nothing else is said.

    Attributes:
      joker: float32[151], beside the simulated gain. money: float32[151], dollars a round.
      growth: float64[151], of the stored number a round; least: float64[151], it never falls below.
      stands_for: int16[151], joker that is simulated in its place; stands_stored: float64[151], with this number
        (nan: its own).
      multiplies: bool[151], stands to the right of jokers that add.
      item: float32[235], worth of getting a consumable or voucher. pack: float32[33], of opening a pack.
      boss: float32[31], how much harder a blind is than its target says.
      number: single numbers by name:
        price: worth of a dollar; margin_mid, margin_scale: it falls where the score is short of the boss's target
        (in logs); rich: dollars beyond which it falls, too; ending: so does it in the last rounds;
        interest: rounds that a lost dollar of interest counts; choice: cards that a sampled hand has beyond the hand
        size (what discards bring); horizon: rounds that stored numbers grow ahead; rounds: most rounds that income
        counts; economy: worth of a dollar of income beside a dollar now; hands: hands that beat a blind together;
        reroll_free, reroll_full: worth of a reroll with a free joker slot and without; reroll_keep: dollars that must
        be left after it; swap: gain that is worth a sale; full_packs: share of a Buffoon Pack's worth without a free
        slot; celestial, telescope: share of the gain of a level that a Celestial Pack is worth, without and with that
        voucher (and times its `pack`); shop_tarot: share of a tarot's worth in the shop; planet: factor of a
        planet's gain; negative, rental, perishable: worth of that edition or sticker; sold: share of the sell value
        that counts; discard_gain: share of a blind that a discard must gain; win_bonus: worth of winning the blind
        with one hand; move_gain: gain that is worth moving a joker.
    """

    joker: Any
    money: Any
    growth: Any
    least: Any
    stands_for: Any
    stands_stored: Any
    multiplies: Any
    item: Any
    pack: Any
    boss: Any
    number: dict[str, Any]


def load_priors() -> Priors:
    """Reads priors.json.

    Raises:
      ValueError: for a key that the game does not have.
    """
    data, count = json.loads(_FILE.read_text()), len(JOKERS)
    joker, money = np.zeros(count, np.float32), np.zeros(count, np.float32)
    growth, stored = np.zeros(count), np.full(count, np.nan)
    stands_for = np.arange(count, dtype=np.int16)
    for row in data["jokers"]:
        number = item(row["key"])
        joker[number], money[number] = row.get("prior", 0), row.get("money", 0)
        growth[number] = row.get("growth", 0)
        if "stands_for" in row:
            stands_for[number], stored[number] = item(row["stands_for"][0]), row["stands_for"][1]
    values = np.zeros(len(ITEMS), np.float32)
    for key, worth in (data["consumables"] | data["vouchers"]).items():
        values[item(key)] = worth
    packs = [0.0] + [data["packs"][row["kind"]][_SIZES.index(row["size"])] for row in PACKS.rows]
    boss = np.zeros(len(BLINDS), np.float32)
    for key, worth in data["bosses"].items():
        boss[BLINDS.keys.index(key)] = worth
    least = np.array([float(BOOK.state_name(number) == "xmult") for number in range(count)])
    multiplies = np.any([BOOK.columns[name] > 1 for name in _MULTIPLIES], axis=0) | (least > 0)
    numbers = {name: np.float32(value) for name, value in data["numbers"].items()}
    return Priors(
        joker, money, growth, least, stands_for, stored, multiplies, values, np.array(packs, np.float32), boss, numbers
    )  # fmt: skip
