"""Sets as bits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtro.env.bits import count_before


@pytest.mark.parametrize("size", [1, 16, 31, 32, 33, 128, 235, 4096])
def test_members_before_each_place_are_counted(size):
    g = np.random.default_rng(size)
    for share in (0.0, 0.1, 0.5, 1.0):
        member = g.random((3, size)) < share
        got = jax.vmap(count_before)(jnp.asarray(member))
        assert got.dtype == jnp.int32
        np.testing.assert_array_equal(got, np.cumsum(member, axis=1) - member)
