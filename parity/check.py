"""`python -m parity check`: finds out what each file is and compares it with the rules."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from parity import rng_vectors, scoring_vectors, seed_shops
from parity.errors import InputError
from parity.report import FileResult
from parity.settings import Settings, settings_of
from parity.trace_check import check_traces
from parity.traces import Trace, is_trace, read_trace

_ENDINGS = (".json", ".jsonl", ".json.gz", ".jsonl.gz")


def _looks_like_rng_vectors(data: Any) -> bool:
    return isinstance(data, dict) and bool(rng_vectors.SECTIONS & set(data))


def _looks_like_seed_shops(data: Any) -> bool:
    return (
        isinstance(data, dict)
        and isinstance(data.get("seeds"), list)
        and all(isinstance(entry, dict) and {"seed", "antes"} <= set(entry) for entry in data["seeds"])
    )


def _looks_like_scoring_vectors(data: Any) -> bool:
    return isinstance(data, list) and all(
        isinstance(case, dict) and {"played", "jokers", "ctx", "expect"} <= set(case) for case in data
    )


Checker = Callable[[str, Any], FileResult]
FORMATS: tuple[tuple[str, Callable[[Any], bool], Checker], ...] = (
    (rng_vectors.KIND, _looks_like_rng_vectors, rng_vectors.check),
    (seed_shops.KIND, _looks_like_seed_shops, seed_shops.check),
    (scoring_vectors.KIND, _looks_like_scoring_vectors, scoring_vectors.check),
)


def find_files(paths: Iterable[str]) -> list[Path]:
    """The files named, and those in the folders named.

    Raises:
      InputError: for a path that does not exist or a folder without such files.
    """
    files: list[Path] = []
    for text in paths:
        path = Path(text)
        if path.is_dir():
            found = sorted(p for p in path.rglob("*.json*") if p.name.endswith(_ENDINGS))
            found = [p for p in found if p.name != "index.json"]
            if not found:
                raise InputError(f"{path}: no .json or .jsonl file in this folder")
            files += found
        elif path.is_file():
            files.append(path)
        else:
            raise InputError(f"{path}: no such file or folder")
    return files


def read_file(path: Path) -> Any:
    """The JSON of a file; a list of lines for .jsonl.

    Raises:
      InputError: if it cannot be read.
    """
    try:
        raw = path.read_bytes()
        text = gzip.decompress(raw) if path.suffix == ".gz" else raw
        lines = ".jsonl" in path.suffixes
        return [json.loads(line) for line in text.splitlines() if line.strip()] if lines else json.loads(text)
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error})") from error


def check_file(path: Path, data: Any) -> FileResult:
    """Compares one file of vectors.

    Raises:
      InputError: if it is none of the known formats, or has nothing to compare.
    """
    for name, looks_like, check in FORMATS:
        if looks_like(data):
            try:
                result = check(str(path), data)
            except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
                raise InputError(f"{path}: looks like {name}, but {type(error).__name__}: {error}") from error
            if result.total == 0:
                raise InputError(f"{path}: looks like {name}, but holds nothing to compare")
            return result
    known = ", ".join([*(name for name, *_ in FORMATS), "trace_v1"])
    raise InputError(f"{path}: not a known format (known: {known})")


def load_trace(path: Path, data: Any, given: Mapping[str, Any]) -> tuple[Trace, Settings]:
    """A trace and the settings of its replay.

    Args:
      given: settings that replace those of the header, fields of `Settings`.

    Raises:
      InputError: if it is not as trace_v1 says.
    """
    try:
        trace = read_trace(str(path), data)
        return trace, settings_of(trace.header, given)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error


def check_files(
    paths: Iterable[Path], given: Mapping[str, Any] | None = None, include_suspect: bool = False
) -> Iterator[FileResult | InputError]:
    """Compares files, traces together in one batch; results come in the order of the files, errors in place.

    Args:
      given: settings of the replay that replace those of every trace's header, fields of `Settings`.
      include_suspect: compare states marked suspect, too.
    """
    found: list[tuple[Trace, Settings] | FileResult | InputError] = []
    for path in paths:
        try:
            data = read_file(path)
            found.append(load_trace(path, data, given or {}) if is_trace(data) else check_file(path, data))
        except InputError as error:
            found.append(error)
    loaded = [entry for entry in found if isinstance(entry, tuple)]
    replayed = iter(
        check_traces([trace for trace, _ in loaded], [settings for _, settings in loaded], include_suspect)
    )
    for entry in found:
        yield next(replayed) if isinstance(entry, tuple) else entry


def total_line(results: list[FileResult]) -> str:
    """The last line of the report."""
    matched, total = sum(r.matched for r in results), sum(r.total for r in results)
    units = {r.unit for r in results}
    unit = units.pop() if len(units) == 1 else "values"
    good = sum(r.ok for r in results)
    return f"TOTAL matched {matched} of {total} {unit}; files {good} of {len(results)}"
