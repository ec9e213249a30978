"""Replay of traces: reading, comparing, showing; the recordings of ../shared where they are."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from jaxtro.env.actions import Kind
from jaxtro.tables import BLINDS, TAGS
from parity.__main__ import _given, _parser, main
from parity.check import load_trace
from parity.compare import compare_state
from parity.errors import InputError
from parity.replay import Moment
from parity.settings import Settings, settings_of
from parity.show import show
from parity.traces import is_trace, ops_of, read_trace

HEADER = {"schema": "trace_v1", "deck": "RED", "stake": "WHITE", "seed": "OOOO155"}
START = {"i": 0, "a": {"m": "start", "p": {}}, "s": {"phase": "BLIND_SELECT", "money": 4, "round": 0}}


def test_actions_of_lines():  # type: ignore[no-untyped-def]
    (op,) = ops_of({"m": "play", "p": {"cards": [3, 1]}})
    assert (op.kind, op.cards) == (Kind.PLAY, (3, 1))
    moves = ops_of({"m": "rearrange", "p": {"jokers": [2, 0, 1]}})
    assert [(op.area, op.size, op.slot, op.to) for op in moves] == [("jokers", 3, 0, 0), ("", 0, 2, 0)]
    (op,) = ops_of({"m": "rearrange", "p": {"hand": [0, 1, 2]}})
    assert (op.kind, op.area, op.size) == (-1, "hand", 3)
    (op,) = ops_of({"m": "sell", "p": {"joker": None, "consumable": 0}})
    assert (op.kind, op.slot) == (Kind.SELL_CONSUMABLE, 0)
    (op,) = ops_of({"m": "pack", "p": {"card": 1, "targets": [0, 2]}})
    assert (op.kind, op.slot, op.cards) == (Kind.PICK, 1, (0, 2))
    assert [op.number for op in ops_of({"m": "set", "p": {"money": 5, "chips": 9}})] == [0, 1]
    assert ops_of({"m": "add", "p": {"key": "H_A", "enhancement": "glass"}})[0].add["front"] >= 0


WRONG_ACTIONS = [
    ("dance", {}), ("play", {}), ("play", {"cards": [1, 1]}), ("play", {"cards": [-1]}), ("play", {"cards": ["1"]}),
    ("play", {"cards": [1.5]}), ("play", 5), ("discard", {"cards": 1}), ("sort", {"mode": "colour"}),
    ("sort", {"mode": []}), ("rearrange", {}), ("rearrange", {"jokers": [0, 0]}), ("rearrange", {"hand": 1}),
    ("use", {}), ("sell", {}), ("sell", {"joker": 0, "consumable": 0}), ("buy", {}), ("buy", {"voucher": -1}),
    ("buy", {"card": True}), ("pack", {}),
    ("set", {}), ("set", {"luck": 1}), ("set", {"money": 1e30}), ("set", {"chips": "1"}), ("add", {}),
    ("add", {"key": "j_nobody"}), ("add", {"key": ""}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "params"), WRONG_ACTIONS, ids=str)
def test_actions_that_trace_v1_does_not_have(method, params):  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=method):
        ops_of({"m": method, "p": params})


def test_settings_of_headers():  # type: ignore[no-untyped-def]
    settings = settings_of(
        HEADER | {"profile": "default unlocks only (except Acrobat; edition Polychrome undiscovered)"}
    )
    assert "j_ticket" in settings.locked
    assert "j_acrobat" not in settings.locked
    assert "e_polychrome" in settings.locked
    assert settings_of(HEADER | {"game_version": "1.0.1o, Steamodded 1.0.0~BETA-1827b"}).boss_from_trace
    assert (
        "j_ticket"
        not in settings_of(HEADER | {"profile": "default unlocks except Golden Ticket, Acrobat"}).locked
    )
    assert settings_of(HEADER | {"profile": "everything unlocked and discovered"}).locked == ()
    assert settings_of(HEADER | {"profile": ["j_ticket"]}).locked == ("j_ticket",)
    order = settings_of(HEADER | {"todo_order": ["Pair", "Flush"]}).to_do_order
    assert sorted(order.tolist()) == list(range(12))
    assert not np.array_equal(order, settings_of(HEADER).to_do_order)


def test_what_a_profile_has_undiscovered_closes_tags():  # type: ignore[no-untyped-def]
    closed = lambda text: [  # noqa: E731
        key for key, shut in zip(TAGS.keys, settings_of({"profile": text}).closed()[1], strict=True) if shut
    ]
    assert closed("default unlocks only (edition Polychrome undiscovered)") == ["tag_polychrome"]
    assert "tag_rare" in closed("default unlocks")
    assert Settings(locked=("j_blueprint",)).closed()[1].sum() == 1


def test_settings_given_replace_those_of_the_header_and_no_others():  # type: ignore[no-untyped-def]
    header = HEADER | {
        "game_version": "1.0.1o (reference engine)",
        "profile": "fresh profile",
        "boss_order": ["bl_hook"],
    }
    with pytest.raises(InputError, match=r"'fresh profile' is not known.*everything unlocked.*--locked"):
        settings_of(header)
    settings = settings_of(header, {"locked": ()})
    assert settings.locked == ()
    assert settings.sort_by_age
    assert settings.boss_order[0] == BLINDS.keys.index("bl_hook")
    assert not settings_of(header, {"locked": (), "sort_by_age": False}).sort_by_age
    given = _given(_parser().parse_args(["check", "x", "--locked", "j_ticket, v_hone", "--sort-by-age"]))
    assert given == {"locked": ("j_ticket", "v_hone"), "sort_by_age": True}
    trace, settings = load_trace(Path("x"), [header, START], given)
    assert (settings.locked, settings.sort_by_age, settings.boss_order[0]) == (
        ("j_ticket", "v_hone"), True, BLINDS.keys.index("bl_hook"),
    )  # fmt: skip
    assert trace.plan == []


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


def test_facts_are_compared_exactly():  # type: ignore[no-untyped-def]
    def differs(name, expected, got, partial=False, **more):  # type: ignore[no-untyped-def]
        return bool(compare_state({name: expected} | more, {"phase": "SHOP", name: got}, partial))

    assert differs("chips", 0.3, 0.1 + 0.2)
    assert differs("won", 1, True)
    assert differs("won", True, 1)
    assert not differs("money", 4, 4.0)
    assert differs("chips", None, 5)
    assert not differs("chips", None, 5, partial=True)
    assert not differs("money", None, 5)
    # Where a save says nothing of a sticker there is none; where a recording says nothing it is unknown.
    plain, eternal = [{"key": "j_joker", "sell": 1}], [{"key": "j_joker", "sell": 1, "eternal": True}]
    assert differs("jokers", plain, eternal)
    assert not differs("jokers", plain, eternal, partial=True)
    assert differs("jokers", plain, eternal, partial=True, rng_full=True)


def test_a_difference_hides_no_other_item():  # type: ignore[no-untyped-def]
    got = {
        "phase": "SHOP",
        "money": 5,
        "jokers": [{"key": "j_joker", "sell": 1}, {"key": "j_egg", "sell": 2}],
    }
    expected = {
        "money": 6,
        "jokers": [{"key": "j_egg", "sell": 9}, {"key": "j_egg", "sell": 3, "ed": "foil"}],
    }
    assert [name for name, *_ in compare_state(expected, got, partial=True)] == [
        "money", "jokers[0].key", "jokers[1].ed", "jokers[1].sell",
    ]  # fmt: skip


def test_headers_and_lines_that_are_no_trace():  # type: ignore[no-untyped-def]
    assert is_trace([HEADER, START])
    assert not is_trace([{"played": []}])
    for header, lines, message in (
        ({"schema": "trace_v1", "deck": "RED", "stake": "WHITE"}, [START], "lacks seed"),
        (HEADER, [], "no line after the header"),
        (HEADER, [{"a": {"m": "select"}}], "must be start"),
        (HEADER, [START, START], "line 3 of the file: the first action, and no other"),
        (HEADER, [5], "line 2 of the file: an action"),
        (HEADER, [START, {"i": "1", "a": {"m": "skip"}}], "step i must be a number"),
        (HEADER, [START | {"s": 5}], "state must be an object"),
        (HEADER, [START | {"s": {"blinds": {"Boss": {"key": "bl_nobody"}}}}], "unknown blind"),
        (HEADER, [START | {"s": {"rng": {"boss": "much"}}}], "number of stream boss"),
        (HEADER | {"seed": 5}, [START], "seed must be a text"),
        (HEADER | {"seed": "OO!!"}, [START], "characters '!'"),
    ):
        with pytest.raises(InputError, match=message):
            read_trace("x", [header, *lines])


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
    dance = {"i": 1, "a": {"m": "dance", "p": {}}, "s": None}
    for header, lines, options, message in (
        (HEADER, [START, dance], [], "unknown action 'dance'"),
        (HEADER, [START], ["--boss-order", "bl_nobody"], "unknown blind 'bl_nobody'"),
        (HEADER, [START], ["--boss-order", "bl_hook,bl_hook"], "twice"),
        (HEADER, [START], ["--boss-order", "bl_small"], "not drawn from this list"),
        (HEADER, [START], ["--locked", "j_nobody"], "locked items: unknown item 'j_nobody'"),
        (HEADER | {"deck": "PINK"}, [START], [], "unknown deck 'PINK'"),
        (HEADER | {"seed": "OO!!"}, [START], [], "t.jsonl.gz: the seed 'OO!!'"),
        (
            HEADER | {"profile": ["j_nobody"]},
            [START],
            [],
            "t.jsonl.gz: locked items: unknown item 'j_nobody'",
        ),
        (HEADER | {"profile": "default unlocks (except Nobody)"}, [START], [], "unknown item 'Nobody'"),
        (HEADER | {"profile": "fresh profile"}, [START], [], "'fresh profile' is not known"),
        (HEADER | {"boss_order": ["bl_nobody"]}, [START], [], "t.jsonl.gz: unknown blind 'bl_nobody'"),
        (HEADER | {"todo_order": 5}, [START], [], "give a list of names"),
        (HEADER, [5], [], "line 2 of the file"),
    ):
        write(path, [header, *lines])
        assert main(["check", str(path), *options]) == 2
        assert message in capsys.readouterr().err
    write(path, [HEADER, START, 5])
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "shops.json").write_text(json.dumps({"seeds": []}))
    assert main(["check", str(tmp_path)]) == 2
    errors = capsys.readouterr().err
    for name in (
        "t.jsonl.gz: line 3",
        "empty.jsonl: looks like",
        "deep.json: cannot be read",
        "shops.json: looks like",
    ):
        assert name in errors


def test_show_refuses_what_it_cannot_show(tmp_path, capsys):  # type: ignore[no-untyped-def]
    path = tmp_path / "t.jsonl.gz"
    assert main(["show", str(tmp_path / "gone")]) == 2
    for action, state, message in (
        ({"m": "play", "p": {}}, None, "play: give cards"),
        ({"m": "buy", "p": {}}, None, "buy: give one of card, voucher, pack"),
        ({"m": "select"}, {"hand": [5]}, "a state is not as trace_v1 says"),
    ):
        write(path, [HEADER, START, {"i": 1, "a": action, "s": state}])
        assert main(["show", str(path), "--recorded"]) == 2
        assert message in capsys.readouterr().err
    for option in (["check", "x", "--show", "-1"], ["show", "x", "--to", "-1"], ["show", "x", "--from", "a"]):
        with pytest.raises(SystemExit) as stop:
            main(option)
        assert stop.value.code == 2
        assert "give a whole number from 0 on" in capsys.readouterr().err


def test_show_replays_no_step_behind_the_last(monkeypatch):  # type: ignore[no-untyped-def]
    def replay(traces, settings):  # type: ignore[no-untyped-def]
        for line in range(2):
            yield Moment(0, line, "not legal here", None, None, None)  # type: ignore[arg-type]
        raise AssertionError("replayed behind the last step")

    monkeypatch.setattr("parity.show.replay", replay)
    trace = read_trace("x", [HEADER, START, *({"i": n, "a": {"m": "skip"}, "s": None} for n in (1, 2))])
    lines = list(show(trace, settings_of(HEADER), last=1))
    assert lines[-2:] == ["1. skip", "  (not legal here)"]


@pytest.mark.parametrize("folder", ["real", "reference"])
def test_traces_of_the_oracle(shared, folder, capsys):  # type: ignore[no-untyped-def]
    assert main(["check", str(shared / "oracle" / folder)]) == 0, capsys.readouterr().out[-3000:]
    states = {"real": 132, "reference": 11501}[folder]
    assert f"TOTAL matched {states} of {states} states" in capsys.readouterr().out
