"""Replay of traces: reading, comparing, showing; the recordings of ../shared where they are."""

import gzip
import json

import numpy as np
import pytest

from jaxtro.env.actions import Kind
from parity.__main__ import main
from parity.compare import compare_state
from parity.traces import TraceError, is_trace, ops_of, read_trace, settings_of

HEADER = {"schema": "trace_v1", "deck": "RED", "stake": "WHITE", "seed": "OOOO155"}
START = {"i": 0, "a": {"m": "start", "p": {}}, "s": {"phase": "BLIND_SELECT", "money": 4, "round": 0}}


def test_actions_of_lines():  # type: ignore[no-untyped-def]
    (op,) = ops_of({"m": "play", "p": {"cards": [3, 1]}})
    assert (op.kind, op.cards) == (Kind.PLAY, (3, 1))
    moves = ops_of({"m": "rearrange", "p": {"jokers": [2, 0, 1]}})
    assert [(op.slot, op.to) for op in moves] == [(2, 0)]
    assert ops_of({"m": "rearrange", "p": {"hand": [0, 1, 2]}}) == []
    (op,) = ops_of({"m": "pack", "p": {"card": 1, "targets": [0, 2]}})
    assert (op.kind, op.slot, op.cards) == (Kind.PICK, 1, (0, 2))
    assert [op.number for op in ops_of({"m": "set", "p": {"money": 5, "chips": 9}})] == [0, 1]
    assert ops_of({"m": "add", "p": {"key": "H_A", "enhancement": "glass"}})[0].add["front"] >= 0
    for wrong in (
        {"m": "dance"}, {"m": "sort", "p": {"mode": "colour"}}, {"m": "rearrange", "p": {"jokers": [0, 0]}},
        {"m": "set", "p": {"luck": 1}}, {"m": "add", "p": {"key": "j_nobody"}}, {"m": "play", "p": {"cards": [1, 1]}},
    ):  # fmt: skip
        with pytest.raises(TraceError):
            ops_of(wrong)


def test_settings_of_headers():  # type: ignore[no-untyped-def]
    settings = settings_of(
        HEADER | {"profile": "default unlocks only (except Acrobat; edition Polychrome undiscovered)"}
    )
    assert "j_ticket" in settings.locked
    assert "j_acrobat" not in settings.locked
    assert "e_polychrome" in settings.locked
    assert settings_of(HEADER | {"game_version": "1.0.1o, Steamodded 1.0.0~BETA-1827b"}).boss_from_trace
    order = settings_of(HEADER | {"todo_order": ["Pair", "Flush"]}).to_do_order
    assert sorted(order.tolist()) == list(range(12))
    assert not np.array_equal(order, settings_of(HEADER).to_do_order)


def test_differences_are_named():  # type: ignore[no-untyped-def]
    got = {
        "phase": "SHOP",
        "money": 5,
        "hand": [],
        "jokers": [{"key": "j_joker", "sell": 1, "num": {}}],
        "ante": 1,
    }
    assert compare_state({"phase": "SHOP", "money": 5, "ante": None}, got, partial=True) == []
    assert compare_state({"money": 6}, got, partial=True) == [("money", 6, 5)]
    found = compare_state(
        {"jokers": [{"key": "j_joker", "sell": 1, "ed": "foil", "num": {}}]}, got, partial=False
    )
    assert found == [("jokers[0].ed", "foil", None)]
    assert compare_state({"hand": ["S_A"]}, got, partial=True)[0][0] == "hand"


def test_headers_and_lines_that_are_no_trace():  # type: ignore[no-untyped-def]
    assert is_trace([HEADER, START])
    assert not is_trace([{"played": []}])
    with pytest.raises(TraceError, match="seed"):
        read_trace("x", [{"schema": "trace_v1", "deck": "RED", "stake": "WHITE"}, START])
    with pytest.raises(TraceError, match="start"):
        read_trace("x", [HEADER])


def write(path, lines):  # type: ignore[no-untyped-def]
    with gzip.open(path, "wt") as file:
        file.write("\n".join(json.dumps(line) for line in lines))


def test_show_recorded(tmp_path, capsys):  # type: ignore[no-untyped-def]
    path = tmp_path / "t.jsonl.gz"
    hand = ["S_J", {"c": "H_T", "enh": "gold", "seal": "red"}, {"down": True}]
    line = {"i": 1, "a": {"m": "select", "p": {}}, "s": {"phase": "SELECTING_HAND", "hand": hand, "chips": 0}}
    write(path, [HEADER, START, line, {"i": 2, "a": {"m": "play", "p": {"cards": [1, 0]}}, "s": None}])
    assert main(["show", str(path), "--recorded"]) == 0
    out = capsys.readouterr().out
    assert "seed OOOO155" in out
    assert "hand: JS 10H (gold, red seal) ??" in out
    assert "2. play JS 10H (gold, red seal)" in out


def test_inputs_that_cannot_be_read(tmp_path, capsys):  # type: ignore[no-untyped-def]
    path = tmp_path / "t.jsonl.gz"
    write(path, [HEADER, START, {"i": 1, "a": {"m": "dance", "p": {}}, "s": None}])
    assert main(["check", str(path)]) == 2
    assert "dance" in capsys.readouterr().err
    assert main(["show", str(tmp_path / "gone")]) == 2
    assert main(["check", str(path), "--boss-order", "bl_nobody"]) == 2
    write(path, [HEADER | {"deck": "PINK"}, START])
    assert main(["check", str(path)]) == 2


@pytest.mark.parametrize("folder", ["real", "reference"])
def test_traces_of_the_oracle(shared, folder, capsys):  # type: ignore[no-untyped-def]
    assert main(["check", str(shared / "oracle" / folder)]) == 0, capsys.readouterr().out[-3000:]
    states = {"real": 132, "reference": 11479}[folder]
    assert f"TOTAL matched {states} of {states} states" in capsys.readouterr().out
