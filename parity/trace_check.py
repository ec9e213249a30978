"""Comparing the states of recorded games with the run, line by line."""

from typing import Any

import numpy as np

from jaxtro.tables import ITEMS
from jaxtro.view import Derived, state_view
from parity.compare import Difference, compare_state
from parity.errors import InputError
from parity.replay import Moment, replay
from parity.report import FileResult, Mismatch
from parity.settings import Settings
from parity.streams import compare_streams
from parity.traces import Trace

KIND, UNIT = "trace", "states"


def _tag_not_fired(expected: dict[str, Any], got: dict[str, Any]) -> bool:
    """Whether a save was written while a Boss Tag is about to fire; it then holds the boss from before.

    Such states exist in two saves of seed TEST123, and the next state of the same file has the tag gone and the
    boss drawn.
    """
    return bool(expected.get("rng_full")) and expected.get("tags") == [*got["tags"], "tag_boss"]


def _of_the_tag(name: str) -> bool:
    """Whether a Boss Tag that fires changes a field."""
    return name in ("tags", "blinds.Boss.key", "rng.boss (uses)") or name.startswith("bosses_used")


def _state_differences(trace: Trace, moment: Moment, expected: dict[str, Any]) -> list[Difference]:
    """The facts and streams of a recorded state that differ."""
    got = state_view(moment.state, moment.derived)
    real, full = bool(trace.header.get("partial")), bool(expected.get("rng_full"))
    found = compare_state(expected, got, real)
    if expected.get("rng") is not None:
        # A save lists the streams used since the start of the run, another state those of its own step.
        before = moment.before.streams if moment.before and not full else None
        found += compare_streams(
            expected["rng"], moment.state.streams, before, trace.header["seed"], complete=full or not real, foreign=real
        )  # fmt: skip
    if expected.get("used_jokers") is not None:
        found += _existing(expected["used_jokers"], got["vouchers"], moment.derived)
    if _tag_not_fired(expected, got):
        found = [difference for difference in found if not _of_the_tag(difference[0])]
    return found


def _existing(expected: list[str], redeemed: list[str], derived: Derived) -> list[Difference]:
    """The items that exist; redeemed vouchers are left out (their cards stay around for a while)."""
    got = sorted(ITEMS.keys[n] for n in np.flatnonzero(derived.exists) if n)
    wanted = sorted(key for key in expected if key in ITEMS.keys and key not in redeemed)
    return [] if got == wanted else [("used_jokers", wanted, got)]


def _differences(trace: Trace, moment: Moment, with_state: bool) -> list[Difference]:
    """What differs at a line: the action if it was refused, and the facts of the state if they count."""
    line = trace.lines[moment.line]
    found: list[Difference] = []
    if moment.refused:
        found.append(("action", f"{line['a']['m']} {line['a'].get('p') or ''}".rstrip(), moment.refused))
    if with_state:
        try:
            found += _state_differences(trace, moment, line["s"])
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            where = f"{trace.path}: step {line.get('i', moment.line)}"
            raise InputError(
                f"{where}: the state is not as trace_v1 says ({type(error).__name__}: {error})"
            ) from error
    return found


def check_traces(
    traces: list[Trace], settings: list[Settings], include_suspect: bool = False
) -> list[FileResult | InputError]:
    """Compares every state of every trace; a trace is compared up to its first difference.

    States behind the first difference count as not matched.

    Args:
      include_suspect: compare states marked `suspect`, too.

    Returns:
      For each trace its result, or the error where a state cannot be read.
    """
    results: list[FileResult | InputError] = [FileResult(trace.path, KIND, UNIT) for trace in traces]

    def counts(line: dict[str, Any]) -> bool:
        return line.get("s") is not None and (include_suspect or not line.get("suspect"))

    moments = replay(traces, settings)
    stop: bool | None = None
    while True:
        try:
            moment = moments.send(stop)
        except StopIteration:
            return results
        stop = None
        trace, result = traces[moment.game], results[moment.game]
        assert isinstance(result, FileResult)  # a trace with an error was stopped
        line = trace.lines[moment.line]
        compared = counts(line)
        try:
            found = _differences(trace, moment, compared)
        except InputError as error:
            results[moment.game], stop = error, True
            continue
        method, params = line["a"]["m"], line["a"].get("p") or ""
        where = f"step {line.get('i', moment.line)}, after {method} {params}".rstrip()
        if line.get("suspect"):
            where += " (a suspect line)"
        mismatches = [Mismatch(where, name, wanted, got) for name, wanted, got in found]
        if compared:
            result.count(UNIT, mismatches)
        else:
            result.mismatches += mismatches
        if found:
            rest = sum(counts(other) for other in trace.lines[moment.line + 1 :])
            result.total += rest
            if rest:
                result.sections.setdefault(UNIT, [0, 0])[1] += rest
            stop = True
