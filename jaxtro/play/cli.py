"""`python -m jaxtro play`: the game in the terminal, plain text, numbered choices."""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

import jaxtro
from jaxtro.compile_cache import keep
from jaxtro.env.actions import MOVES, SORTS, Kind, finished
from jaxtro.env.phases.blind_select import BOSS_REROLL_COST
from jaxtro.env.save import SaveError, load_states, save_states
from jaxtro.play.text import card_text, item_text, name_of, state_lines
from jaxtro.tables import HANDS
from jaxtro.view import derive, state_view

HELP = """Type the number of a choice. Cards are chosen by their places in the hand, 1 is the leftmost: "1 3 5".
  i  levels of the poker hands, vouchers, the cards that are not seen
  ?  this text          q  quit (with --file the run is kept after every action)"""
_AREAS = {Kind.MOVE_HAND: "hand", Kind.MOVE_JOKER: "jokers", Kind.MOVE_CONSUMABLE: "consumables"}
# Defaults of the options that say how a run starts; a run that goes on has them already.
_START: dict[str, Any] = {
    "seed": None, "deck": "b_red", "stake": "stake_white", "challenge": None, "endless": False,
}  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """One line of the menu. kind, slot: of the action. low, high: hand cards to choose."""

    text: str
    kind: Kind
    slot: int = 0
    low: int = 0
    high: int = 0


def choices(legal: Any, view: dict[str, Any]) -> list[Choice]:
    """What can be done now, as a menu. legal: of one game, as numpy arrays."""
    found: list[Choice] = []
    shop, pack = view.get("shop") or {}, view.get("pack") or {}
    vouchers = shop.get("vouchers") or []
    # The first place of the vouchers is empty once that of the ante is bought.
    gap = (
        0
        if legal.slot[Kind.BUY_VOUCHER, 0] or not vouchers
        else max(0, legal.slot[Kind.BUY_VOUCHER].argmax())
    )
    areas: dict[Kind, tuple[str, list[Any]]] = {
        Kind.USE: ("use", view["consumables"]), Kind.SELL_JOKER: ("sell", view["jokers"]),
        Kind.SELL_CONSUMABLE: ("sell", view["consumables"]), Kind.BUY_CARD: ("buy", shop.get("cards") or []),
        Kind.BUY_AND_USE: ("buy and use", shop.get("cards") or []), Kind.BUY_VOUCHER: ("buy", vouchers),
        Kind.BUY_PACK: ("open", shop.get("packs") or []), Kind.PICK: ("take", pack.get("cards") or []),
    }  # fmt: skip
    plain = {
        Kind.SELECT: "play this blind", Kind.SKIP: "skip this blind",
        Kind.REROLL_BOSS: f"reroll the boss (${BOSS_REROLL_COST})", Kind.PLAY: "play cards",
        Kind.DISCARD: "discard cards", Kind.CASH_OUT: "cash out",
        Kind.REROLL: f"reroll the shop (${shop.get('reroll_cost')})", Kind.SKIP_PACK: "close the pack",
        Kind.NEXT_ROUND: "next round",
    }  # fmt: skip
    for kind in Kind:
        if not legal.kind[kind]:
            continue
        if kind in plain:
            low, high = int(legal.min_cards[kind, 0]), int(legal.max_cards[kind, 0])
            found.append(Choice(plain[kind], kind, 0, low, high))
        elif kind in areas:
            verb, items = areas[kind]
            for slot in np.flatnonzero(legal.slot[kind]):
                place = int(slot) - (gap if kind == Kind.BUY_VOUCHER else 0)
                low, high = int(legal.min_cards[kind, slot]), int(legal.max_cards[kind, slot])
                text = item_text(items[place]) if 0 <= place < len(items) else f"#{slot + 1}"
                if verb == "sell":
                    text += f" for ${items[place].get('sell')}"
                found.append(Choice(f"{verb} {text}", kind, int(slot), low, high))
        elif kind == Kind.SORT:
            found += [Choice(f"sort by {name}", kind, slot) for slot, name in enumerate(SORTS)]
        elif kind in MOVES:
            found.append(Choice(f"move a {kind.name[5:].lower().replace('hand', 'hand card')}", kind))
    return found


class KeptEnv:
    """The game for one run at a time, with programs that are kept on disk: only the first start compiles."""

    def __init__(self) -> None:
        env = jaxtro.make()
        self.score = env.score
        self.reset_to_seed = keep(jax.jit(env.reset_to_seed), "reset of one", env.about)
        self.step = keep(jax.jit(env.step), "one step", env.about)
        self.legal_actions = keep(jax.jit(env.legal_actions), "legal actions", env.about)


