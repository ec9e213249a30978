"""Blueprint and Brainstorm."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtro.env import joker_events as events
from jaxtro.env.owned import no_jokers
from jaxtro.env.scoring import BOOK
from jaxtro.env.scoring.copying import resolve
from jaxtro.tables import JOKERS

BLUEPRINT, BRAINSTORM = (JOKERS.keys.index(key) for key in ("j_blueprint", "j_brainstorm"))


def _copied(ids, debuffed, place):  # type: ignore[no-untyped-def]
    """The joker whose effects a place has, followed copy by copy as scoring.md 4 says."""
    seen, at = set(), place
    while at not in seen:
        seen.add(at)
        if at >= len(ids) or ids[at] == 0 or debuffed[at]:
            return 0
        if ids[at] == BLUEPRINT:
            at += 1
        elif ids[at] == BRAINSTORM:
            at = 0
        else:
            return ids[at] if at == place or BOOK.columns["copyable"][ids[at]] else 0
    return 0


def test_copies_are_followed_to_their_end():
    g = np.random.default_rng(0)
    acting = jax.jit(lambda owned: events.acting(BOOK, owned))
    found = 0
    for number in range(400):
        count = 16 if number % 8 == 0 else int(g.integers(1, 8))
        owned = jax.tree.map(np.array, no_jokers())
        owned.id[:count] = np.where(
            g.random(count) < 0.6, g.choice([BLUEPRINT, BRAINSTORM], count), g.integers(1, 151, count)
        )
        owned.debuffed[:count] = g.random(count) < 0.15
        expected = [_copied(owned.id, owned.debuffed, place) for place in range(len(owned.id))]
        np.testing.assert_array_equal(acting(owned), expected)
        found += sum(joker > 0 and joker != its for joker, its in zip(expected, owned.id, strict=True))
    assert found > 100


def test_more_places_than_a_set_has_bits_are_told():
    with pytest.raises(ValueError, match="32 joker places; at most 31"):
        resolve(jnp.zeros(32, jnp.uint32), jnp.zeros(32, bool))
