"""The check of an action says what the masks say, in all phases."""

import jax
import numpy as np
import pytest

import jaxtro
from jaxtro.agents.random_policy import random_action
from jaxtro.env.actions import CARD_KINDS, MOVES, NUM_KINDS, SLOT_MEANING, SLOTS, Action, Kind, Legal
from jaxtro.env.state import Phase
from jaxtro.tables import CHALLENGES, DECKS, STAKES
from tests.run_tools import BATCH, ENV, compiled, resets

STEPS = 120


def allows(legal: Legal, n: int, kind: int, slot: int, to: int, cards: np.ndarray) -> bool:
    """What the masks of game `n` say of an action: every part of it must be legal."""
    if not (0 <= kind < NUM_KINDS and 0 <= slot < SLOTS and 0 <= to < SLOTS):
        return False
    slot = slot if kind in SLOT_MEANING else 0
    ok = legal.slot[n, kind, slot] and (kind not in MOVES or legal.to[n, kind, to])
    if kind in CARD_KINDS:
        low, high = legal.min_cards[n, kind, slot], legal.max_cards[n, kind, slot]
        ok &= low <= cards.sum() <= high and not (cards & ~legal.card[n]).any()
        ok &= high == 0 or not (legal.forced[n] & ~cards).any()
        ok &= not (legal.plain_only[n, kind, slot] and (cards & ~legal.plain_card[n]).any())
    return bool(ok)


def test_the_check_says_what_the_masks_say():
    params = [
        jaxtro.make_params(deck, STAKES.keys[1 + n % 8], blind_scale=float(n % 4 == 0), endless=n % 2 == 0)
        for n, deck in enumerate(DECKS.keys[1:16] * 3)
    ]
    params += [
        jaxtro.make_params(challenge=key, blind_scale=0.0)
        for key in CHALLENGES.keys[1 : BATCH - len(params) + 1]
    ]
    states = resets([f"MASK{11 + n}".replace("0", "O") for n in range(BATCH)], params)
    games = jax.tree.map(lambda *values: np.stack(values), *states)
    masks, check = jax.jit(jax.vmap(ENV.legal_actions)), jax.jit(jax.vmap(ENV.is_legal))
    choose = jax.jit(jax.vmap(random_action))
    g = np.random.default_rng(0)
    phases: set[int] = set()
    kinds = {True: set(), False: set()}  # of checked actions: allowed, refused
    finished = 0
    for number in range(STEPS):
        legal = jax.device_get(masks(games))
        drawn = jax.device_get(choose(jax.random.split(jax.random.key(number), BATCH), legal))
        # Half of the actions have another part: cards, a slot, a place or a kind of their own.
        parts = [np.array(part) for part in (drawn.kind, drawn.cards, drawn.slot, drawn.to)]
        other = [
            g.integers(-1, NUM_KINDS + 1, BATCH).astype(np.int32),
            parts[1] ^ (g.random(parts[1].shape) < 0.1),
            np.where(g.random(BATCH) < 0.8, g.integers(0, 8, BATCH), g.integers(-1, SLOTS + 1, BATCH)),
            g.integers(-1, SLOTS + 1, BATCH),
        ]
        which = g.integers(0, 8, BATCH)
        tried = [
            np.where((which == n).reshape(-1, *[1] * (part.ndim - 1)), new.astype(part.dtype), part)
            for n, (part, new) in enumerate(zip(parts, other, strict=True))
        ]
        found = np.asarray(check(games, Action(*tried)))
        over = np.asarray(jax.vmap(ENV.finished)(games))
        for n in range(BATCH):
            kind, cards, slot, to = (part[n] for part in tried)
            wanted = allows(legal, n, int(kind), int(slot), int(to), cards) or bool(over[n])
            assert found[n] == wanted, (number, n, Kind(int(kind)).name, slot, to, np.flatnonzero(cards))
            if not over[n]:
                phases.add(int(games.phase[n]))
                kinds[wanted].add(int(kind))
            finished += int(over[n])
        games = jax.device_get(compiled()[0](games, drawn)[1])
    assert phases == {int(phase) for phase in Phase if phase != Phase.GAME_OVER}
    assert len(kinds[True]) >= 18
    assert kinds[False] >= set(range(NUM_KINDS))
    assert finished


def test_masks_of_another_shape_are_refused():
    state = resets(["OOOO155"], [jaxtro.make_params()])[0]
    action = jaxtro.make_action(Kind.SELECT)
    for wrong in (np.zeros(8, bool), np.zeros(40, bool), np.zeros((2, 32), bool)):
        with pytest.raises(ValueError, match=r"cards is bool\[.*give bool\[32\]"):
            ENV.is_legal(state, Action(action.kind, wrong, action.slot, action.to))
