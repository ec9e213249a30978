"""Comparing random streams with recorded numbers."""

import functools
from dataclasses import replace

import jax
import numpy as np
import pytest

import jaxtro
from jaxtro.env import rng
from jaxtro.env.rng.streams import note_retries
from jaxtro.tables import streams as table
from parity.streams import (
    compare_streams,
    number_after,
    number_of,
    parse_stream,
    stream_name,
    times_used,
    used_since,
)

SEED = "OOOO155"
MISPRINT = ("misprint", 1, 1)


@pytest.fixture(scope="module")
def fresh():  # type: ignore[no-untyped-def]
    return jax.device_get(jax.jit(rng.start_streams)(jaxtro.encode_seed(SEED)))


@functools.cache
def entering():  # type: ignore[no-untyped-def]
    return jax.jit(rng.enter_ante)


def enter(streams, ante):  # type: ignore[no-untyped-def]
    return jax.device_get(entering()(streams, np.int32(ante)))


def use(streams, key, ante=1, times=1):  # type: ignore[no-untyped-def]
    for _ in range(times):
        streams = rng.step(streams, key, np.int32(ante))[1]
    return jax.device_get(streams)


def retry(streams, key, depth, ante=1):  # type: ignore[no-untyped-def]
    return jax.device_get(
        note_retries(streams, np.int32(table.STREAM_ID[key]), np.int32(ante), np.int32(depth))
    )


def test_names():  # type: ignore[no-untyped-def]
    for text in ("misprint", "cdt3", "rarity1sho", "Joker2sho1_resample3"):
        assert stream_name(parse_stream(text)) == text
    assert parse_stream("weather") is None


def test_uses_are_counted_from_the_number():  # type: ignore[no-untyped-def]
    for uses in (0, 1, 399, 400, 1000):
        assert times_used(SEED, MISPRINT, number_after(SEED, MISPRINT, uses)) == uses
    assert times_used(SEED, ("Tag{a}", 1, 2), number_after(SEED, ("Tag{a}", 1, 2), 3)) == 3


def test_used_streams_must_be_listed(fresh):  # type: ignore[no-untyped-def]
    assert compare_streams({}, fresh, None, SEED, complete=True) == []
    used = use(use(fresh, "misprint", times=2), "cdt{a}")
    assert list(used_since(used, fresh, SEED)) == list(used_since(used, None, SEED))
    listed = {"misprint": number_after(SEED, MISPRINT, 2), "cdt1": number_after(SEED, ("cdt{a}", 1, 1), 1)}
    assert compare_streams(listed, used, None, SEED, complete=True) == []
    assert compare_streams({"cdt1": listed["cdt1"]}, used, fresh, SEED, complete=True) == [
        ("rng.misprint (uses)", "not used", "used")
    ]
    assert compare_streams({"cdt1": listed["cdt1"]}, used, fresh, SEED, complete=False) == []
    # Used before the moment: need not be listed again, but by a save, which lists all since the start.
    assert compare_streams({}, used, used, SEED, complete=True) == []
    assert len(compare_streams({}, used, None, SEED, complete=True)) == 2


def test_other_numbers_are_told_as_uses(fresh):  # type: ignore[no-untyped-def]
    used = use(fresh, "misprint")
    expected = {"misprint": number_after(SEED, MISPRINT, 3)}
    assert compare_streams(expected, used, fresh, SEED, complete=True) == [("rng.misprint (uses)", 3, 1)]
    # More uses than one look at the stream finds are no difference, and are counted.
    states = used.states.copy()
    states[table.SLOT[table.STREAM_ID["misprint"]]] = number_after(SEED, MISPRINT, 1000)
    often = replace(used, states=states)
    assert (
        compare_streams({"misprint": number_after(SEED, MISPRINT, 1000)}, often, fresh, SEED, complete=True)
        == []
    )
    assert compare_streams(
        {"misprint": number_after(SEED, MISPRINT, 1001)}, often, fresh, SEED, complete=True
    ) == [("rng.misprint (uses)", 1001, 1000)]
    ((_, wanted, made),) = compare_streams({"misprint": 0.5}, used, fresh, SEED, complete=True)
    assert (wanted, made) == ("0.5, not one of its numbers", 1)


def test_retries_count_as_streams(fresh):  # type: ignore[no-untyped-def]
    used = retry(retry(fresh, "Tag{a}", 3), "Tag{a}", 2)
    names = ["Tag1_resample2", "Tag1_resample3"]
    assert [stream_name(stream) for stream in used_since(used, None, SEED)] == names
    listed = {name: number_of(used, parse_stream(name), SEED) for name in names}
    assert listed["Tag1_resample2"] == number_after(SEED, ("Tag{a}", 1, 2), 2)
    assert compare_streams(listed, used, fresh, SEED, complete=True) == []
    del listed["Tag1_resample3"]
    assert compare_streams(listed, used, fresh, SEED, complete=True) == [
        ("rng.Tag1_resample3 (uses)", "not used", "used")
    ]
    # Picks so deep that only their depth is kept.
    deep = retry(used, "Tag{a}", 15)
    names = [f"Tag1_resample{level}" for level in range(2, 16)]
    assert [stream_name(stream) for stream in used_since(deep, used, SEED)] == names
    assert number_of(deep, ("Tag{a}", 1, 15), SEED) == number_after(SEED, ("Tag{a}", 1, 15), 1)
    assert number_of(deep, ("Tag{a}", 1, 2), SEED) == number_after(SEED, ("Tag{a}", 1, 2), 3)
    again = retry(deep, "Tag{a}", 14)
    assert ("Tag{a}", 1, 14) in used_since(again, deep, SEED)
    assert ("Tag{a}", 1, 15) not in used_since(again, deep, SEED)


def test_the_start_of_an_ante_is_no_use(fresh):  # type: ignore[no-untyped-def]
    before = retry(use(use(fresh, "cdt{a}"), "misprint"), "Tag{a}", 2)
    two = enter(before, 2)
    assert compare_streams({}, two, before, SEED, complete=True) == []
    used = use(two, "cdt{a}", ante=2)
    assert compare_streams({}, used, before, SEED, complete=True) == [("rng.cdt2 (uses)", "not used", "used")]
    # Streams of earlier antes stay listed in saves; those that the run no longer keeps are left out.
    four = enter(enter(used, 3), 4)
    listed = {
        "cdt1": 0.25,
        "misprint": number_after(SEED, MISPRINT, 1),
        "cdt2": number_after(SEED, ("cdt{a}", 2, 1), 1),
    }
    assert compare_streams(listed, four, None, SEED, complete=True) == []
    assert compare_streams(
        listed | {"cdt5": number_after(SEED, ("cdt{a}", 5, 1), 1)}, four, None, SEED, True
    ) == [("rng.cdt5 (uses)", 1, 0)]


def test_streams_of_a_mod_loader(fresh):  # type: ignore[no-untyped-def]
    assert compare_streams({"soul_smods_Base1": 0.5}, fresh, None, SEED, complete=True, foreign=True) == []
    assert compare_streams({"soul_smods_Base1": 0.5}, fresh, None, SEED, complete=True) == [
        ("rng.soul_smods_Base1", 0.5, "(no such stream)")
    ]
