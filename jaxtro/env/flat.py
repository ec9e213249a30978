"""The flat view of actions: one number, Discrete(N), for agents without structured actions.

Cards are chosen one by one: a number toggles a card of the hand, others play, discard or use what is chosen.
The numbering is stable: new actions are only ever appended.
"""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env.actions import (
    CARD_KINDS,
    MOST_CARDS,
    MOVES,
    SORTS,
    Action,
    Kind,
    Legal,
    finished,
)
from jaxtro.env.env import Balatro, Info
from jaxtro.env.observation import Observation
from jaxtro.env.reward import DEFAULT_WEIGHTS, Weights
from jaxtro.env.state import (
    CONSUMABLE_CAPACITY,
    HAND_CAPACITY,
    JOKER_CAPACITY,
    PACK_CARDS,
    SHOP_PACKS,
    SHOP_SLOTS,
    SHOP_VOUCHERS,
    State,
)

TOGGLE = -1  # kind of the numbers that only choose a card


def _numbering() -> list[tuple[str, int, int, int]]:
    """(name, kind, slot, to) of every number. Moves go one place to the left, which reaches every order."""
    rows: list[tuple[str, int, int, int]] = [(f"toggle card {n}", TOGGLE, n, 0) for n in range(HAND_CAPACITY)]

    def add(name: str, kind: Kind, slots: int = 1) -> None:
        rows.extend((f"{name} {n}" if slots > 1 else name, int(kind), n, 0) for n in range(slots))

    add("select blind", Kind.SELECT)
    add("skip blind", Kind.SKIP)
    add("reroll boss", Kind.REROLL_BOSS)
    add("play", Kind.PLAY)
    add("discard", Kind.DISCARD)
    rows.extend((f"sort by {name}", int(Kind.SORT), mode, 0) for mode, name in enumerate(SORTS))
    add("cash out", Kind.CASH_OUT)
    add("reroll shop", Kind.REROLL)
    add("skip pack", Kind.SKIP_PACK)
    add("next round", Kind.NEXT_ROUND)
    add("buy card", Kind.BUY_CARD, SHOP_SLOTS)
    add("buy and use card", Kind.BUY_AND_USE, SHOP_SLOTS)
    add("buy voucher", Kind.BUY_VOUCHER, SHOP_VOUCHERS)
    add("buy pack", Kind.BUY_PACK, SHOP_PACKS)
    add("pick pack card", Kind.PICK, PACK_CARDS)
    add("use consumable", Kind.USE, CONSUMABLE_CAPACITY)
    add("sell joker", Kind.SELL_JOKER, JOKER_CAPACITY)
    add("sell consumable", Kind.SELL_CONSUMABLE, CONSUMABLE_CAPACITY)
    for name, kind, places in (
        ("joker", Kind.MOVE_JOKER, JOKER_CAPACITY), ("consumable", Kind.MOVE_CONSUMABLE, CONSUMABLE_CAPACITY),
        ("hand card", Kind.MOVE_HAND, HAND_CAPACITY),
    ):  # fmt: skip
        rows.extend((f"move {name} {n} left", int(kind), n, n - 1) for n in range(1, places))
    return rows


_ROWS = _numbering()
NAMES = tuple(row[0] for row in _ROWS)
NUM_ACTIONS = len(_ROWS)
_KIND, _SLOT, _TO = (np.array([row[n] for row in _ROWS], np.int32) for n in (1, 2, 3))
_TAKES_CARDS = np.array([kind in [int(k) for k in CARD_KINDS] for kind in _KIND])
_MOVES = np.array([kind in [int(k) for k in MOVES] for kind in _KIND])


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class FlatState:
    """A run and the cards chosen so far. state: `State`. chosen: bool[32], places of the hand."""

    state: State
    chosen: Array