class Game:
    """One run in the terminal."""

    def __init__(
        self, state: Any, file: Path | None, ask: Callable[[str], str], say: Callable[[str], None]
    ) -> None:
        self.env, self.state, self.file, self.ask, self.say = KeptEnv(), state, file, ask, say
        self._derive = keep(jax.jit(derive), "derived facts", "play")

    def view(self) -> dict[str, Any]:
        """The state as plain data."""
        return _hide(state_view(jax.device_get(self.state), jax.device_get(self._derive(self.state))))

    def run(self) -> None:
        """Plays until the run ends or the player quits."""
        while True:
            view = self.view()
            self.say("")
            for line in state_lines(view):
                self.say(line)
            if bool(finished(self.state)):
                self.say("You won the run." if view["won"] else "The run is over.")
                return
            legal = jax.device_get(self.env.legal_actions(self.state))
            menu = choices(legal, view)
            for number, choice in enumerate(menu, start=1):
                self.say(f"  {number:2d}. {choice.text}")
            answer = self.ask("> ").strip().lower()
            if answer in ("q", "quit", "exit"):
                return
            if answer in ("?", "h", "help"):
                self.say(HELP)
            elif answer == "i":
                self._information(view)
            elif answer.isdecimal() and 1 <= int(answer) <= len(menu):
                self._do(menu[int(answer) - 1], legal, view)
            else:
                self.say(
                    f"{answer!r} is none of the choices; type a number from 1 to {len(menu)}, or ? for help."
                )

    def _information(self, view: dict[str, Any]) -> None:
        for name, (level, played, _, chips, mult) in view["levels"].items():
            if bool(self.state.poker_hands.visible[HANDS.keys.index(name)]):
                self.say(f"  {name}: level {level}, {chips} x {mult}, played {played}")
        self.say("  vouchers: " + (", ".join(name_of(key) for key in view["vouchers"]) or "-"))
        unseen = view["unseen"]
        stones = sum(card.get("enh") == "stone" for card in unseen)
        suits = [card["c"][0] for card in unseen if card.get("enh") != "stone"]
        left = ", ".join(f"{suits.count(suit)} {suit}" for suit in "SHCD")
        self.say(
            f"  {len(unseen)} cards not seen, {len(view['deck'])} of them in the draw pile: {left}"
            + (f", {stones} stone" if stones else "")
        )

    def _places(self, question: str, count: int, low: int, high: int) -> list[int] | None:
        """low to high places of count, from 0, that the player names; None if not understood or called off."""
        words = self.ask(question).replace(",", " ").split()
        if not words:
            return None
        numbers = [int(word) if word.isdecimal() else 0 for word in words]
        if not all(1 <= number <= count for number in numbers) or len(set(numbers)) != len(numbers):
            self.say(f"Give different numbers from 1 to {count}, with spaces between.")
            return None
        if not low <= len(numbers) <= high:
            self.say(
                f"{_few(low, high)} needed, {len(numbers)} given; type nothing to choose something else."
            )
            return None
        return [number - 1 for number in numbers]

    def _do(self, choice: Choice, legal: Any, view: dict[str, Any]) -> None:
        cards: list[int] = []
        slot, to = choice.slot, 0
        if choice.kind in MOVES:
            places = self._places("  from and to (2 places): ", len(view[_AREAS[choice.kind]]), 2, 2)
            if places is None:
                return
            slot, to = places
        elif choice.high > 0:
            question = f"  which cards ({_few(choice.low, choice.high)}): "
            named = self._places(question, len(view["hand"]), choice.low, choice.high)
            if named is None:
                return
            cards = named
        refusal = _refusal(choice.kind, slot, cards, to, legal)
        if refusal is not None:
            self.say(refusal)
            return
        if choice.kind == Kind.PLAY and not self._confirmed(cards, view):
            return
        action = jaxtro.make_action(choice.kind, slot, cards, to)
        _, state, _, _, _, info = self.env.step(self.state, action)
        if bool(info.illegal):
            self.say("That is not allowed now.")
            return
        if choice.kind == Kind.PLAY:
            hand = HANDS.keys[int(info.hand_type)]
            self.say(f"{hand}: {float(info.score_delta):,.0f} chips")
        self.state = state
        if bool(info.overflow):
            self.say("Note: a limit of this program, not of the game, decided something.")
        if self.file is not None:
            try:
                save_states(self.file, state)
            except OSError as error:
                self.say(f"Note: the run was not kept ({error}); the next action tries again.")

    def _confirmed(self, cards: list[int], view: dict[str, Any]) -> bool:
        """Shows what the play would score, without and with luck, and asks."""
        # Held cards and the order of jokers score, too: a score would tell what lies face down.
        if any(thing.get("down") for thing in view["hand"] + view["jokers"]):
            self.say("  Something lies face down; the score is not known.")
        else:
            least, most = (self.env.score(self.state, cards, luck) for luck in ("never", "always"))  # type: ignore[arg-type]
            names = " ".join(card_text(view["hand"][card]) for card in sorted(cards))
            hand = HANDS.keys[int(least.hand)]
            product = f"{float(least.chips):,.0f} x {float(least.mult):,.6g} = {float(least.total):,.0f}"
            text = f"  {names}: {hand}, {product}"
            lucky = (
                f" (up to {float(most.total):,.0f} with luck)"
                if float(most.total) > float(least.total)
                else ""
            )
            self.say(text + lucky + (", refused by the boss" if bool(least.blocked) else ""))
        return self.ask("  play it? (y/n) ").strip().lower() in ("y", "yes", "")


