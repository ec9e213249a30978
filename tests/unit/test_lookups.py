"""Columns by item id, kept and read in ways that suit the machine."""

from dataclasses import replace

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxtro
from jaxtro.env.joker_events import events_of
from jaxtro.env.lookups import _FEW, Columns, PackedRows, element, joined, look_up, rows_at
from jaxtro.env.phases import consumables, playing
from jaxtro.env.phases.consumables import needs_of
from jaxtro.env.scoring import BOOK
from jaxtro.env.state import SHOP_SLOTS
from jaxtro.env.work import Work, nothing_to_do
from jaxtro.tables import ITEMS, SEALS
from jaxtro.tables.kinds import FIRST_CONSUMABLE, FIRST_VOUCHER
from jaxtro.tables.streams import SLOT, STREAM_ID
from tests.run_tools import fight, hand, jokers, resets
from tests.unit.corner_cases.common import FULL


def test_columns_of_jokers_are_read_as_they_are():
    ids = jnp.arange(len(BOOK.keys))
    columns = [*events_of(BOOK).columns.values(), BOOK.columns["odds_factor"], BOOK.columns["copyable"]]
    for column in columns:
        got = look_up(column, ids)
        assert got.dtype == column.dtype
        np.testing.assert_array_equal(got, column)


@pytest.mark.parametrize("others", [0, 1, _FEW, _FEW + 1, 40])
def test_columns_with_few_and_many_jokers(others):
    column = np.full(60, 7.5)
    column[np.random.default_rng(others).permutation(60)[:others]] = np.arange(others) - 3.0
    ids = np.array([[0, 59, 3], [17, 17, 42]], np.int16)
    np.testing.assert_array_equal(jax.jit(lambda ids: look_up(column, ids))(ids), column[ids])


@pytest.mark.parametrize("kind", [np.int8, np.int32, np.uint8, np.uint32, np.int64, np.bool_])
def test_columns_of_whole_numbers_with_equal_and_different_values(kind):
    values = [5, 1, 0, 3, 5] if np.dtype(kind).kind in "ub" else [-5, 1, 0, -128, -5]
    column = np.full(30, 2, kind)
    column[[0, 3, 11, 17, 29]] = values
    ids = jnp.arange(30)
    got = look_up(column, ids)
    assert got.dtype == kind
    np.testing.assert_array_equal(got, column)


def test_floats_are_looked_up_bit_by_bit():
    column = np.array([1.0, 1.0, np.nan, -0.0, 0.0, 1.0, np.nan, np.inf])
    got = np.asarray(look_up(column, jnp.arange(8)))
    np.testing.assert_array_equal(got.view(np.uint64), column.view(np.uint64))


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8])
def test_sets_are_joined(count):
    parts = [jnp.uint32(1 << n) for n in range(count)]
    assert int(joined(parts)) == (1 << count) - 1
    assert bool(joined([jnp.bool_(n == count - 1) for n in range(count)]))


def test_what_items_need_is_what_the_table_says():
    needs = needs_of(jnp.arange(len(ITEMS)))
    for number in range(1, len(ITEMS)):
        row, used = ITEMS.row(number), FIRST_CONSUMABLE <= number < FIRST_VOUCHER
        assert bool(needs["is_consumable"][number]) == used
        if not used:
            assert int(needs["targets_max"][number]) == 0
            continue
        does = row["does"]
        low, high = row["targets"]
        assert (int(needs["targets_min"][number]), int(needs["targets_max"][number])) == (
            low,
            high,
        )
        creates = does.get("create", (None,))[0]
        assert bool(needs["creates_joker"][number]) == (creates == "Joker")
        assert bool(needs["creates_consumable"][number]) == (creates not in (None, "Joker"))
        assert bool(needs["copies_last"][number]) == bool(does.get("copies_last"))
        assert bool(needs["joker_edition"][number]) == ("joker_edition" in does)
        assert bool(needs["needs_hand"][number]) == bool(row.get("needs_hand"))
        assert bool(needs["whole_hand"][number]) == (bool(row.get("needs_hand")) and high == 0)
        assert int(needs["new_cards"][number]) == does.get("copies", 0) + does.get("new_cards", 0)


