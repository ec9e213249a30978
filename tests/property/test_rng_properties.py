import jax
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxtro
from jaxtro.env import rng
from jaxtro.seed_text import SEED_CHARACTERS
from jaxtro.tables import streams as table
from tests import reference

SEEDS = st.text(SEED_CHARACTERS, min_size=1, max_size=8)
KEYS = st.sampled_from(range(len(table.STREAM_KEYS)))


@jax.jit
def _draws(seed, stream, ante, level):
    state, seed_hash, out = rng.stream_start(stream, ante, level, seed), rng.hash_seed(seed), []
    for _ in range(3):
        state = rng.step_stream(state)
        out.append(rng.first_float(rng.generator_seed(state, seed_hash)))
    return out


@settings(deadline=None, max_examples=300)
@given(SEEDS, KEYS, st.integers(-9, 120), st.integers(1, 999))
def test_every_stream_equals_the_reference(seed, stream, ante, level):
    key = table.STREAM_KEYS[stream].replace("{a}", str(ante)) + (f"_resample{level}" if level > 1 else "")
    run = reference.Run(seed)
    got = [float(u) for u in _draws(jaxtro.encode_seed(seed), stream, ante, level)]
    assert got == [run.u(key) for _ in range(3)]


@jax.jit
def _shuffled(count, d):
    return rng.shuffle(np.arange(64, dtype=np.int32), count, d)


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 64), st.floats(0, 1))
def test_shuffles_equal_the_reference(count, d):
    cards = list(range(count))
    for i, u in zip(range(count - 1, 0, -1), reference.floats(d, count), strict=False):
        j = int(u * (i + 1))
        cards[i], cards[j] = cards[j], cards[i]
    got = np.asarray(_shuffled(count, d))
    assert got[:count].tolist() == cards
    assert got[count:].tolist() == list(range(count, 64))


@settings(deadline=None, max_examples=200)
@given(SEEDS)
def test_seeds_round_trip(seed):
    assert jaxtro.decode_seed(jaxtro.encode_seed(seed)) == seed
