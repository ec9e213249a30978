"""What exists now, as far as the generation of new things looks at it (rng.md 3)."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env.generation.rules import RunRules
from jaxtro.tables import CHALLENGES, DECKS, ENHANCEMENTS, HANDS, ITEMS, item
from jaxtro.tables.pools import HIDDEN, NEEDS_ENHANCEMENT, NEEDS_HAND, NEEDS_VOUCHER

_GROS_MICHEL, _CAVENDISH = item("j_gros_michel"), item("j_cavendish")


_IS_VOUCHER = np.array([key.startswith("v_") for key in ITEMS.keys])


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Situation:
    """The parts of a run that open or close pool slots and change rates; made by `make_situation`.

    Attributes:
      exists: bool[235], items that some card object is of: owned, in the shop, in the open pack, being used. Index 0
        stands for things without an item id and means nothing.
      possible: bool[235], items that a pool may give while no card of them exists.
      redeemed: bool[235], vouchers bought (by item id).
      hands_played: int32[12], times each poker hand was played this run.
      showman: bool[], a Showman is owned and works.
    """

    exists: Array
    possible: Array
    redeemed: Array
    hands_played: Array
    showman: Array

    def has(self, voucher: str) -> Array:
        """Whether a voucher is redeemed. -> bool[]"""
        return self.redeemed[item(voucher)]


def add_existing(situation: Situation, item_id: Array) -> Situation:
    """The situation with a card object of an item there."""
    return replace(situation, exists=situation.exists | (jnp.arange(len(ITEMS)) == item_id))


def _met(needed: np.ndarray, facts: Array, nothing: int = 0) -> Array:
    """For each item whether the fact that it needs holds. needed: int[235], which one. facts: bool[N] -> bool[235]

    Few different facts are needed; looking up one for every item would take a hundred times as long on CPUs.
    """
    met = jnp.ones(len(ITEMS), bool)
    for fact in sorted(set(needed.tolist()) - {nothing}):
        met &= facts[fact] | (needed != fact)
    return met


def make_situation(
    rules: RunRules,
    exists: Array,
    redeemed: Array,
    hands_played: Array,
    enhancements: Array,
    gros_michel_extinct: Array | bool = False,
    showman: Array | bool = False,
) -> Situation:
    """The situation from the facts of the run (rng.md 3, rules 1 and 3 to 8).

    Args:
      enhancements: bool[9], enhancements that some card of the full deck has.
      gros_michel_extinct: bool[]. The others as in `Situation`.
    """
    hand_ok = _met(NEEDS_HAND, hands_played > 0, nothing=-1)
    enhancement_ok = _met(NEEDS_ENHANCEMENT, enhancements)
    voucher_ok = _met(NEEDS_VOUCHER, redeemed)
    number, extinct = jnp.arange(len(ITEMS)), jnp.asarray(gros_michel_extinct)
    banana_ok = jnp.where(number == _GROS_MICHEL, ~extinct, jnp.where(number == _CAVENDISH, extinct, True))
    allowed = ~rules.closed_items & ~jnp.asarray(HIDDEN) & ~redeemed & (number > 0)
    return Situation(
        exists=jnp.asarray(exists).astype(bool),
        possible=allowed & hand_ok & enhancement_ok & voucher_ok & banana_ok,
        redeemed=redeemed,
        hands_played=hands_played,
        showman=jnp.asarray(showman),
    )


def open_items(situation: Situation) -> Array:
    """Which items a pool may give now, by all rules of rng.md 3. -> bool[235]"""
    # A voucher on display stays closed even with Showman.
    blocks = ~situation.showman | jnp.asarray(_IS_VOUCHER)
    return situation.possible & ~(situation.exists & blocks)


def _starting_items(kind_rows: tuple, column: str) -> np.ndarray:
    mask = np.zeros((1 + len(kind_rows), len(ITEMS)), bool)
    for number, row in enumerate(kind_rows, start=1):
        for entry in row.get(column, ()):
            mask[number, item(entry if isinstance(entry, str) else entry["key"])] = True
    return mask


_DECK_VOUCHERS = _starting_items(DECKS.rows, "vouchers")
_DECK_CONSUMABLES = _starting_items(DECKS.rows, "consumables")
_CHALLENGE_VOUCHERS = _starting_items(CHALLENGES.rows, "vouchers")
_CHALLENGE_ITEMS = _starting_items(CHALLENGES.rows, "consumables") | _starting_items(
    CHALLENGES.rows, "jokers"
)


def start_situation(rules: RunRules, enhancements: Array | None = None) -> Situation:
    """The situation at the start of a run: starting vouchers, consumables and jokers of deck and challenge.

    Args:
      rules: the run's rules.
      enhancements: bool[9], enhancements in the starting deck; None = none.
    """
    exists = jnp.asarray(_DECK_CONSUMABLES)[rules.deck] | jnp.asarray(_CHALLENGE_ITEMS)[rules.challenge]
    redeemed = jnp.asarray(_DECK_VOUCHERS)[rules.deck] | jnp.asarray(_CHALLENGE_VOUCHERS)[rules.challenge]
    if enhancements is None:
        enhancements = jnp.zeros(len(ENHANCEMENTS), bool)
    return make_situation(rules, exists, redeemed, jnp.zeros(len(HANDS), jnp.int32), enhancements)
