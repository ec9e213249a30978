import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxtro
from jaxtro.env import rng
from jaxtro.env.rng import generator
from jaxtro.env.rng.constants import WARM_UP, WORDS
from jaxtro.tables import streams as table
from tests import reference

SEED = jaxtro.encode_seed("TEST123")


def test_worked_example_of_the_specification():
    """rng.md 1.6: seed TEST123, key cdt1."""
    start = rng.stream_start(table.STREAM_ID["cdt{a}"], 1, 1, SEED)
    state = rng.step_stream(start)
    d = rng.generator_seed(state, rng.hash_seed(SEED))
    assert float(rng.hash_seed(SEED)).hex() == "0x1.0c206f59b6800p-1"
    assert float(start).hex() == "0x1.c6e228d7cce00p-1"
    assert float(state) == 0.6664087444998
    assert [hex(int(word)) for word in rng.seed_generator(d)] == [
        "0x401259c7e82810a6", "0x4031218235740ba1", "0x404c44ae50a867d1", "0x40668aa9321adc29",
    ]  # fmt: skip
    assert float(rng.first_float(d)).hex() == "0x1.2889f17197a24p-1"


def test_nan_stream_gives_the_games_constant():
    """rng.md 1.5: the Erratic deck of seed 7LB2WVPK is 52 times the ten of spades."""
    streams = rng.start_streams(jaxtro.encode_seed("7LB2WVPK"), 1, ["erratic"])
    u, streams = rng.uniform(streams, "erratic", jnp.int32(1))
    assert float(u).hex() == "0x1.fc27fc03878b4p-1"
    u, _ = rng.uniform(streams, "erratic", jnp.int32(1))
    assert float(u).hex() == "0x1.fc27fc03878b4p-1"


@pytest.mark.parametrize("ante", [-1, 0, 1, 8, 39, 120])
def test_ante_texts(ante):
    got = rng.stream_start(table.STREAM_ID["rarity{a}sho"], ante, 1, SEED)
    assert float(got) == reference.hash_text(f"rarity{ante}shoTEST123")


@pytest.mark.parametrize("seed", ["A", "TEST123", "ZZZZZZZZ"])
def test_all_streams_start_with_the_hash_of_their_text(seed):
    start = jax.jit(rng.start_streams)
    for ante in (-123, -10, -2, 0, 1, 9, 10, 99, 100, 999):
        states = np.asarray(start(jaxtro.encode_seed(seed), ante).states)
        for number, key in enumerate(table.STREAM_KEYS):
            got = states[rng.streams.slot_of(number, ante)]
            assert got == reference.hash_text(key.replace("{a}", str(ante)) + seed), (key, ante)


def test_all_streams_start_alike_in_a_batch_with_a_known_ante():
    """The form that resets use: what the compiler knows must not change how it rounds."""
    seeds = ["7", "OO", "TEST123", "ZZZZZZZZ"]
    batch = np.stack([jaxtro.encode_seed(seed) for seed in seeds])

    @jax.jit
    @jax.vmap
    def start(seed):
        streams = rng.start_streams(seed, 1)
        return streams.states, rng.enter_ante(streams, 2).states

    first, second = map(np.asarray, start(batch))
    for states, ante in ((first, 1), (second, 2)):
        for row, seed in enumerate(seeds):
            for number, key in enumerate(table.STREAM_KEYS):
                got = states[row, rng.streams.slot_of(number, ante)]
                assert got == reference.hash_text(key.replace("{a}", str(ante)) + seed), (key, ante, seed)


def _mixed_program(seed):
    """A bit of everything: draws, retries, a shuffle, an ante change."""
    streams = rng.start_streams(seed, 1, ["cdt{a}", "Voucher{a}", "nr{a}"])
    ante, found = jnp.int32(1), []
    for _ in range(2):
        u, streams = rng.uniform(streams, "cdt{a}", ante)
        slot, streams = rng.pool_pick(
            streams, "Voucher{a}", ante, lambda slot: slot % 4 == 0, jnp.bool_(True), 32
        )
        d, streams = rng.step(streams, "nr{a}", ante)
        order = rng.shuffle(jnp.arange(12), jnp.int32(12), d)
        found.append(jnp.concatenate([jnp.stack([u, slot.astype(jnp.float64)]), order.astype(jnp.float64)]))
        ante = ante + 1
        streams = rng.enter_ante(streams, ante, ["cdt{a}", "Voucher{a}", "nr{a}"])
    return jnp.concatenate(found), streams.states


def test_results_do_not_depend_on_batch_size_or_jit():
    seeds = jaxtro.random_seeds(123456789, 4096)
    batched = jax.jit(jax.vmap(_mixed_program))
    full = jax.device_get(batched(seeds))
    for size in (1, 7, 256):
        part = jax.device_get(batched(seeds[:size]))
        chex.assert_trees_all_equal(part, jax.tree.map(lambda x, size=size: x[:size], full))
    single = jax.device_get(jax.jit(_mixed_program)(seeds[3]))
    chex.assert_trees_all_equal(single, jax.tree.map(lambda x: x[3], full))
    eager = jax.device_get(jax.vmap(_mixed_program)(seeds[:7]))
    chex.assert_trees_all_equal(eager, jax.tree.map(lambda x: x[:7], full))


def test_draws_without_when_change_nothing():
    streams = rng.start_streams(SEED, 1, ["cdt{a}", "Tag{a}", "illusion"])
    _, after = rng.uniform(streams, "cdt{a}", jnp.int32(1), when=False)
    _, after = rng.pool_pick(
        after, "Tag{a}", jnp.int32(1), lambda slot: slot < 1, jnp.bool_(True), 24, when=False
    )
    _, states = rng.peek_successive(after, "illusion", jnp.int32(1), 3)
    after = rng.use_successive(after, "illusion", jnp.int32(1), states, jnp.int32(0))
    chex.assert_trees_all_equal(after, streams)


