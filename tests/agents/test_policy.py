"""The factored policy: every legal action has its exact probability, no illegal one has any."""

import itertools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxtro.agents import policy
from jaxtro.agents.network import NetworkConfig, PolicyValue
from jaxtro.agents.saved_policy import empty_features
from jaxtro.env.actions import NUM_KINDS, SLOTS, Kind, Legal

PLACES = 32
NETS = {
    "small": PolicyValue(NetworkConfig(entity=8, hidden=16)),
    "attention in bfloat16": PolicyValue(
        NetworkConfig(entity=8, hidden=16, attention=1, heads=2, dtype="bfloat16")
    ),
}


def some_features():
    """Features that mean nothing, with something at every place, so that every choice depends on those before."""
    g = np.random.default_rng(0)

    def fill(leaf):
        if leaf.dtype == bool:
            return np.ones(leaf.shape, bool)
        if np.issubdtype(leaf.dtype, np.integer):
            return g.integers(0, 5, leaf.shape).astype(leaf.dtype)
        return g.normal(size=leaf.shape).astype(leaf.dtype)

    return jax.tree.map(fill, jax.tree.map(np.asarray, empty_features()))


FEATURES = some_features()


def no_legal():
    """Nothing is legal."""
    slots, cards = np.zeros((NUM_KINDS, SLOTS), bool), np.zeros(PLACES, bool)
    small = np.zeros((NUM_KINDS, SLOTS), np.int8)
    return Legal(
        kind=np.zeros(NUM_KINDS, bool), slot=slots, min_cards=small, max_cards=small.copy(), card=cards,
        forced=cards.copy(), plain_card=cards.copy(), plain_only=slots.copy(), to=slots.copy(),
    )  # fmt: skip


def some_legal(forced=()):
    """Plays and discards of five cards, a consumable for one to two plain cards, a move, a sale."""
    legal = no_legal()
    for kind in (Kind.PLAY, Kind.DISCARD, Kind.USE, Kind.MOVE_JOKER, Kind.CASH_OUT):
        legal.kind[kind] = True
        legal.slot[kind, 0] = True
        legal.to[kind, 0] = True
    legal.slot[Kind.USE, 1] = legal.slot[Kind.MOVE_JOKER, 1] = True
    legal.to[Kind.MOVE_JOKER, 1] = True
    legal.min_cards[[Kind.PLAY, Kind.DISCARD], 0], legal.max_cards[[Kind.PLAY, Kind.DISCARD], 0] = 1, 5
    legal.min_cards[Kind.USE, 1], legal.max_cards[Kind.USE, 1] = 1, 2
    legal.plain_only[Kind.USE, 1] = True
    legal.card[:6], legal.plain_card[1:4] = True, True
    legal.forced[list(forced)] = True
    return legal


@pytest.fixture(scope="module", params=list(NETS))
def net(request):
    """A network and parameters that make its choices far from alike."""
    made = NETS[request.param]
    params = jax.jit(made.init)(jax.random.PRNGKey(0), empty_features())
    g = np.random.default_rng(1)
    return made, jax.tree.map(lambda leaf: leaf + 0.05 * g.normal(size=leaf.shape).astype(np.float32), params)


@pytest.fixture(scope="module")
def log_probs(net):
    """Log-probabilities of a batch of actions."""
    one = lambda taken: policy.log_prob(*net, FEATURES, taken)[0]  # noqa: E731
    return jax.jit(jax.vmap(one))


@pytest.fixture(scope="module")
def drawn(net):
    """A batch of drawn actions."""
    one = lambda legal, key, temperature: policy.act(*net, FEATURES, legal, key, temperature)[:2]  # noqa: E731
    return jax.jit(jax.vmap(one, in_axes=(None, 0, None)))


