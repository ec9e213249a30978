"""Command line of the parity checks: `python -m parity check PATH...`, `python -m parity show TRACE`."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from jaxtro.compile_cache import enable_compile_cache
from jaxtro.tables import UnknownNameError
from parity.check import check_files, find_files, load_trace, read_file, total_line
from parity.errors import InputError
from parity.report import FileResult
from parity.settings import boss_order, hand_order, locks
from parity.show import show
from parity.traces import is_trace


def _settings_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "settings of a recording",
        "Taken from a trace's header; one given here holds for every trace, the others stay.",
    )
    group.add_argument("--locked", metavar="KEYS", help="items its profile has not unlocked, with commas")
    group.add_argument("--boss-order", metavar="KEYS", help="bosses in the order of its boss stream")
    group.add_argument("--todo-order", metavar="HANDS", help="poker hands in the order of To Do List")
    group.add_argument(
        "--boss-from-trace",
        action=argparse.BooleanOptionalAction,
        help="take each boss from the recorded states (a mod loader chose it)",
    )
    group.add_argument(
        "--sort-by-age",
        action=argparse.BooleanOptionalAction,
        help="equal cards of a sorted hand stand by age alone (the reference engine)",
    )


def _given(args: argparse.Namespace) -> dict[str, Any]:
    """The settings given on the command line, fields of `parity.settings.Settings`."""
    given: dict[str, Any] = {}
    for name, option, read in (
        ("locked", args.locked, locks),
        ("boss_order", args.boss_order, boss_order),
        ("to_do_order", args.todo_order, hand_order),
    ):
        if option is not None:
            given[name] = read([part.strip() for part in option.split(",") if part.strip()])
    for name in ("boss_from_trace", "sort_by_age"):
        if getattr(args, name) is not None:
            given[name] = getattr(args, name)
    return given


def _count(text: str) -> int:
    """A whole number from 0 on, for argparse."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"give a whole number from 0 on, not {text!r}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m parity", description="Compares jaxtro with the real game."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser(
        "check",
        help="compare files of vectors and traces with the rules",
        description="Finds out what each file is (rng vectors, seed shops, scoring vectors, trace_v1) and compares "
        "it; traces are replayed together. A trace is compared up to its first difference; states behind it count "
        "as not matched. Exit status: 0 all match, 1 something differs, 2 an input cannot be read.",
    )
    check.add_argument("paths", nargs="+", metavar="PATH", help="files or folders")
    check.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    check.add_argument("--show", type=_count, default=5, metavar="N", help="differences to print per file")
    check.add_argument(
        "--include-suspect", action="store_true", help="compare states that a trace marks as suspect, too"
    )
    _settings_arguments(check)
    show_parser = commands.add_parser("show", help="print a trace as a person would follow the game")
    show_parser.add_argument("trace", metavar="TRACE", help="a trace_v1 file")
    show_parser.add_argument(
        "--from", dest="first", type=_count, default=0, metavar="STEP", help="first step"
    )
    show_parser.add_argument("--to", dest="last", type=_count, metavar="STEP", help="last step")
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
        given = _given(args)
        if args.command == "show":
            return _show(args, given)
        files = find_files(args.paths)
    except (InputError, UnknownNameError) as error:
        print(f"parity: {error}", file=sys.stderr)
        return 2
    return _check(args, files, given)


def _show(args: argparse.Namespace, given: dict[str, Any]) -> int:
    path = Path(args.trace)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    data = read_file(path)
    if not is_trace(data):
        raise InputError(f"{path}: not a trace_v1 file")
    trace, settings = load_trace(path, data, given)
    try:
        for line in show(trace, settings, args.first, args.last, args.recorded):
            print(line)
    except BrokenPipeError:  # `| head`
        sys.stderr.close()
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(
            f"{path}: a state is not as trace_v1 says ({type(error).__name__}: {error})"
        ) from error
    return 0


def _check(args: argparse.Namespace, files: list[Path], given: dict[str, Any]) -> int:
    results: list[FileResult] = []
    unread = 0
    for result in check_files(files, given, args.include_suspect):
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
