"""What deck, stake and challenge change around scoring, looked up by the ids in `RunRules`."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env.generation.rules import CHALLENGE_DECK, RunRules
from jaxtro.env.lookups import look_up
from jaxtro.tables import BLINDS, CHALLENGES, DECKS, STAKES, ante_chips
from jaxtro.tables.money import ANTE_CHIPS

BLIND_TYPES = ("Small", "Big", "Boss")
# The Challenge Deck adds nothing: its starting values are those of the game.
_BASE = DECKS.row(CHALLENGE_DECK)["starting_values"]
_STARTING_VALUES = ("dollars", "hands", "discards", "hand_size", "joker_slots", "consumable_slots")
REROLL_BASE = _BASE["reroll_cost"]


def _deck(name: str, default: Any, dtype: Any) -> np.ndarray:
    return np.array([default] + [row["modifiers"].get(name, default) for row in DECKS.rows], dtype)


def _stake(name: str, default: Any, dtype: Any) -> np.ndarray:
    return np.array([default] + [row["cumulative"].get(name, default) for row in STAKES.rows], dtype)


def _challenge(name: str, default: Any, dtype: Any) -> np.ndarray:
    return np.array([default] + [row["rules"].get(name, default) for row in CHALLENGES.rows], dtype)


def _no_reward(rows: tuple, column: str) -> np.ndarray:
    lists = [()] + [row[column].get("no_blind_reward", ()) for row in rows]
    return np.array([[name in names for name in BLIND_TYPES] for names in lists])


MONEY_PER_HAND, MONEY_PER_DISCARD = (
    _deck("money_per_hand", 1, np.int32),
    _deck("money_per_discard", 0, np.int32),
)
_DECK_NO_INTEREST = _deck("no_interest", False, bool)
_NO_INTEREST = _challenge("no_interest", False, bool)
_NO_HAND_MONEY = _challenge("no_extra_hand_money", False, bool)
_STAKE_NO_REWARD, _CHALLENGE_NO_REWARD = (
    _no_reward(STAKES.rows, "cumulative"),
    _no_reward(CHALLENGES.rows, "rules"),
)
_SCALING = _stake("scaling", 1, np.int32)
_ANTE_SCALING = np.array([1.0] + [row["starting_values"]["ante_scaling"] for row in DECKS.rows])
_BLIND_MULT = np.array([0.0] + [row["mult"] for row in BLINDS.rows])
_BLIND_DOLLARS = np.array([0] + [row["dollars"] for row in BLINDS.rows], np.int32)
DOUBLE_TAG_AFTER_BOSS = np.array(
    [False] + [row["hook"] is not None and "tag_double" in row["hook"] for row in DECKS.rows]
)
PLASMA = np.array([False] + [row["key"] == "b_plasma" for row in DECKS.rows])
FLIPPED_CARDS = _challenge("flipped_cards", 0, np.int32)  # 1 in N dealt cards lies face down
HAND_SIZE_PER_DOLLARS = _challenge("minus_hand_size_per_X_dollar", 0, np.int32)
DEBUFF_PLAYED = _challenge("debuff_played_cards", False, bool)
ETERNAL_ANTE = _challenge("set_eternal_ante", -99, np.int32)
NO_SLOTS_ANTE = _challenge("set_joker_slots_ante", -99, np.int32)
INFLATION = _challenge("inflation", False, bool)
CHIPS_CAP = _challenge("chips_dollar_cap", False, bool)
DISCARD_COST = _challenge("discard_cost", 0, np.int32)


def _starting() -> dict[str, np.ndarray]:
    """name -> int32[decks, stakes, challenges]: deck and stake add, a challenge replaces (run.md 2)."""
    tables = {}
    for name in _STARTING_VALUES:
        base = _BASE[name]
        table = np.zeros((1 + len(DECKS.rows), 1 + len(STAKES.rows), 1 + len(CHALLENGES.rows)), np.int32)
        for deck, deck_row in enumerate(DECKS.rows, start=1):
            for stake, stake_row in enumerate(STAKES.rows, start=1):
                table[deck, stake] = (
                    base + deck_row["start"].get(name, 0) + stake_row["cumulative"].get(name, 0)
                )
        for number, row in enumerate(CHALLENGES.rows, start=1):
            if name in row["start"]:
                table[:, :, number] = row["start"][name]
        tables[name] = table
    return tables


_STARTING = _starting()


def starting_value(rules: RunRules, name: str) -> Array:
    """Dollars, hands, discards, hand_size, joker_slots or consumable_slots before vouchers. -> int32[]"""
    return jnp.asarray(_STARTING[name])[rules.deck, rules.stake, rules.challenge]


def base_chips(rules: RunRules, ante: Array) -> Array:
    """Chips of the Small Blind of an ante, before deck and blind factors; inf from ante 39 on. -> float64[]"""
    column = look_up(_SCALING, rules.stake) - 1
    table = jnp.asarray(ANTE_CHIPS)
    chips = table[jnp.clip(ante, 1, table.shape[0]) - 1, column]
    return jnp.where(ante < 1, ante_chips(0), chips)


def target(rules: RunRules, ante: Array, blind: Array, scale: Array) -> Array:
    """Chips that beat a blind (run.md 9). -> float64[]"""
    chips = base_chips(rules, ante) * look_up(_BLIND_MULT, blind) * look_up(_ANTE_SCALING, rules.deck)
    return jnp.where(scale == 0, 0.0, chips * scale)


def reward(rules: RunRules, blind: Array, which: Array) -> Array:
    """Dollars for a blind; which: 0 Small, 1 Big, 2 Boss. -> int32[]"""
    none = jnp.asarray(_STAKE_NO_REWARD)[rules.stake, which]
    none |= jnp.asarray(_CHALLENGE_NO_REWARD)[rules.challenge, which]
    return jnp.where(none, 0, look_up(_BLIND_DOLLARS, blind))


def no_interest(rules: RunRules) -> Array:
    """Whether the run pays no interest. -> bool[]"""
    return look_up(_DECK_NO_INTEREST, rules.deck) | look_up(_NO_INTEREST, rules.challenge)


def dollars_per_hand(rules: RunRules) -> Array:
    """Dollars for each unused hand. -> int32[]"""
    return jnp.where(look_up(_NO_HAND_MONEY, rules.challenge), 0, look_up(MONEY_PER_HAND, rules.deck))


def of_challenge(rules: RunRules, column: np.ndarray) -> Array:
    """A column of the challenges for this run."""
    return look_up(column, rules.challenge)


def of_deck(rules: RunRules, column: np.ndarray) -> Array:
    """A column of the decks for this run."""
    return look_up(column, rules.deck)