@pytest.fixture(scope="module")
def voucher_picks():
    """Compiled: many picks from a 32-slot pool with one open slot, so that retries go very deep."""

    @jax.jit
    @jax.vmap
    def picks(seed):
        def one(streams, open_slot):
            slot, streams = rng.pool_pick(
                streams, "Voucher{a}", jnp.int32(1), lambda s: s == open_slot, jnp.bool_(True), 32
            )
            return streams, slot

        streams = rng.start_streams(seed, 1, ["Voucher{a}"])
        return jax.lax.scan(one, streams, jnp.array([3, 17, 17, 31, 0]))

    return picks


def test_deep_retries_are_exact(voucher_picks):
    names = ["TEST123", "A", "7LB2WVPK", "ZZZZZZZZ"]
    streams, slots = voucher_picks(np.stack([jaxtro.encode_seed(name) for name in names]))
    for row, name in enumerate(names):
        run = reference.Run(name)
        expected = [run.pool("Voucher1", [n == only for n in range(32)]) for only in (3, 17, 17, 31, 0)]
        assert slots[row].tolist() == expected
        deepest = max(int(key.partition("_resample")[2] or 1) for key in run.states)
        assert deepest > 14, "the test should reach beyond the counted levels"
    assert not np.any(streams.overflow)


def test_too_many_deep_retries_are_reported():
    streams = rng.start_streams(SEED, 1, ["Voucher{a}"])
    note = jax.jit(rng.streams.note_retries)
    for _ in range(rng.streams.DEEP_PICKS):
        streams = note(streams, table.STREAM_ID["Voucher{a}"], jnp.int32(1), jnp.int32(40))
    assert not bool(streams.overflow)
    streams = note(streams, table.STREAM_ID["Voucher{a}"], jnp.int32(1), jnp.int32(40))
    assert bool(streams.overflow)


def test_all_closed_pool_draws_once_and_falls_back():
    streams = rng.start_streams(SEED, 1, ["Tag{a}"])
    slot, after = rng.pool_pick(streams, "Tag{a}", jnp.int32(1), lambda slot: slot < 0, jnp.bool_(False), 24)
    _, once = rng.uniform(streams, "Tag{a}", jnp.int32(1))
    assert int(slot) == -1
    chex.assert_trees_all_equal(after.states, once.states)


def test_ring_keeps_lower_antes_and_clears_on_a_new_one():
    """Hieroglyph: the streams of the lower ante continue where they stopped (rng.md 5.5)."""
    keys = ["cdt{a}"]
    for antes in ((1, 2, 1, 0, 1, 2, 3, 2, 4, 5, 3), (1, 0, -1, 0, 1, 2, 0, 3, 1), (5, 4, 3, 5, 6, 4, 7, 5)):
        run, streams = reference.Run("TEST123"), rng.start_streams(SEED, antes[0], keys)
        for ante in antes:
            streams = rng.enter_ante(streams, jnp.int32(ante), keys)
            u, streams = rng.uniform(streams, "cdt{a}", jnp.int32(ante))
            assert float(u) == run.u(f"cdt{ante}"), (antes, ante)


def test_step_is_exact_where_simple_rounding_is_not():
    states = np.random.default_rng(0).random(20000)
    got = np.asarray(jax.jit(jax.vmap(rng.step_stream))(states))
    assert got.tolist() == [reference.step(state) for state in states]


def test_few_steps_take_a_word_as_far_as_the_generator_does():
    """Both are linear over bits, so what holds for every single bit holds for every word."""
    for drop, a, b, c in WORDS:
        word = far = np.uint64(1) << np.arange(64, dtype=np.uint64)
        kept = np.uint64(2**64 - 2**drop)
        for _ in range(WARM_UP + 1):
            word = (((word << np.uint64(a)) ^ word) >> np.uint64(b)) ^ ((word & kept) << np.uint64(c))
        leaps = generator._leaps(drop, a, c * (WARM_UP + 1))
        assert len(leaps) < WARM_UP
        for leap in leaps:
            far = (((far << np.uint64(a)) ^ far) >> np.uint64(b + c - leap)) ^ (
                (far & kept) << np.uint64(leap)
            )
        np.testing.assert_array_equal(far, word)


def test_lists_of_a_batch_are_shuffled_each_to_its_end():
    counts, seeds = np.array([0, 1, 2, 7, 40, 39, 5, 1]), np.linspace(0.1, 0.9, 8)
    shuffle = jax.jit(jax.vmap(rng.shuffle, in_axes=(None, 0, 0)))
    got = shuffle(jnp.arange(40, dtype=jnp.int8), counts, seeds)
    for count, seed, order in zip(counts, seeds, got, strict=True):
        expected, words = list(range(40)), generator.warm_generator(jnp.float64(seed))
        for i in range(count - 1, 0, -1):
            u, words = generator.next_float(words)
            j = int(u * (i + 1))
            expected[i], expected[j] = expected[j], expected[i]
        assert order.tolist() == expected


def test_pools_are_picked_from_streams_with_retries_only():
    assert table.RETRY_SLOT[table.STREAM_ID["shuffle"]] < 0
    with pytest.raises(ValueError, match="'shuffle' has no retries"):
        rng.pool_pick(None, "shuffle", jnp.int32(1), lambda slot: slot >= 0, jnp.bool_(True), 5)
