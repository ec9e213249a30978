"""A trace of our own replays, and copies of it that are spoilt in one place fail there."""

import contextlib
import copy
import io
import json

import pytest

from parity.__main__ import main
from parity.streams import number_after
from tests.parity import golden_trace

LINES = golden_trace.read()
LAST = LINES[-1]["i"]


def at(lines, step):  # type: ignore[no-untyped-def]
    return lines[step + 1]


def state(lines, step):  # type: ignore[no-untyped-def]
    return at(lines, step)["s"]


def wrong_money(lines):  # type: ignore[no-untyped-def]
    state(lines, 12)["money"] = 61


def chips_off_by_a_hair(lines):  # type: ignore[no-untyped-def]
    state(lines, 5)["chips"] = 180 * (1 + 1e-13)


def true_for_a_number(lines):  # type: ignore[no-untyped-def]
    state(lines, 1)["ante"] = True


def null_for_a_pack(lines):  # type: ignore[no-untyped-def]
    state(lines, 14)["pack"] = None


def deck_order(lines):  # type: ignore[no-untyped-def]
    deck = state(lines, 1)["deck"]
    deck[0], deck[1] = deck[1], deck[0]


def sticker_left_out(lines):  # type: ignore[no-untyped-def]
    del state(lines, 14)["pack"]["cards"][0]["perish"]


def other_joker_and_sticker(lines):  # type: ignore[no-untyped-def]
    jokers = state(lines, 15)["jokers"]
    jokers[0]["key"], jokers[0]["sell"] = "j_joker", 99
    jokers[1]["perish"] = 1


def stream_used_more_often(lines):  # type: ignore[no-untyped-def]
    state(lines, 11)["rng"]["cdt1"] = number_after("OOOO155", ("cdt{a}", 1, 1), 3)


def stream_not_listed(lines):  # type: ignore[no-untyped-def]
    del state(lines, 11)["rng"]["cdt1"]


def stream_of_the_new_ante_not_listed(lines):  # type: ignore[no-untyped-def]
    del state(lines, 38)["rng"]["cdt2"]


def stream_not_used(lines):  # type: ignore[no-untyped-def]
    state(lines, 12)["rng"]["misprint"] = number_after("OOOO155", ("misprint", 1, 1), 1)


def unknown_stream(lines):  # type: ignore[no-untyped-def]
    state(lines, 12)["rng"]["weather"] = 0.5


def illegal_action(lines):  # type: ignore[no-untyped-def]
    at(lines, 13)["a"]["p"] = {"card": 7}


def illegal_action_at_an_unknown_state(lines):  # type: ignore[no-untyped-def]
    at(lines, LAST)["a"], at(lines, LAST)["s"] = {"m": "cash_out"}, None


def short_rearrangement(lines):  # type: ignore[no-untyped-def]
    at(lines, 18)["a"]["p"] = {"jokers": [1, 0]}


# What is spoilt, where it shows, and the first differences as (field, expected, got).
SPOILT = {
    wrong_money: (12, [("money", 61, 60)]),
    chips_off_by_a_hair: (5, [("chips", 180 * (1 + 1e-13), 180)]),
    true_for_a_number: (1, [("ante", True, 1)]),
    sticker_left_out: (14, [("pack.cards[0].perish", None, 5)]),
    other_joker_and_sticker: (
        15,
        [("jokers[0].key", "j_joker", "j_burglar"), ("jokers[1].perish", 1, 5)],
    ),
    stream_used_more_often: (11, [("rng.cdt1 (uses)", 3, 2)]),
    stream_not_listed: (11, [("rng.cdt1 (uses)", "not used", "used")]),
    stream_of_the_new_ante_not_listed: (38, [("rng.cdt2 (uses)", "not used", "used")]),
    stream_not_used: (12, [("rng.misprint (uses)", 1, 0)]),
    unknown_stream: (12, [("rng.weather", 0.5, "(no such stream)")]),
    illegal_action: (13, [("action", "buy {'card': 7}", "not legal here"), ("money", 54, 60)]),
    illegal_action_at_an_unknown_state: (LAST, [("action", "cash_out", "not legal here")]),
    short_rearrangement: (
        18,
        [("action", "rearrange {'jokers': [1, 0]}", "not legal here: there are 3 jokers to arrange")],
    ),
}


def spoilt(change):  # type: ignore[no-untyped-def]
    lines = copy.deepcopy(LINES)
    change(lines)
    return lines


@pytest.fixture(scope="module")
def checked(tmp_path_factory):  # type: ignore[no-untyped-def]
    """The golden trace and all spoilt copies, replayed together: exit status, results by name, errors."""
    folder = tmp_path_factory.mktemp("traces")
    golden_trace.write(folder / "golden.jsonl.gz", LINES)
    for change in (*SPOILT, null_for_a_pack, deck_order):
        golden_trace.write(folder / f"{change.__name__}.jsonl.gz", spoilt(change))
    bare = [LINES[0], *({**line, "s": None} for line in LINES[1:])]
    golden_trace.write(folder / "bare.jsonl.gz", bare)
    golden_trace.write(
        folder / "unreadable.jsonl.gz", spoilt(lambda lines: state(lines, 13).update(jokers=[{"k": 1}]))
    )
    golden_trace.write(folder / "header.jsonl.gz", [LINES[0] | {"seed": "OO!!"}, *LINES[1:]])
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        status = main(["check", str(folder), "--json"])
    report = json.loads(out.getvalue())
    results = {result["path"].split("/")[-1].split(".")[0]: result for result in report["files"]}
    return status, results, errors.getvalue()


def test_the_golden_trace_matches(checked):  # type: ignore[no-untyped-def]
    result = checked[1]["golden"]
    assert result["mismatches"] == []
    assert result["matched"] == result["total"] == len(golden_trace.ACTIONS)
    assert golden_trace.FILE.stat().st_size < 100_000


@pytest.mark.parametrize("change", SPOILT, ids=lambda change: change.__name__)
def test_spoilt_copies_fail_where_they_are_spoilt(checked, change):  # type: ignore[no-untyped-def]
    step, expected = SPOILT[change]
    result = checked[1][change.__name__]
    found = result["mismatches"]
    assert [(one["field"], one["expected"], one["got"]) for one in found[: len(expected)]] == expected
    assert all(one["where"].startswith(f"step {step}, after ") for one in found)
    assert result["matched"] == step
    if change not in (illegal_action, short_rearrangement):
        assert len(found) == len(expected)


def test_null_and_order_count(checked):  # type: ignore[no-untyped-def]
    (missing,) = checked[1]["null_for_a_pack"]["mismatches"]
    assert (missing["field"], missing["expected"]) == ("pack", None)
    deck = LINES[2]["s"]["deck"]
    assert [
        (one["field"], one["expected"], one["got"]) for one in checked[1]["deck_order"]["mismatches"]
    ] == [
        ("deck[0].c", deck[1]["c"], deck[0]["c"]),
        ("deck[1].c", deck[0]["c"], deck[1]["c"]),
    ]


def test_files_that_cannot_be_read_do_not_hide_the_others(checked):  # type: ignore[no-untyped-def]
    status, results, errors = checked
    assert status == 2
    assert "header.jsonl.gz: the seed 'OO!!'" in errors
    assert "unreadable.jsonl.gz: step 13: the state is not as trace_v1 says" in errors
    assert not {"header", "unreadable"} & set(results)
    assert results["bare"]["total"] == 0
    assert results["bare"]["mismatches"] == []


def test_the_golden_trace_is_what_the_script_records(checked):  # type: ignore[no-untyped-def]
    assert golden_trace.record() == LINES