def test_a_joker_may_roll_on_the_hooks_stream():
    """A user's joker that rolls where The Hook draws goes on from The Hook's draws."""
    row = {
        "key": "j_tester", "name": "Tester", "rarity": 2, "cost": 5, "copyable": True,
        "scoring": {"main": {"mult": {"random": [0, 23], "stream": "hook"}}},
    }  # fmt: skip
    book = BOOK.with_joker(row)
    slot, number = SLOT[STREAM_ID["hook"]], book.streams.index("hook")
    state = fight(resets(["OOOO155"], [jaxtro.make_params()])[0], "bl_hook")
    state = jax.tree.map(jnp.asarray, jokers(hand(state, FULL), "j_joker"))
    work = Work(state, nothing_to_do(SHOP_SLOTS, len(book.streams)))
    work = playing.press_play(work, jnp.arange(32) < 2)
    assert bool(playing.hooks(work))
    after = playing.hook(work, book)
    now = float(after.state.streams.states[slot])
    assert now != float(state.streams.states[slot])
    rolling = playing.rolling_of(after.state, book)
    assert float(rolling[number]) == now
    assert float(playing.scored_from(after, book, rolling).streams.states[slot]) == now
    used = playing.use_rolls(replace(after, todo=replace(after.todo, rolling=rolling + 1)), book)
    assert float(used.state.streams.states[slot]) == now + 1
    chosen = np.flatnonzero(np.asarray(after.todo.discarded))
    assert len(chosen) == 2
    assert chosen.min() >= 2


def test_rows_are_the_same_packed_and_unpacked():
    g = np.random.default_rng(2)
    tree = {
        "flag": g.random(40) < 0.5, "small": g.integers(-128, 128, 40).astype(np.int8),
        "count": g.integers(0, 2**16, 40).astype(np.uint16), "number": g.integers(-(2**31), 2**31, 40).astype(np.int32),
        "real": np.where(g.random(40) < 0.2, -0.0, g.normal(size=40)), "single": g.normal(size=40).astype(np.float32),
        "long": g.integers(-(2**62), 2**62, 40), "several": g.normal(size=(40, 3)), "other": g.random(40) < 0.5,
    }  # fmt: skip
    tree["real"][:3] = [np.nan, np.inf, -np.inf]
    rows = PackedRows(tree)
    chex.assert_trees_all_equal(rows.fields(rows.words), tree)
    assert len(rows.words) == 5  # three of 64 bits, all smaller ones, and what is no number
    assert sum(word.dtype == jnp.uint64 for word in rows.words) == 4
    places = g.integers(0, 40, (7, 16))
    got = jax.jit(jax.vmap(rows_at, in_axes=(None, 0)))(tree, places)
    chex.assert_trees_all_equal(got, {name: values[places] for name, values in tree.items()})
    one = rows_at(tree, jnp.int32(5))
    assert {name: values.dtype for name, values in one.items()} == {
        name: values.dtype for name, values in tree.items()
    }


def test_rows_of_a_table_are_read_as_they_are():
    g = np.random.default_rng(3)
    columns = {
        "flag": g.random(50) < 0.5, "never": np.zeros(50, bool), "always": np.ones(50, bool),
        "signed": g.integers(-40, 3, 50).astype(np.int32),
        "constant": np.full(50, 7, np.int8), **{f"wide {n}": g.integers(-(2**30), 2**30, 50) for n in range(3)},
    }  # fmt: skip
    table = Columns(columns)
    for rows in (np.arange(50), np.int8(3), g.integers(0, 50, (4, 5))):
        found = table.at(jnp.asarray(rows))
        for name, column in columns.items():
            assert found[name].dtype == column.dtype
            np.testing.assert_array_equal(found[name], column[rows])


def test_columns_only_are_looked_up():
    with pytest.raises(ValueError, match="reads a column"):
        look_up(np.zeros((3, 2)), jnp.int32(0))


def test_columns_that_cannot_be_kept_are_told():
    with pytest.raises(TypeError, match="'odds' holds float64"):
        Columns({"odds": np.array([0.5, 2.0])})
    with pytest.raises(ValueError, match="'far' do not fit"):
        Columns({"far": np.array([-(2**62), 2**62])})


def test_places_beyond_the_ends_are_the_ends():
    values = jnp.arange(5) * 10
    for of in (values, np.asarray(values)):
        np.testing.assert_array_equal(element(of, jnp.array([-3, 0, 4, 9])), [0, 0, 40, 40])


def test_effects_of_items_are_those_of_the_table():
    its = consumables._EFFECTS.at(jnp.arange(len(ITEMS)))
    for number in range(FIRST_CONSUMABLE, FIRST_VOUCHER):
        does = ITEMS.row(number)["does"]
        for name in ("dollars", "hand_size", "double_money", "copies", "new_cards", "level"):
            assert int(its[name][number]) == does.get(name, 0), (number, name)
        assert bool(its["copy_right"][number]) == bool(does.get("copy_right"))
        assert int(its["seal"][number]) == (SEALS.keys.index(does["seal"]) if "seal" in does else 0)
    assert int(its["hand_size"].min()) < 0
