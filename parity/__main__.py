"""Command line of the parity checks: `python -m parity check PATH...`, `python -m parity show TRACE`."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from jaxtro.compile_cache import enable_compile_cache
from jaxtro.tables import UnknownNameError
from parity.check import InputError, check_files, find_files, read_file, total_line
from parity.report import FileResult
from parity.show import show
from parity.traces import (
    Settings,
    Trace,
    TraceError,
    boss_order,
    hand_order,
    is_trace,
    read_trace,
    settings_of,
)


def _settings_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "settings of a recording",
        "Taken from a trace's header; given here, they hold for every trace.",
    )
    group.add_argument("--locked", metavar="KEYS", help="items its profile has not unlocked, with commas")
    group.add_argument("--boss-order", metavar="KEYS", help="bosses in the order of its boss stream")
    group.add_argument("--todo-order", metavar="HANDS", help="poker hands in the order of To Do List")
    group.add_argument(
        "--boss-from-trace", action="store_true", help="take each boss from the recorded states"
    )


def _settings(args: argparse.Namespace, header: dict | None = None) -> Settings | None:
    """The settings given on the command line, None if there are none."""
    given: dict[str, Any] = {}
    split = lambda text: [part.strip() for part in text.split(",") if part.strip()]  # noqa: E731
    if args.locked is not None:
        given["locked"] = tuple(split(args.locked))
    if args.boss_order is not None:
        given["boss_order"] = boss_order(split(args.boss_order))
    if args.todo_order is not None:
        given["to_do_order"] = hand_order(split(args.todo_order))
    if args.boss_from_trace:
        given["boss_from_trace"] = True
    if not given:
        return None
    return replace(settings_of(header or {}), **given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m parity", description="Compares jaxtro with the real game."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser(
        "check",
        help="compare files of vectors and traces with the public functions",
        description="Finds out what each file is (rng vectors, seed shops, scoring vectors, trace_v1) and compares "
        "it; traces are replayed together. A trace is compared up to its first difference; states behind it count "
        "as not matched. Exit status: 0 all match, 1 something differs, 2 an input cannot be read.",
    )
    check.add_argument("paths", nargs="+", metavar="PATH", help="files or folders")
    check.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    check.add_argument("--show", type=int, default=5, metavar="N", help="differences to print per file")
    check.add_argument(
        "--include-suspect", action="store_true", help="compare states that a trace marks as suspect, too"
    )
    _settings_arguments(check)
    show_parser = commands.add_parser("show", help="print a trace as a person would follow the game")
    show_parser.add_argument("trace", metavar="TRACE", help="a trace_v1 file")
    show_parser.add_argument("--from", dest="first", type=int, default=0, metavar="STEP", help="first step")
    show_parser.add_argument("--to", dest="last", type=int, metavar="STEP", help="last step")
    show_parser.add_argument(
        "--recorded", action="store_true", help="the recorded states alone, without replaying the game"
    )
    _settings_arguments(show_parser)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    args = _parser().parse_args(argv)
    enable_compile_cache()
    try:
        settings = _settings(args)
        if args.command == "show":
            return _show(args)
        files = find_files(args.paths)
    except (InputError, TraceError, UnknownNameError) as error:
        print(f"parity: {error}", file=sys.stderr)
        return 2
    return _check(args, files, settings)


def _show(args: argparse.Namespace) -> int:
    path = Path(args.trace)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    data = read_file(path)
    if not is_trace(data):
        raise InputError(f"{path}: not a trace_v1 file")
    try:
        trace: Trace = read_trace(str(path), data)
        for line in show(trace, args.first, args.last, args.recorded, _settings(args, trace.header)):
            print(line)
    except BrokenPipeError:  # `| head`
        sys.stderr.close()
    return 0


def _check(args: argparse.Namespace, files: list[Path], settings: Settings | None) -> int:
    results: list[FileResult] = []
    unread = 0
    for result in check_files(files, settings, args.include_suspect):
        if isinstance(result, InputError):  # the other files are still compared
            print(f"parity: {result}", file=sys.stderr)
            unread += 1
            continue
        results.append(result)
        if not args.json:
            print("\n".join(result.lines(args.show)), flush=True)
    ok = all(result.ok for result in results)
    if args.json:
        matched, total = sum(r.matched for r in results), sum(r.total for r in results)
        reports = [result.as_dict() for result in results]
        summary = {"matched": matched, "total": total, "ok": ok and not unread, "unread": unread}
        print(json.dumps(summary | {"files": reports}, default=str))
    else:
        print(total_line(results))
    return 2 if unread else 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
