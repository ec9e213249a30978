"""What stays the same through a run: deck, stake, challenge, and what is banned or locked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from jaxtro.env.lookups import look_up
from jaxtro.tables import (
    BLINDS,
    CHALLENGES,
    DECKS,
    EDITIONS,
    ITEMS,
    PACKS,
    STAKES,
    TAGS,
    Kind,
    UnknownNameError,
)
from jaxtro.tables.pools import BOSS_POOL, HAND_WALK

WHITE_STAKE = 1
NO_CHALLENGE = 0
CHALLENGE_DECK = DECKS.keys.index("b_challenge")
WIN_ANTE = 8


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class RunRules:
    """Rules of one run, as values: one compiled program serves every deck, stake and challenge.

    Attributes:
      deck, stake, challenge: int32[], ids of `tables.DECKS`, `STAKES`, `CHALLENGES` (challenge 0 = none).
      closed_items: bool[235], items that the challenge bans or the profile has not unlocked.
      closed_tags: bool[25], tags banned, or whose item the profile has not discovered.
      banned_blinds: bool[31], banned_packs: bool[33].
      soul_banned: bool[], the challenge bans The Soul.
      eternals, perishables, rentals: bool[], stickers that the stake puts on offered jokers.
      all_eternal: bool[], every joker is eternal (challenge Non-Perishable).
      joker_rate, spectral_rate: float64[], weights of the shop slot before vouchers.
      win_ante: int32[].
      boss_order: int8[28], the bosses in the order in which the boss stream indexes them.
      to_do_order: int8[12], the poker hands in the order in which To Do List draws them.
      sort_by_age: bool[], equal cards of a hand stand by age alone, whatever suit they were printed with; False in
        the game, True in the reference engine (docs/known-differences.md).
    """

    deck: Array
    stake: Array
    challenge: Array
    closed_items: Array
    closed_tags: Array
    banned_blinds: Array
    banned_packs: Array
    soul_banned: Array
    eternals: Array
    perishables: Array
    rentals: Array
    all_eternal: Array
    joker_rate: Array
    spectral_rate: Array
    win_ante: Array
    boss_order: Array
    to_do_order: Array
    sort_by_age: Array


def _masks(kind: Kind, column: str) -> np.ndarray:
    mask = np.zeros((len(CHALLENGES), len(kind)), bool)
    for number, row in enumerate(CHALLENGES.rows, start=1):
        mask[number, [kind.keys.index(key) for key in row[column]]] = True
    return mask


_BANNED_ITEMS = _masks(ITEMS, "banned_items")
_BANNED_TAGS = _masks(TAGS, "banned_tags")
_BANNED_BLINDS = _masks(BLINDS, "banned_blinds")
BANNED_PACKS = _masks(PACKS, "banned_packs")
_SOUL = ITEMS.keys.index("c_soul")


def _stake_flag(name: str) -> np.ndarray:
    return np.array([False] + [bool(row["cumulative"].get(name)) for row in STAKES.rows])


_ETERNALS = _stake_flag("enable_eternals_in_shop")
_PERISHABLES = _stake_flag("enable_perishables_in_shop")
_RENTALS = _stake_flag("enable_rentals_in_shop")
_ALL_ETERNAL = np.array([False] + [bool(row["rules"].get("all_eternal")) for row in CHALLENGES.rows])
_JOKER_RATE = np.array([20.0] + [float(row["rules"].get("joker_rate", 20)) for row in CHALLENGES.rows])
_SPECTRAL_RATE = np.array([0.0] + [float(row["rates"].get("spectral_rate", 0)) for row in DECKS.rows])
# Legendary jokers come without being unlocked (rng.md 3).
_LOCKABLE = np.array([number == 0 or ITEMS.row(number).get("rarity") != 4 for number in range(len(ITEMS))])


def rules_of(
    deck: Array | int,
    stake: Array | int = WHITE_STAKE,
    challenge: Array | int = NO_CHALLENGE,
    locked: ArrayLike | None = None,
    undiscovered_tags: ArrayLike | None = None,
    win_ante: Array | int = WIN_ANTE,
    boss_order: ArrayLike | None = None,
    to_do_order: ArrayLike | None = None,
    sort_by_age: Array | bool = False,
) -> RunRules:
    """Rules of a run from ids; traceable. `make_rules` takes names.

    Args:
      deck, stake, challenge: int32[], ids of the tables. With a challenge the deck is the Challenge Deck.
      locked: bool[235], items locked in the profile; None = nothing.
      undiscovered_tags: bool[25], tags closed by the profile; None = none.
      win_ante: int32[], showdown bosses come at its multiples.
      boss_order, to_do_order, sort_by_age: as in `RunRules`; None = as in the game without mods (rng.md 5.3, 5.4).
    """
    deck, stake, challenge = (jnp.asarray(value, jnp.int32) for value in (deck, stake, challenge))
    locked = jnp.zeros(len(ITEMS), bool) if locked is None else jnp.asarray(locked)
    undiscovered = jnp.zeros(len(TAGS), bool) if undiscovered_tags is None else jnp.asarray(undiscovered_tags)
    banned = jnp.asarray(_BANNED_ITEMS)[challenge]
    deck = jnp.where(challenge > 0, CHALLENGE_DECK, deck)
    return RunRules(
        deck=deck,
        stake=stake,
        challenge=challenge,
        closed_items=banned | (locked & jnp.asarray(_LOCKABLE)),
        closed_tags=jnp.asarray(_BANNED_TAGS)[challenge] | undiscovered,
        banned_blinds=jnp.asarray(_BANNED_BLINDS)[challenge],
        banned_packs=jnp.asarray(BANNED_PACKS)[challenge],
        soul_banned=banned[_SOUL],
        eternals=look_up(_ETERNALS, stake),
        perishables=look_up(_PERISHABLES, stake),
        rentals=look_up(_RENTALS, stake),
        all_eternal=look_up(_ALL_ETERNAL, challenge),
        joker_rate=look_up(_JOKER_RATE, challenge),
        spectral_rate=look_up(_SPECTRAL_RATE, deck),
        win_ante=jnp.asarray(win_ante, jnp.int32),
        boss_order=jnp.asarray(BOSS_POOL if boss_order is None else boss_order, jnp.int8),
        to_do_order=jnp.asarray(HAND_WALK if to_do_order is None else to_do_order, jnp.int8),
        sort_by_age=jnp.asarray(sort_by_age, bool),
    )


def default_locks() -> tuple[str, ...]:
    """What a new profile has not unlocked (items) or not discovered (editions)."""
    return tuple(row["key"] for row in ITEMS.rows if row.get("unlock")) + EDITIONS.keys[1:]


def make_rules(
    deck: str = "b_red",
    stake: str = "stake_white",
    challenge: str | None = None,
    locked: Iterable[str] = (),
) -> RunRules:
    """Rules of a run from keys or names.

    Args:
      deck: a deck key or name; leave it out with a challenge, which brings its own.
      stake: a stake key or name.
      challenge: a challenge key or name, or None.
      locked: keys or names of items (jokers, consumables, vouchers) that the profile has not unlocked, and
        of editions that it has not discovered; they keep their pool slots and cause redraws.

    Raises:
      UnknownNameError: for a name that the tables do not have; says what is allowed.
      ValueError: for a challenge on a stake other than White or with another deck.
    """
    deck_id, stake_id = DECKS.find(deck), STAKES.find(stake)
    challenge_id = CHALLENGES.find(challenge) if challenge is not None else NO_CHALLENGE
    if challenge_id and stake_id != WHITE_STAKE:
        raise ValueError("challenges are played on White Stake: leave the stake out")
    if challenge_id and deck_id not in (DECKS.find("b_red"), CHALLENGE_DECK):
        raise ValueError("a challenge brings its own deck: leave the deck out")
    if not challenge_id and deck_id == CHALLENGE_DECK:
        raise ValueError("b_challenge is the deck of the challenges: name a challenge instead")
    items, tags = locked_masks(tuple(locked))
    return rules_of(deck_id, stake_id, challenge_id, items, tags)


def locked_masks(locked: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Masks of a profile: locked items (bool[235]) and tags it closes (bool[25]), from keys or names."""
    items, tags, missing = np.zeros(len(ITEMS), bool), np.zeros(len(TAGS), bool), set()
    for text in locked:
        try:
            missing.add(EDITIONS.keys[EDITIONS.find(text)])
        except UnknownNameError:
            number = ITEMS.find(text)
            items[number] = True
            missing.add(ITEMS.keys[number])
    for number, row in enumerate(TAGS.rows, start=1):
        tags[number] = row["discovered"] in missing
    return items, tags
