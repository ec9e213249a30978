"""Command line of the parity checks: `python -m parity check PATH...`."""

import argparse
import json
import sys

from jaxtro.compile_cache import enable_compile_cache
from parity.check import InputError, check_file, find_files, total_line


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m parity", description="Compares jaxtro with the real game."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser(
        "check",
        help="compare files of vectors with the public functions",
        description="Finds out what each file is (rng vectors, seed shops, scoring vectors) and compares "
        "it. Exit status: 0 all match, 1 something differs, 2 an input cannot be read.",
    )
    check.add_argument("paths", nargs="+", metavar="PATH", help="files or folders")
    check.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    check.add_argument("--show", type=int, default=5, metavar="N", help="differences to print per file")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    args = _parser().parse_args(argv)
    enable_compile_cache()
    results, unread = [], 0
    try:
        files = find_files(args.paths)
    except InputError as error:
        print(f"parity: {error}", file=sys.stderr)
        return 2
    for path in files:
        try:
            result = check_file(path)
        except InputError as error:  # the other files are still compared
            print(f"parity: {error}", file=sys.stderr)
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
        print(json.dumps(summary | {"files": reports}))
    else:
        print(total_line(results))
    return 2 if unread else 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
