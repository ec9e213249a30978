from dataclasses import replace

import chex
import jax
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxtro.env.scoring import BOOK, score_hand
from jaxtro.env.scoring.notation import make_scoring_state
from jaxtro.env.state import no_cards, no_jokers
from jaxtro.tables import JOKERS
from tests.scoring_tools import BATCH, score_all

_BASE = make_scoring_state("2C")


def random_state(g, jokers=5, allowed=None):
    """A random hand of eight cards with everything that a card can have, and random jokers."""
    cards = no_cards(32)
    deck = g.permutation(52)[:8]
    cards.rank[:8], cards.suit[:8] = 2 + deck % 13, deck // 13
    cards.enhancement[:8] = np.where(g.random(8) < 0.4, g.integers(0, 9, 8), 0)
    cards.edition[:8] = np.where(g.random(8) < 0.3, g.integers(0, 4, 8), 0)
    cards.seal[:8] = np.where(g.random(8) < 0.3, g.integers(0, 5, 8), 0)
    cards.debuffed[:8] = g.random(8) < 0.1
    owned = no_jokers(16)
    ids = g.choice(allowed if allowed is not None else np.arange(1, 151), jokers, replace=False)
    owned.id[:jokers] = ids
    owned.edition[:jokers] = np.where(g.random(jokers) < 0.3, g.integers(0, 5, jokers), 0)
    owned.debuffed[:jokers] = g.random(jokers) < 0.1
    owned.sell[:jokers] = g.integers(1, 9, jokers)
    owned.stored[:jokers] = [BOOK.start(int(joker)) for joker in ids]
    chosen = np.zeros(32, bool)
    chosen[g.permutation(8)[: g.integers(1, 6)]] = True
    return replace(_BASE, hand=cards, jokers=owned, boss=np.int32(g.choice([0, 8, 24]))), chosen


def random_batch(seed, **options):
    g = np.random.default_rng(seed)
    return zip(*(random_state(g, **options) for _ in range(BATCH)), strict=True)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_scores_are_whole_or_infinite_and_never_nan(seed):
    states, chosen = random_batch(seed, jokers=10)
    for result in score_all(states, chosen, "always"):
        assert result.total >= 0
        assert np.isinf(result.total) or result.total == np.floor(result.total)
        assert result.chips >= 0
        assert result.mult >= 1
        chex.assert_tree_all_finite([result.chips, result.mult, result.jokers.stored])


# Jokers that look at the order of held cards, and jokers whose rolls or repeats depend on it.
_ORDER = {"j_raised_fist", "j_baron", "j_shoot_the_moon", "j_reserved_parking"}


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_held_cards_does_not_matter_without_jokers_that_look_at_it(seed):
    allowed = [n for n, key in enumerate(JOKERS.keys) if key and key not in _ORDER]
    states, chosen = random_batch(seed, allowed=np.array(allowed))
    g, shuffled = np.random.default_rng(seed), []
    for state, cards in zip(states, chosen, strict=True):
        held = np.flatnonzero(~cards[:8])
        order = np.arange(32)
        order[held] = g.permutation(held)
        shuffled.append(replace(state, hand=jax.tree.map(lambda field: field[order], state.hand)))  # noqa: B023
    before, after = score_all(states, chosen), score_all(shuffled, chosen)
    assert [result.total for result in before] == [result.total for result in after]


# Jokers that count jokers or stand for another, and those that act on Uncommon ones, debuffed or not.
_COUNTING = {"j_abstract", "j_swashbuckler", "j_stencil", "j_blueprint", "j_brainstorm", "j_baseball"}


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_debuffing_a_joker_equals_removing_it(seed):
    allowed = [n for n, key in enumerate(JOKERS.keys) if key and key not in _COUNTING]
    states, chosen = random_batch(seed, allowed=np.array(allowed))
    debuffed, removed = [], []
    for state in states:
        flags = state.jokers.debuffed.copy()
        flags[2] = True
        debuffed.append(replace(state, jokers=replace(state.jokers, debuffed=flags)))
        order = np.array([0, 1, *range(3, 16), 15])
        left = jax.tree.map(lambda field: field[order], state.jokers)  # noqa: B023
        removed.append(replace(state, jokers=left))
    with_it, without = score_all(debuffed, chosen), score_all(removed, chosen)
    for a, b in zip(with_it, without, strict=True):
        assert (a.total, a.money, a.level) == (b.total, b.money, b.level)


def test_batch_equals_single():
    states, chosen = random_batch(7, jokers=8)
    batched = score_all(states, chosen, "seeded")
    single = jax.jit(lambda state, cards: score_hand(state, cards)[0])
    for number in range(0, BATCH, 4):
        alone = jax.device_get(single(states[number], chosen[number]))
        chex.assert_trees_all_equal(alone, batched[number])