def _hide(view: dict[str, Any]) -> dict[str, Any]:
    """The view without the faces of hidden cards; `unseen`: cards of the draw pile and face-down ones together."""
    unseen = view["deck"] + [card for card in view["hand"] if card.get("down")]
    hand = []
    for card in view["hand"]:
        shown = {name: card[name] for name in ("down", "forced") if card.get(name)}
        hand.append(shown if card.get("down") else card)
    jokers = [
        {"key": "a joker", "sell": "?", "down": True} if joker.get("down") else joker
        for joker in view["jokers"]
    ]
    return view | {"hand": hand, "jokers": jokers, "unseen": unseen}


def _few(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low} to {high}"


def _refusal(kind: Kind, slot: int, cards: list[int], to: int, legal: Any) -> str | None:
    """Why the game does not take these cards or this move, None if it does. legal: of one game, as numpy arrays."""
    if kind in MOVES and not (legal.slot[kind, slot] and legal.to[kind, to]):
        return "A pinned joker stays where it is; choose two others."
    if not cards:
        return None
    forced = [int(place) for place in np.flatnonzero(legal.forced) if place not in cards]
    if forced:
        return f"Cerulean Bell holds card {forced[0] + 1}: it must be among the chosen ones."
    if legal.plain_only[kind, slot] and not legal.plain_card[cards].all():
        return "Aura takes a card without an edition."
    return None


def add_command(commands: Any) -> None:
    """Adds `play` to the commands of `python -m jaxtro`."""
    parser = commands.add_parser(
        "play", help="play the game in the terminal", description="Plays the game in the terminal.", epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--seed", help="seed of the run (default: a random one)")
    parser.add_argument("--deck", help="deck, by key or name (default: Red Deck)")
    parser.add_argument("--stake", help="stake, by key or name (default: White Stake)")
    parser.add_argument("--challenge", help="challenge, by key or name; it brings its own deck")
    parser.add_argument("--endless", action="store_true", default=None, help="go on after the win")
    parser.add_argument("--file", type=Path, help="keep the run in this file; if it exists, go on with it (then "
                        "without the options above)")  # fmt: skip
    parser.set_defaults(run=play)


def _check_folder(file: Path) -> None:
    """Finds out before anything is compiled whether the run can be kept."""
    folder = file.absolute().parent
    if not folder.is_dir():
        raise ValueError(f"--file {file}: there is no folder {folder}; make it, or name another file")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"--file {file}: the folder {folder} cannot be written to; name another file")


def play(
    args: argparse.Namespace, ask: Callable[[str], str] = input, say: Callable[[str], None] = print
) -> int:
    """Runs the command; returns the exit status.

    Args:
      args: options; one that says how a run starts and is None was not given.
      ask: reads a line after a question. say: writes one.

    Raises:
      ValueError: for unknown names, a bad seed, a file that holds no run, or options that do not go with it.
    """
    try:
        if args.file is not None:
            _check_folder(args.file)
        if args.file is not None and args.file.exists():
            given = [f"--{name}" for name in _START if getattr(args, name) is not None]
            if given:
                raise ValueError(
                    f"{args.file} holds a run already, which goes on as it was started; leave out "
                    f"{', '.join(given)}, or name another --file"
                )
            state = load_states(args.file)
            if state.phase.ndim:
                raise SaveError(f"{args.file}: holds a batch of runs, not one")
            say(f"Going on with the run in {args.file}.")
        else:
            start = {
                name: usual if getattr(args, name) is None else getattr(args, name)
                for name, usual in _START.items()
            }
            text = start.pop("seed")
            params = jaxtro.make_params(**start)
            if text is None:
                number = int(np.random.default_rng().integers(2**40))
                text = jaxtro.decode_seed(jaxtro.random_seeds(number, 1)[0])
            seed = jaxtro.encode_seed(text)
            say(f"Seed {text.upper()}. The first step compiles the game, which takes some minutes once.")
            state = KeptEnv().reset_to_seed(jax.numpy.asarray(seed), params)[1]
            if args.file is not None:
                save_states(args.file, state)
    except OSError as error:
        print(f"jaxtro play: {error}", file=sys.stderr)
        return 2
    game = Game(state, args.file, ask, say)
    try:
        game.run()
    except (EOFError, KeyboardInterrupt):
        say("")
    return 0