def all_actions(legal):
    """Every legal action, by enumeration: (kind, slot, cards, to)."""
    found = []
    for kind in np.flatnonzero(legal.kind):
        for slot in np.flatnonzero(legal.slot[kind]):
            ends = np.flatnonzero(legal.to[kind]) if kind == Kind.MOVE_JOKER else [0]
            low, high = int(legal.min_cards[kind, slot]), int(legal.max_cards[kind, slot])
            allowed = [
                c
                for c in range(PLACES)
                if legal.card[c] and (not legal.plain_only[kind, slot] or legal.plain_card[c])
            ]
            forced = set(np.flatnonzero(legal.forced)) if high else set()
            sets = [
                cards for size in range(low, high + 1) for cards in itertools.combinations(allowed, size)
                if forced <= set(cards)
            ]  # fmt: skip
            found += [(kind, slot, cards, to) for cards in (sets if high else [()]) for to in ends]
    return found


def taken(action, legal):
    """The action with its masks."""
    kind, slot, cards, to = action
    mask = np.zeros(PLACES, bool)
    mask[list(cards)] = True
    from jaxtro.env.actions import Action

    return policy.taken_of(Action(jnp.int32(kind), jnp.asarray(mask), jnp.int32(slot), jnp.int32(to)), legal)


@pytest.mark.parametrize("forced", [(), (2,)])
def test_probabilities_of_all_legal_actions_sum_to_one(log_probs, forced):
    legal = jax.tree.map(jnp.asarray, some_legal(forced))
    actions = all_actions(some_legal(forced))
    batch = jax.tree.map(lambda *leaves: jnp.stack(leaves), *[taken(action, legal) for action in actions])
    found = np.asarray(log_probs(batch), np.float64)
    assert (found > -1e4).all()  # what is illegal has -1e9
    np.testing.assert_allclose(np.exp(found).sum(), 1.0, atol=1e-4)


@pytest.mark.parametrize("forced", [(), (3,)])
def test_drawn_actions_are_legal_and_have_their_probability(drawn, log_probs, forced):
    legal = jax.tree.map(jnp.asarray, some_legal(forced))
    chosen, found = drawn(legal, jax.random.split(jax.random.PRNGKey(1), 512), jnp.float32(1))
    known = set(all_actions(some_legal(forced)))
    for kind, slot, to, cards in zip(
        chosen.kind, chosen.slot, chosen.to, np.asarray(chosen.cards), strict=True
    ):
        assert (int(kind), int(slot), tuple(np.flatnonzero(cards).tolist()), int(to)) in known
    np.testing.assert_allclose(found, log_probs(chosen), atol=1e-4)
    assert np.ptp(found) > 1  # the choices are far from alike
    chex.assert_tree_all_finite(found)


def test_temperature_goes_from_the_likeliest_to_the_policy(drawn):
    legal = jax.tree.map(jnp.asarray, some_legal())
    keys = jax.random.split(jax.random.PRNGKey(2), 256)
    cold, low, full = (drawn(legal, keys, jnp.float32(value)) for value in (0.0, 0.2, 1.0))
    for leaf in jax.tree.leaves(cold[0]):
        assert (np.asarray(leaf) == np.asarray(leaf)[:1]).all()
    # The lower it is, the likelier are the actions; the probability told is that of the policy.
    assert float(cold[1].mean()) > float(low[1].mean()) > float(full[1].mean())


@given(
    allowed=st.integers(1, 2**8 - 1),
    forced=st.integers(0, 2**8 - 1),
    low=st.integers(0, 5),
    spread=st.integers(0, 5),
)
@settings(max_examples=60, deadline=None)
def test_card_masks_never_run_into_a_dead_end(allowed, forced, low, spread):
    may = np.array([(allowed >> n) & 1 for n in range(8)], bool)
    must = np.array([(forced >> n) & 1 for n in range(8)], bool) & may
    high = min(low + spread, 5)
    if low > may.sum() or must.sum() > high:
        return  # no such set
    last, chosen = -1, []
    g = np.random.default_rng(allowed + 256 * forced)
    for _ in range(6):
        cards, end = policy.card_masks(
            jnp.asarray(may),
            jnp.asarray(must),
            jnp.int32(low),
            jnp.int32(high),
            jnp.int32(last),
            jnp.int32(len(chosen)),
        )
        cards, end = np.asarray(cards), bool(end)
        assert cards.any() or end
        if end and (not cards.any() or g.random() < 0.3):
            break
        last = int(g.choice(np.flatnonzero(cards)))
        chosen.append(last)
    assert low <= len(chosen) <= high
    assert set(np.flatnonzero(must)) <= set(chosen)
