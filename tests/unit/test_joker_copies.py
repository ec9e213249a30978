"""Blueprint and Brainstorm outside of scoring."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxtro.env import joker_events as events
from jaxtro.env.owned import no_jokers
from jaxtro.env.scoring import BOOK
from jaxtro.env.scoring.copying import resolve
from jaxtro.tables import JOKERS


def test_copies_are_found_as_in_scoring():  # type: ignore[no-untyped-def]
    # Outside of scoring the chains of Blueprint and Brainstorm are followed by a smaller program.
    g = np.random.default_rng(0)
    copiers = [JOKERS.keys.index(key) for key in ("j_blueprint", "j_brainstorm")]
    both = jax.jit(lambda owned: (events.acting(BOOK, owned), scored(owned)))

    def scored(owned):  # type: ignore[no-untyped-def]
        works = events.working(owned)
        traits = jnp.where(works, jnp.asarray(BOOK.traits)[owned.id.astype(jnp.int32)], 0)
        target = resolve(traits, works)
        return jnp.where(target >= 0, owned.id[jnp.maximum(target, 0)], 0)

    for _ in range(300):
        count = int(g.integers(1, 8))
        owned = jax.tree.map(np.array, no_jokers())
        owned.id[:count] = np.where(
            g.random(count) < 0.6, g.choice(copiers, count), g.integers(1, 151, count)
        )
        owned.debuffed[:count] = g.random(count) < 0.15
        one, other = both(owned)
        assert (np.asarray(one) == np.asarray(other)).all(), owned.id[:count]
