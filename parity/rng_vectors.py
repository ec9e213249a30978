"""Comparison with `rng_vectors` files: hashes, streams, generators, shuffles, decks, targets, real saves."""

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxtro
from jaxtro.env import generation as gen
from jaxtro.env import rng
from jaxtro.tables import streams as table
from jaxtro.tables.pools import FRONTS, SUITS
from parity.report import FileResult, Mismatch

KIND, UNIT = "rng vectors", "values"
_SUIT_NAMES = {"C": "Clubs", "D": "Diamonds", "H": "Hearts", "S": "Spades"}


def _texts(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Texts as uint8[B, N] with N a multiple of 16, and their lengths."""
    width = -(-max(map(len, texts)) // 16) * 16
    array = np.zeros((len(texts), width), np.uint8)
    for row, text in enumerate(texts):
        array[row, : len(text)] = np.frombuffer(text.encode("ascii"), np.uint8)
    return array, np.array([len(text) for text in texts], np.int32)


def _same(got: float, expected: float) -> bool:
    return got == expected or (np.isnan(got) and np.isnan(expected))


def _number(text: str | None) -> float:
    return float("nan") if text is None or "nan" in str(text).lower() else float.fromhex(text)


def _state(k: Any) -> float:
    """The state of a stream from its integer form (times 1e13); NaN for null or a text such as "nan"."""
    try:
        return float("nan") if k is None else int(k) / 1e13
    except ValueError:
        return float("nan")


def _hash(result: FileResult, rows: list[dict[str, Any]]) -> None:
    got = np.asarray(jax.jit(jax.vmap(rng.hash_text))(*_texts([row["s"] for row in rows])))
    for row, value in zip(rows, got, strict=True):
        _count(result, "hash", f"hash of {row['s']!r}", _number(row["h"]), float(value))


def _count(result: FileResult, section: str, where: str, expected: Any, got: Any) -> None:
    if isinstance(expected, float):
        good, shown = _same(got, expected), (expected.hex(), float(got).hex())
    else:
        good, shown = got == expected, (expected, got)
    result.count(section, [] if good else [Mismatch(where, section, *shown)])


def _stream_uses(seeds: list[str], keys: list[str], uses: int) -> tuple[np.ndarray, ...]:
    """States, generator seeds and floats of the first uses of streams: float64[B, uses] each."""

    def one(text: jax.Array, length: jax.Array, seed: jax.Array) -> tuple[jax.Array, ...]:
        seed_hash = rng.hash_seed(seed)

        def use(state: jax.Array, _: None) -> tuple[jax.Array, tuple[jax.Array, ...]]:
            state = rng.step_stream(state)
            d = rng.generator_seed(state, seed_hash)
            return state, (state, d, rng.first_float(d))

        return jax.lax.scan(use, rng.hash_text(text, length), None, length=uses)[1]

    texts, lengths = _texts([key + seed for key, seed in zip(keys, seeds, strict=True)])
    encoded = np.stack([jaxtro.encode_seed(seed) for seed in seeds])
    return tuple(np.asarray(part) for part in jax.jit(jax.vmap(one))(texts, lengths, encoded))


def _streams(result: FileResult, section: dict[str, Any]) -> None:
    rows = section["rows"]
    uses = max(len(row["steps"]) for row in rows)
    states, seeds, floats = _stream_uses([r["seed"] for r in rows], [r["key"] for r in rows], uses)
    for number, row in enumerate(rows):
        for use, (k, d, u) in enumerate(row["steps"]):
            where = f"seed {row['seed']} key {row['key']} use {use + 1}"
            _count(result, "streams", where + " state", _state(k), float(states[number, use]))
            _count(result, "streams", where + " generator seed", _number(d), float(seeds[number, use]))
            _count(result, "streams", where + " float", _number(u), float(floats[number, use]))


def _step_edge(result: FileResult, rows: list[dict[str, Any]]) -> None:
    start = np.array([_state(row["in"]) for row in rows])
    got = np.asarray(jax.jit(jax.vmap(rng.step_stream))(start))
    for row, value in zip(rows, got, strict=True):
        _count(result, "step_edge", f"step from {row['in']}", _state(row["out"]), float(value))
        _count(
            result, "step_edge", f"step from {row['in']}, as float", _number(row["out_float"]), float(value)
        )


def _generator(result: FileResult, rows: list[dict[str, Any]]) -> None:
    count = max(len(row["floats"]) for row in rows)

    def one(d: jax.Array) -> tuple[Any, ...]:
        warm = rng.warm_generator(d)
        words, floats = warm, []
        for _ in range(count):
            u, words = rng.next_float(words)
            floats.append(u)
        return rng.seed_generator(d), warm, tuple(floats)

    seeds = np.array([_number(row["seed"]) for row in rows])
    words, warm, floats = jax.device_get(jax.jit(jax.vmap(one))(seeds))
    for n, row in enumerate(rows):
        where = f"generator {row['seed']}"
        for name, got in (("words", words), ("after_warmup", warm)):
            expected = [int(word, 16) for word in row[name]]
            _count(result, "generator", f"{where} {name}", expected, [int(word) for word in got[n]])
        for i, text in enumerate(row["floats"]):
            _count(result, "generator", f"{where} float {i + 1}", _number(text), float(floats[i][n]))
        for name, expected in row["first_int_1_to_n"].items():
            low, high = map(int, name.split("..")) if ".." in name else (1, int(name))
            got = int(rng.to_index(jnp.float64(floats[0][n]), jnp.float64(high - low + 1))) + low
            _count(result, "generator", f"{where} integer {name}", expected, got)


def _shuffle(result: FileResult, rows: list[dict[str, Any]]) -> None:
    size = max(row["n"] for row in rows)
    order = np.arange(1, size + 1, dtype=np.int32)
    shuffle = jax.jit(jax.vmap(rng.shuffle, in_axes=(None, 0, 0)))
    counts = np.array([row["n"] for row in rows], np.int32)
    got = np.asarray(shuffle(order, counts, np.array([_number(row["seed"]) for row in rows])))
    for n, row in enumerate(rows):
        _count(result, "shuffle", f"shuffle {row['seed']}", row["result"], got[n, : row["n"]].tolist())


def _deck(result: FileResult, rows: list[dict[str, Any]]) -> None:
    """Deck orders; a key is a stream text, with "(2nd draw)" behind it for a later use."""

    def order(seed: jax.Array, stream: jax.Array, ante: jax.Array, uses: jax.Array) -> jax.Array:
        state = rng.stream_start(stream, ante, 1, seed)
        state = jax.lax.fori_loop(0, uses, lambda _, state: rng.step_stream(state), state)
        d = rng.generator_seed(state, rng.hash_seed(seed))
        return rng.shuffle(jnp.arange(52, dtype=jnp.int32), jnp.int32(52), d)

    streams, antes, uses = [], [], []
    for row in rows:
        found = re.fullmatch(r"(\S+)(?: \((\d+)\w+ draw\))?", row["key"])
        parsed = table.parse_key(found[1]) if found else None
        if found is None or parsed is None:
            raise ValueError(f"unknown deck key {row['key']!r}")
        streams.append(table.STREAM_ID[parsed[0]])
        antes.append(parsed[1])
        uses.append(int(found[2] or 1))
    seeds = np.stack([jaxtro.encode_seed(row["seed"]) for row in rows])
    got = np.asarray(jax.jit(jax.vmap(order))(seeds, np.array(streams), np.array(antes), np.array(uses)))
    for n, row in enumerate(rows):
        where = f"deck of seed {row['seed']} key {row['key']}"
        _count(result, "deck", where, row["order_bottom_to_top"], [FRONTS[front] for front in got[n]])


def _erratic(result: FileResult, rows: list[dict[str, Any]]) -> None:
    def drawn(seed: jax.Array) -> tuple[jax.Array, jax.Array]:
        streams = rng.start_streams(seed, 1, ["erratic"])

        def one(streams: rng.Streams, _: None) -> tuple[rng.Streams, jax.Array]:
            front, streams = rng.pick(streams, "erratic", jnp.int32(1), len(FRONTS))
            return streams, front

        deck, _ = gen.starting_deck(streams, gen.make_rules("b_erratic"))
        return jax.lax.scan(one, streams, None, length=52)[1], deck.front

    seeds = np.stack([jaxtro.encode_seed(row["seed"]) for row in rows])
    fronts, decks = jax.device_get(jax.jit(jax.vmap(drawn))(seeds))
    for n, row in enumerate(rows):
        expected = row["drawn_in_order"]
        _count(result, "erratic", f"draws of seed {row['seed']}", expected, [FRONTS[f] for f in fronts[n]])
        deck = [FRONTS[front] for front in decks[n]]
        _count(result, "erratic", f"deck of seed {row['seed']}", sorted(expected), deck)


def _round_targets(result: FileResult, rows: list[dict[str, Any]]) -> None:
    rounds = max(len(row["rows"]) for row in rows)

    def targets(seed: jax.Array) -> gen.RoundTargets:
        streams = rng.start_streams(seed, 1, ["idol{a}", "mail{a}", "cas{a}", "anc{a}"])

        def one(carry: tuple, _: None) -> tuple:
            streams, ancient = carry
            plain, there = jnp.zeros(52, jnp.int8), jnp.ones(52, bool)
            found, streams = gen.round_targets(streams, jnp.int32(1), plain, there, ancient)
            return (streams, found.ancient), found

        return jax.lax.scan(one, (streams, jnp.int32(-1)), None, length=rounds)[1]

    seeds = np.stack([jaxtro.encode_seed(row["seed"]) for row in rows])
    got = jax.device_get(jax.jit(jax.vmap(targets))(seeds))
    for n, row in enumerate(rows):
        for i, expected in enumerate(row["rows"]):
            found = {
                "idol": FRONTS[got.idol[n, i]],
                "mail_rank_of": FRONTS[got.mail[n, i]],
                "castle_suit_of": FRONTS[got.castle[n, i]],
                "ancient": _SUIT_NAMES[SUITS[got.ancient[n, i]]],
            }
            for name, value in expected.items():
                _count(result, "round_targets", f"seed {row['seed']} row {i} {name}", value, found.get(name))


def _real_game_states(result: FileResult, section: dict[str, Any]) -> None:
    by_uses: dict[int, list] = defaultdict(list)
    for seed, key, uses, state in section["rows"]:
        by_uses[uses].append((seed, key, state))
    for uses, rows in by_uses.items():
        states, *_ = _stream_uses([row[0] for row in rows], [row[1] for row in rows], uses)
        for n, (seed, key, state) in enumerate(rows):
            where = f"save of seed {seed} key {key} after {uses} draws"
            _count(result, "real_game_states", where, _state(state), float(states[n, -1]))
    _game_streams(result, section["rows"])


def _game_streams(result: FileResult, rows: list[list[Any]]) -> None:
    """The same states through `Streams`, for the keys that the game has without mods."""
    known = [(row, parsed) for row in rows if (parsed := table.parse_key(row[1])) is not None]
    if not known:
        return

    def one(
        seed: jax.Array, stream: jax.Array, ante: jax.Array, level: jax.Array, uses: jax.Array
    ) -> jax.Array:
        state = rng.stream_start(stream, ante, level, seed)
        return jax.lax.fori_loop(0, uses, lambda _, state: rng.step_stream(state), state)

    args = (
        np.stack([jaxtro.encode_seed(row[0]) for row, _ in known]),
        np.array([table.STREAM_ID[parsed[0]] for _, parsed in known], np.int32),
        np.array([parsed[1] for _, parsed in known], np.int32),
        np.array([parsed[2] for _, parsed in known], np.int32),
        np.array([row[2] for row, _ in known], np.int32),
    )
    got = np.asarray(jax.jit(jax.vmap(one))(*args))
    for (row, _), value in zip(known, got, strict=True):
        where = f"stream table: seed {row[0]} key {row[1]} after {row[2]} draws"
        _count(result, "stream_table", where, _state(row[3]), float(value))


_SECTIONS: dict[str, Callable[[FileResult, Any], None]] = {
    "hash": _hash,
    "streams": _streams,
    "step_edge": _step_edge,
    "generator": _generator,
    "shuffle": _shuffle,
    "deck": _deck,
    "erratic": _erratic,
    "round_targets": _round_targets,
    "real_game_states": _real_game_states,
}

SECTIONS = frozenset(_SECTIONS)


def check(path: str, data: dict[str, Any]) -> FileResult:
    """Compares every value of every section; a section that is not known counts as a difference."""
    result = FileResult(path, KIND, UNIT)
    for name, section in data.items():
        if name == "meta":
            continue
        if name in _SECTIONS:
            if section and (not isinstance(section, dict) or section["rows"]):
                _SECTIONS[name](result, section)
        else:
            result.count(name, [Mismatch(name, "section", "a known section", "unknown")])
    return result
