"""A short game of our own as a trace, and the script that records it: `python -m tests.parity.golden_trace`.

It is no recording of the real game: it holds on to what the environment does, so that a change of the rules shows, and
gives the tests of the comparison something to spoil. Record it anew when a rule is corrected, and look at what changed
with `python -m parity show`.
"""

import gzip
import json
from pathlib import Path
from typing import Any

from jaxtro.compile_cache import enable_compile_cache
from jaxtro.view import state_view
from parity.replay import replay
from parity.settings import settings_of
from parity.streams import number_of, stream_name, used_since
from parity.traces import read_trace

FILE = Path(__file__).parent / "data" / "golden_trace.jsonl.gz"
HEADER = {
    "schema": "trace_v1",
    "deck": "GHOST",
    "stake": "GOLD",
    "seed": "OOOO155",
    "source": "jaxtro itself (MIT), tests/parity/golden_trace.py",
    "game_version": "jaxtro",
}
# Two blinds and a skipped one, two shops, five packs, a boss, the first hand of ante 2.
ACTIONS: list[tuple[str, dict[str, Any]]] = [
    ("start", {"deck": "GHOST", "stake": "GOLD", "seed": "OOOO155"}),
    ("select", {}),
    ("sort", {"mode": "suit"}),
    ("rearrange", {"hand": [1, 0, 2, 3, 4, 5, 6, 7]}),
    ("discard", {"cards": [2, 5]}),
    ("play", {"cards": [0, 1, 2, 3, 4]}),
    ("sort", {"mode": "rank"}),
    ("play", {"cards": [0, 1, 2, 3]}),
    ("play", {"cards": [0, 1, 2, 3, 5]}),
    ("set", {"chips": 290}),
    ("play", {"cards": [0, 1]}),
    ("cash_out", {}),
    ("set", {"money": 60}),
    ("buy", {"card": 0}),
    ("buy", {"pack": 0}),
    ("pack", {"card": 0}),
    ("buy", {"pack": 0}),
    ("pack", {"card": 1}),
    ("rearrange", {"jokers": [1, 2, 0]}),
    ("buy", {"voucher": 0}),
    ("reroll", {}),
    ("add", {"key": "p_arcana_normal_1"}),
    ("buy", {"pack": 0}),
    ("pack", {"card": 1, "targets": [0]}),
    ("buy", {"card": 0}),
    ("sell", {"joker": 2}),
    ("use", {"consumable": 0}),
    ("next_round", {}),
    ("skip", {}),
    ("select", {}),
    ("add", {"key": "c_sun"}),
    ("use", {"consumable": 0, "cards": [0, 1, 2]}),
    ("add", {"key": "c_pluto"}),
    ("sell", {"joker": None, "consumable": 0}),
    ("discard", {"cards": [0, 1]}),
    ("play", {"cards": [0, 1, 2, 3, 4]}),
    ("set", {"chips": 595}),
    ("play", {"cards": [0]}),
    ("cash_out", {}),
    ("buy", {"pack": 0}),
    ("pack", {"card": 1, "targets": [0]}),
    ("pack", {"skip": True}),
    ("buy", {"pack": 0}),
    ("pack", {"card": 0}),
    ("buy", {"card": 0}),
    ("next_round", {}),
    ("select", {}),
    ("play", {"cards": [0, 1, 2]}),
    ("rearrange", {"jokers": [0, 1]}),
]


def read() -> list[dict[str, Any]]:
    """The header and the lines of the recorded file."""
    return [json.loads(line) for line in gzip.decompress(FILE.read_bytes()).splitlines()]


def record() -> list[dict[str, Any]]:
    """Plays the actions; the header and the lines with their states."""
    lines: list[dict[str, Any]] = [
        {"i": step, "a": {"m": method, "p": params}, "s": None}
        for step, (method, params) in enumerate(ACTIONS)
    ]
    seed = HEADER["seed"]
    for moment in replay([read_trace("golden", [HEADER, *lines])], [settings_of(HEADER)]):
        if moment.refused:
            raise ValueError(f"step {moment.line}: {moment.refused}")
        streams, before = moment.state.streams, moment.before.streams if moment.before else None
        used = {
            stream_name(stream): number_of(streams, stream, seed)
            for stream in used_since(streams, before, seed)
        }
        lines[moment.line]["s"] = state_view(moment.state, moment.derived) | {"rng": used}
    return [HEADER | {"steps": len(lines) - 1}, *lines]


def write(path: Path, lines: list[Any]) -> None:
    """Writes a trace; the same lines give the same bytes."""
    path.parent.mkdir(exist_ok=True)
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    enable_compile_cache()
    write(FILE, record())
    print(f"{FILE}: {FILE.stat().st_size} bytes")
