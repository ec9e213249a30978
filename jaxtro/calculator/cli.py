"""`python -m jaxtro score`."""

import argparse
import json
import math
from typing import Any

import jax
import numpy as np

from jaxtro.calculator.explain import aftermath, explain, number
from jaxtro.env.env import make
from jaxtro.env.scoring import notation
from jaxtro.env.scoring.notation import NUMBERS, card_text, make_scoring_state
from jaxtro.env.scoring.rolls import NUM_PLAYED
from jaxtro.env.state import HAND_CAPACITY
from jaxtro.tables import HANDS


def add_command(commands: argparse._SubParsersAction) -> None:
    """Adds the command `score` to the parser of `python -m jaxtro`."""
    score = commands.add_parser(
        "score",
        help="score a hand step by step",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Scores a hand and says which card and which joker gave what, in the game's order.\n\n"
        + (notation.__doc__ or ""),
        epilog='example: python -m jaxtro score "KH KD 5S 5C 2D" --hold "AS~steel" '
        '--jokers "Blueprint, Baron@poly, Green Joker=12" --level "Two Pair=3"',
    )
    score.add_argument(
        "cards", metavar="CARDS", help="the played cards, left to right (with --best: the hand)"
    )
    score.add_argument("--hold", default="", metavar="CARDS", help="the cards left in hand, left to right")
    score.add_argument("--jokers", default="", metavar="JOKERS", help="left to right, separated by commas")
    score.add_argument(
        "--best", type=int, metavar="N", help="rank all plays of the given cards and show the best N"
    )
    for option, what in (
        ("level", "level of a poker hand (default 1)"),
        ("played", "how often it was played in the run"),
        ("this-round", "how often it was played this round"),
    ):
        score.add_argument(f"--{option}", action="append", default=[], metavar="HAND=N", help=what)
    score.add_argument(
        "--boss", metavar="BOSS", help="boss blind whose effect is on (mark debuffed cards with !)"
    )
    score.add_argument("--plasma", action="store_true", help="Plasma Deck: balance chips and mult")
    score.add_argument("--observatory", action="store_true", help="the voucher Observatory")
    score.add_argument(
        "--consumables", default="", metavar="NAMES", help="held consumables, separated by commas"
    )
    score.add_argument("--ancient", default="S", metavar="SUIT", help="suit of Ancient Joker")
    score.add_argument("--idol", default="AS", metavar="CARD", help="card of The Idol")
    score.add_argument("--most-played", metavar="HAND", help="poker hand that The Ox looks for")
    score.add_argument("--eye-used", default="", metavar="HANDS", help="poker hands that The Eye has seen")
    score.add_argument("--mouth-hand", metavar="HAND", help="poker hand that The Mouth allows")
    score.add_argument(
        "--set", action="append", default=[], metavar="NAME=N", dest="numbers",
        help="a number of the run: " + ", ".join(f"{name} ({empty})" for name, empty in NUMBERS.items()),
    )  # fmt: skip
    score.add_argument(
        "--luck", choices=("never", "always", "seeded"), default=None,
        help="what chance effects do: never (default) or always succeed, or fall as in --seed",
    )  # fmt: skip
    score.add_argument("--seed", metavar="SEED", help="seed of the chance effects, none drawn before")
    score.add_argument(
        "--json", action="store_true", help='print one JSON object; infinity is written as "inf"'
    )
    score.set_defaults(run=run_score)


def _pairs(texts: list[str], option: str) -> dict[str, int]:
    found = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            found[name.strip()] = int(value)
        except ValueError:
            raise ValueError(f"--{option} {text!r}: write NAME=N with a whole number N") from None
    return found


def _finite(value: Any) -> Any:
    """The same with texts for numbers that JSON does not have ("inf", "nan")."""
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _state(args: argparse.Namespace) -> Any:
    return make_scoring_state(
        f"{args.cards} {args.hold}",
        args.jokers,
        levels=_pairs(args.level, "level"),
        played=_pairs(args.played, "played"),
        played_this_round=_pairs(args.this_round, "this-round"),
        boss=args.boss,
        consumables=_names(args.consumables),
        ancient_suit=args.ancient,
        idol=args.idol,
        most_played=args.most_played,
        eye_used=_names(args.eye_used),
        mouth_hand=args.mouth_hand,
        plasma=args.plasma,
        observatory=args.observatory,
        seed=args.seed or "TUTORIAL",
        **_pairs(args.numbers, "set"),  # type: ignore[arg-type]
    )


def run_score(args: argparse.Namespace) -> int:
    """Runs the command."""
    luck: Any = args.luck or ("seeded" if args.seed else "never")
    if luck == "seeded" and not args.seed:
        raise ValueError("--luck seeded needs a --seed")
    state = _state(args)
    if args.best is not None:
        if args.best < 1:
            raise ValueError("--best must be 1 or more")
        return _best(args, state, luck)
    count = len(args.cards.replace(",", " ").split())
    if not 1 <= count <= NUM_PLAYED:
        raise ValueError(
            f"{count} cards are played; a hand is 1 to {NUM_PLAYED} cards (held ones go to --hold)"
        )
    score, lines = explain(state, np.arange(HAND_CAPACITY) < count, luck=luck)
    after = aftermath(state, score)
    if args.json:
        steps = [vars(line) for line in lines]
        scoring = [card_text(score.cards, int(place)) for place in np.flatnonzero(score.scoring)]
        found = {
            "hand": HANDS.names[int(score.hand)],
            "contains": [HANDS.names[hand] for hand in np.flatnonzero(score.contains)],
            "scoring": scoring,
            "chips": float(score.chips),
            "mult": float(score.mult),
            "total": float(score.total),
            "money": int(score.money),
            "steps": steps,
            "after": after,
        }
        print(json.dumps(_finite(found)))
        return 0
    width = max(len(line.source) for line in lines)
    effect_width = max(len(line.effect) for line in lines)
    for line in lines:
        after_it = f"{number(line.chips)} x {number(line.mult)}"
        print(f"{line.source:<{width}}  {line.effect:<{effect_width}}  {after_it}")
    result = f"{number(float(score.chips))} x {number(float(score.mult))} = {number(float(score.total))}"
    print(f"\n{HANDS.names[int(score.hand)]}: {result}")
    for text in after:
        print(f"  {text}")
    if luck == "never":
        print("  (chance effects that can fail were taken to fail; see --luck)")
    return 0


def _best(args: argparse.Namespace, state: Any, luck: Any) -> int:
    env = make()
    ranking = jax.device_get(env.best_play(state, top=args.best, luck=luck))
    plays: list[dict[str, Any]] = []
    for cards, total, hand in zip(ranking.cards, ranking.total, ranking.hand, strict=True):
        if hand >= 0:
            texts = [card_text(state.hand, int(place)) for place in np.flatnonzero(cards)]
            plays.append({"cards": texts, "hand": HANDS.names[int(hand)], "total": float(total)})
    if args.json:
        print(json.dumps(_finite({"plays": int(ranking.count), "best": plays})))
        return 0
    for play in plays:
        print(f"{number(play['total']):>15}  {play['hand']:<16} {' '.join(play['cards'])}")
    print(f"best {len(plays)} of {int(ranking.count)} plays")
    return 0
