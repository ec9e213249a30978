"""`python -m jaxtro seed` and `python -m jaxtro find`."""

import argparse
import json
import sys
import time

import jax
from tqdm import tqdm

from jaxtro.env import generation as gen
from jaxtro.seed_text import decode_seed, encode_seed, random_seeds, seed_number
from jaxtro.seeds import query, search
from jaxtro.seeds.analysis import PACKS_OF_VIEW, VIEWS, Plan, analyse_batch
from jaxtro.seeds.report import antes_as_data, antes_as_text
from jaxtro.tables import CHALLENGES, DECKS, ITEMS, STAKES


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Adds the commands `seed` and `find` to the parser of `python -m jaxtro`."""
    seed = commands.add_parser(
        "seed",
        help="show what a seed holds",
        description="Shows bosses, tags, vouchers, shop items and packs of a seed, ante by ante, for a "
        "player who buys nothing.",
    )
    seed.add_argument("seed", metavar="SEED", help="1 to 8 of the characters 1-9 and A-Z")
    seed.add_argument("--json", action="store_true", help="print one JSON object with keys instead of names")
    _add_run_options(seed)
    seed.set_defaults(run=run_seed)

    find = commands.add_parser(
        "find",
        help="search for seeds that hold what you want",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Tries the seeds of the game in order and prints those for which every --want holds.\n"
        + (query.__doc__ or ""),
    )
    find.add_argument(
        "--want", action="append", required=True, metavar="FILTER",
        help='for example "j_blueprint in shop by ante 2"; may be given several times',
    )  # fmt: skip
    find.add_argument(
        "--limit", type=_positive, default=10, metavar="N", help="stop after N seeds (default 10)"
    )
    find.add_argument("--count", type=_positive, metavar="N", help="try at most N seeds (default: no limit)")
    find.add_argument(
        "--start",
        metavar="SEED",
        help="first seed to try (default 11111111); a search prints the one to go on with",
    )
    find.add_argument("--batch", type=_positive, metavar="N", help="seeds tried at once")
    find.add_argument(
        "--json", action="store_true", help="print each result as a JSON object on its own line"
    )
    _add_run_options(find)
    find.set_defaults(run=run_find)


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more, not {text!r}")
    return number


def _natural(text: str) -> int:
    return 0 if text.strip() == "0" else _positive(text)


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--deck", help='key or name, for example b_ghost or "Ghost Deck" (default Red Deck)')
    parser.add_argument("--stake", default="stake_white", help="key or name (default White Stake)")
    parser.add_argument("--challenge", help="key or name; brings its own deck")
    parser.add_argument("--antes", type=_positive, default=8, metavar="N", help="antes 1 to N (default 8)")
    parser.add_argument(
        "--view", choices=VIEWS, default="queue",
        help="queue: the shop streams alone, as seed finders print them; shop: what lies on the counter in "
        "two visits an ante, where things on display are not offered again (default queue)",
    )  # fmt: skip
    parser.add_argument(
        "--slots", type=_positive, default=8, metavar="N", help="shop items an ante, view queue"
    )
    parser.add_argument(
        "--rerolls", type=_natural, default=3, metavar="N", help="rerolls in the first visit, view shop"
    )
    parser.add_argument(
        "--locked", action="append", default=[], metavar="ITEM",
        help="an item that the profile has not unlocked, or an edition that it has not discovered; may be "
        'given several times; "new" stands for all that a new profile lacks',
    )  # fmt: skip


def _rules(args: argparse.Namespace) -> gen.RunRules:
    locked = [key for entry in args.locked for key in (gen.default_locks() if entry == "new" else (entry,))]
    return gen.make_rules(args.deck or "b_red", args.stake, args.challenge, locked)


def _title(rules: gen.RunRules) -> str:
    challenge = int(rules.challenge)
    names = [CHALLENGES.names[challenge]] if challenge else [DECKS.names[int(rules.deck)]]
    return ", ".join([*names, STAKES.names[int(rules.stake)]])


def run_seed(args: argparse.Namespace) -> int:
    """Prints what a seed holds."""
    seed, rules = encode_seed(args.seed), _rules(args)
    size = int(gen.shop_size(gen.start_situation(rules).has))
    plan = Plan(
        args.antes,
        args.view,
        rerolls=args.rerolls,
        slots=args.slots,
        shop_size=size,
        packs=PACKS_OF_VIEW[args.view],
    )
    report = jax.device_get(analyse_batch(seed[None], rules, plan))
    soul = None if rules.soul_banned else ITEMS.keys[int(search.first_soul_joker(seed, rules))]
    if report.overflow[0]:
        print("warning: more redraws than the counters hold; the table may be wrong", file=sys.stderr)
    if args.json:
        print(
            json.dumps(
                {
                    "seed": decode_seed(seed),
                    "deck": DECKS.keys[int(rules.deck)],
                    "stake": STAKES.keys[int(rules.stake)],
                    "challenge": CHALLENGES.keys[int(rules.challenge)] or None,
                    "view": args.view,
                    "soul": soul,
                    "antes": antes_as_data(report, 0, args.view),
                }
            )
        )
    else:
        print(f"Seed {decode_seed(seed)}: {_title(rules)} (view {args.view})")
        print(f"The first Soul gives {ITEMS.names[ITEMS.find(soul)]}.\n" if soul else "")
        print(antes_as_text(report, 0))
    return 0


def run_find(args: argparse.Namespace) -> int:
    """Searches seeds and prints them as they come."""
    rules = _rules(args)
    wants = [query.parse(text) for text in args.want]
    plan = search.plan_for(wants, rules, args.antes, args.view, args.slots, args.rerolls)
    first = seed_number(args.start) if args.start is not None else 0
    budget = min(args.count or search.ALL_SEEDS, search.ALL_SEEDS - first)
    batch = min(args.batch or search.default_batch(), max(budget, 1))
    tried, found, timed = 0, 0, 0
    began: float | None = None
    bar = tqdm(total=args.count, unit="seed", unit_scale=True, disable=None, file=sys.stderr, leave=False)
    try:
        for step in search.search(wants, rules, plan, first, batch):
            here = min(step.tried, budget - tried)
            for place, seed in step.found:
                if place >= here or found >= args.limit:
                    break
                found += 1
                bar.write(json.dumps({"seed": seed}) if args.json else seed, file=sys.stdout)
                sys.stdout.flush()
                if found >= args.limit:
                    here = place + 1
            if began is None:  # the first batch compiles
                began = time.perf_counter()
            else:
                timed += here
            tried += here
            bar.update(here)
            bar.set_postfix(found=found)
            if found >= args.limit or tried >= budget:
                break
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    finally:
        bar.close()
    seconds = time.perf_counter() - began if began is not None else 0.0
    speed = f", {timed / seconds:,.0f} seeds/s" if timed > batch else ""
    rest = decode_seed(random_seeds(first + tried, 1)[0])
    go_on = f"go on with --start {rest}" if first + tried < search.ALL_SEEDS else "every seed was tried"
    print(f"found {found}, tried {tried:,} seeds{speed}; {go_on}", file=sys.stderr)
    return 0
