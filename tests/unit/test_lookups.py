"""Columns by item id, kept and read in ways that suit the machine."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxtro
from jaxtro.env.joker_events import _FEW_JOKERS, events_of, look_up
from jaxtro.env.phases import playing
from jaxtro.env.phases.consumables import needs_of
from jaxtro.env.scoring import BOOK
from jaxtro.env.state import SHOP_SLOTS
from jaxtro.env.work import Work, nothing_to_do
from jaxtro.tables import ITEMS
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


@pytest.mark.parametrize("others", [0, 1, _FEW_JOKERS, _FEW_JOKERS + 1, 40])
def test_columns_with_few_and_many_jokers(others):
    column = np.full(60, 7.5)
    column[np.random.default_rng(others).permutation(60)[:others]] = np.arange(others) - 3.0
    ids = np.array([[0, 59, 3], [17, 17, 42]], np.int16)
    np.testing.assert_array_equal(jax.jit(lambda ids: look_up(column, ids))(ids), column[ids])


def test_what_items_need_is_what_the_table_says():
    needs = needs_of(jnp.arange(len(ITEMS)))
    for number in range(1, len(ITEMS)):
        row, used = ITEMS.row(number), FIRST_CONSUMABLE <= number < FIRST_VOUCHER
        assert bool(needs.has("is_consumable")[number]) == used
        if not used:
            assert int(needs.number("targets_max")[number]) == 0
            continue
        does = row["does"]
        low, high = row["targets"]
        assert (int(needs.number("targets_min")[number]), int(needs.number("targets_max")[number])) == (
            low,
            high,
        )
        creates = does.get("create", (None,))[0]
        assert bool(needs.has("creates_joker")[number]) == (creates == "Joker")
        assert bool(needs.has("creates_consumable")[number]) == (creates not in (None, "Joker"))
        assert bool(needs.has("copies_last")[number]) == bool(does.get("copies_last"))
        assert bool(needs.has("joker_edition")[number]) == ("joker_edition" in does)
        assert bool(needs.has("needs_hand")[number]) == bool(row.get("needs_hand"))
        assert bool(needs.has("whole_hand")[number]) == (bool(row.get("needs_hand")) and high == 0)
        assert int(needs.number("new_cards")[number]) == does.get("copies", 0) + does.get("new_cards", 0)


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
    work = Work(state, nothing_to_do(SHOP_SLOTS, playing.rolling_of(state, book)))
    work = playing.press_play(work, jnp.arange(32) < 2)
    assert bool(playing.hooks(work))
    after = playing.hook(work, book)
    now = float(after.state.streams.states[slot])
    assert now != float(state.streams.states[slot])
    assert float(after.todo.rolling[number]) == now
    assert float(playing.scored_from(after, book).streams.states[slot]) == now
    used = playing.use_rolls(replace(after, todo=replace(after.todo, rolling=after.todo.rolling + 1)), book)
    assert float(used.state.streams.states[slot]) == now + 1
    chosen = np.flatnonzero(np.asarray(after.todo.discarded))
    assert len(chosen) == 2
    assert chosen.min() >= 2
