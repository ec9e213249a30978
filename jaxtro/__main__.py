"""Command line: `python -m jaxtro seed SEED`, `... find --want ...`, `... score CARDS`, `... play`."""

import argparse
import os
import sys

from jaxtro import __version__
from jaxtro.compile_cache import enable_compile_cache


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status (2 for wrong arguments)."""
    from jaxtro.calculator import cli as calculator
    from jaxtro.play import cli as play
    from jaxtro.seeds import cli

    parser = argparse.ArgumentParser(prog="python -m jaxtro", description="Balatro as pure JAX functions.")
    parser.add_argument("--version", action="version", version=f"jaxtro {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    cli.add_commands(commands)
    calculator.add_command(commands)
    play.add_command(commands)
    args = parser.parse_args(argv)
    enable_compile_cache()
    try:
        return args.run(args)
    except ValueError as error:  # unknown names, bad seeds and filters say what is allowed
        print(f"jaxtro: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader, such as `head`, has enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (until the interpreter's last flush)
        return 0


if __name__ == "__main__":
    sys.exit(main())