class FlatBalatro:
    """`Balatro` with numbers for actions; every legal action of the factored view can be reached.

    Attributes:
      env: the environment. num_actions: N of Discrete(N). names: what each number does.
    """

    num_actions = NUM_ACTIONS
    names = NAMES

    def __init__(self, env: Balatro) -> None:
        self.env = env
        self._step = jax.jit(self._step_traced)
        self._mask = jax.jit(self._mask_traced)

    @property
    def default_params(self) -> Any:
        """Those of the environment."""
        return self.env.default_params

    def reset(self, key: Array, params: Any = None) -> tuple[Observation, FlatState]:
        """As `Balatro.reset`."""
        observation, state = self.env.reset(key, params)
        return observation, FlatState(state, jnp.zeros(HAND_CAPACITY, bool))

    def reset_to_seed(self, seed: Array, params: Any = None) -> tuple[Observation, FlatState]:
        """As `Balatro.reset_to_seed`."""
        observation, state = self.env.reset_to_seed(seed, params)
        return observation, FlatState(state, jnp.zeros(HAND_CAPACITY, bool))

    def observe(self, flat: FlatState) -> Observation:
        """As `Balatro.observe`; which cards are chosen is `flat.chosen`."""
        return self.env.observe(flat.state)

    def action_of(self, flat: FlatState, number: Array) -> Action:
        """The factored action of a number; for a toggle its kind is -1."""
        number = jnp.clip(number, 0, NUM_ACTIONS - 1)
        cards = jnp.where(jnp.asarray(_TAKES_CARDS)[number], flat.chosen, False)
        return Action(jnp.asarray(_KIND)[number], cards, jnp.asarray(_SLOT)[number], jnp.asarray(_TO)[number])

    def legal_actions(self, flat: FlatState) -> Array:
        """Which numbers are legal now. -> bool[N]; all True in a finished run"""
        return self._mask(flat)

    def _mask_traced(self, flat: FlatState) -> Array:
        legal: Legal = self.env.legal_actions(flat.state)
        count, chosen = jnp.sum(flat.chosen, dtype=jnp.int32), flat.chosen
        kind, slot, to = jnp.maximum(jnp.asarray(_KIND), 0), jnp.asarray(_SLOT), jnp.asarray(_TO)
        low, high = legal.min_cards[kind, slot], legal.max_cards[kind, slot]
        cards = (count >= low) & (count <= high)
        cards &= (high == 0) | ~jnp.any(legal.forced & ~chosen)
        cards &= ~legal.plain_only[kind, slot] | ~jnp.any(chosen & ~legal.plain_card)
        # A card that takes no targets can be used whatever is chosen.
        cards |= high == 0
        moves = legal.to[kind, to] & legal.slot[kind, to]
        ok = legal.slot[kind, slot] & (~jnp.asarray(_TAKES_CARDS) | cards) & (~jnp.asarray(_MOVES) | moves)
        needs_cards = jnp.any(legal.slot & (legal.max_cards > 0))
        toggles = legal.card[slot] & needs_cards & (chosen[slot] | (count < MOST_CARDS))
        ok = jnp.where(jnp.asarray(_KIND) == TOGGLE, toggles, ok)
        return ok | finished(flat.state)

    def step(
        self, flat: FlatState, number: Array, weights: Weights = DEFAULT_WEIGHTS
    ) -> tuple[Observation, FlatState, Array, Array, Array, Info]:
        """As `Balatro.step`; a toggle changes only what is chosen and gives no reward."""
        return self._step(flat, jnp.asarray(number), weights)

    def _step_traced(self, flat: FlatState, number: Array, weights: Weights) -> Any:
        legal = self._mask_traced(flat)[jnp.clip(number, 0, NUM_ACTIONS - 1)]
        legal &= (number >= 0) & (number < NUM_ACTIONS)
        action = self.action_of(flat, number)
        toggle = legal & (action.kind == TOGGLE)
        # What takes no targets is used without any.
        wants = self.env.legal_actions(flat.state).max_cards[jnp.maximum(action.kind, 0), action.slot] > 0
        action = replace(action, cards=action.cards & wants, kind=jnp.where(legal, action.kind, TOGGLE))
        observation, state, reward, terminated, truncated, info = self.env.step(flat.state, action, weights)
        over = finished(flat.state)
        places = jnp.arange(HAND_CAPACITY)
        chosen = flat.chosen ^ (
            toggle & ~over & (places == jnp.asarray(_SLOT)[jnp.clip(number, 0, NUM_ACTIONS - 1)])
        )
        # The choice stays only while the hand lies as it did.
        same = jnp.all(state.piles.hand == flat.state.piles.hand) & (state.phase == flat.state.phase)
        chosen = jnp.where(same, chosen, False)
        illegal = ~legal & ~over
        reward = jnp.where(toggle, jnp.float32(0), reward)
        return (
            observation,
            FlatState(state, chosen),
            reward,
            terminated,
            truncated,
            replace(info, illegal=illegal),
        )


_NUMBER_OF = {(kind, slot, to): number for number, (_, kind, slot, to) in enumerate(_ROWS)}


def flat_number(kind: int, slot: int = 0, to: int = 0) -> int:
    """The number of a factored action apart from its cards; -1 for a move of more than one place."""
    return _NUMBER_OF.get((kind, slot, to if kind in [int(move) for move in MOVES] else 0), -1)
