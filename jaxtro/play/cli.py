"""`python -m jaxtro play`: the game in the terminal, plain text, numbered choices."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

import jaxtro
from jaxtro.env.actions import MOST_CARDS, MOVES, Kind, finished
from jaxtro.env.save import SaveError, load_states, save_states
from jaxtro.play.text import card_text, item_text, name_of, state_lines
from jaxtro.tables import HANDS
from jaxtro.view import derive, state_view

HELP = """Type the number of a choice. Cards are chosen by their places in the hand, 1 is the leftmost: "1 3 5".
  i  levels of the poker hands, vouchers, what is left of the deck
  ?  this text          q  quit (with --file the run is kept after every action)"""
_SORTS = ("rank", "suit", "rank, lowest first", "suit, lowest first")


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
        Kind.SELECT: "play this blind", Kind.SKIP: "skip this blind", Kind.REROLL_BOSS: "reroll the boss ($10)",
        Kind.PLAY: "play cards", Kind.DISCARD: "discard cards", Kind.CASH_OUT: "cash out",
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
            found += [Choice(f"sort by {name}", kind, slot) for slot, name in enumerate(_SORTS)]
        elif kind in MOVES:
            found.append(Choice(f"move a {kind.name[5:].lower().replace('hand', 'hand card')}", kind))
    return found


class Game:
    """One run in the terminal."""

    def __init__(
        self, state: Any, file: Path | None, ask: Callable[[str], str], say: Callable[[str], None]
    ) -> None:
        self.env, self.state, self.file, self.ask, self.say = jaxtro.make(), state, file, ask, say
        self._derive = jax.jit(derive)

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
            menu = choices(jax.device_get(self.env.legal_actions(self.state)), view)
            for number, choice in enumerate(menu, start=1):
                self.say(f"  {number:2d}. {choice.text}")
            answer = self.ask("> ").strip().lower()
            if answer in ("q", "quit", "exit"):
                return
            if answer in ("?", "h", "help"):
                self.say(HELP)
            elif answer == "i":
                self._information(view)
            elif answer.isdigit() and 1 <= int(answer) <= len(menu):
                self._do(menu[int(answer) - 1], view)
            else:
                self.say(
                    f"{answer!r} is none of the choices; type a number from 1 to {len(menu)}, or ? for help."
                )

    def _information(self, view: dict[str, Any]) -> None:
        for name, (level, played, _, chips, mult) in view["levels"].items():
            if bool(self.state.poker_hands.visible[HANDS.keys.index(name)]):
                self.say(f"  {name}: level {level}, {chips} x {mult}, played {played}")
        self.say("  vouchers: " + (", ".join(name_of(key) for key in view["vouchers"]) or "-"))
        counts: dict[str, int] = {}
        for card in view["deck"]:
            counts[card["c"][0]] = counts.get(card["c"][0], 0) + 1
        left = ", ".join(f"{counts.get(suit, 0)} {suit}" for suit in "SHCD")
        self.say(f"  {len(view['deck'])} cards in the draw pile: {left}")

    def _places(self, question: str, count: int, most: int) -> list[int] | None:
        """Places that the player names, from 0; None if they are not understood."""
        words = self.ask(question).replace(",", " ").split()
        if not all(word.isdigit() and 1 <= int(word) <= count for word in words) or len(set(words)) != len(
            words
        ):
            self.say(f"Give different numbers from 1 to {count}, with spaces.")
            return None
        if len(words) > most:
            self.say(f"At most {most}.")
            return None
        return [int(word) - 1 for word in words]

    def _do(self, choice: Choice, view: dict[str, Any]) -> None:
        cards: list[int] = []
        slot, to = choice.slot, 0
        if choice.kind in MOVES:
            area = {Kind.MOVE_HAND: "hand", Kind.MOVE_JOKER: "jokers", Kind.MOVE_CONSUMABLE: "consumables"}
            places = self._places("  from and to (two places): ", len(view[area[choice.kind]]), 2)
            if places is None or len(places) != 2:
                return
            slot, to = places
        elif choice.high > 0:
            few = f"{choice.low}" if choice.low == choice.high else f"{choice.low} to {choice.high}"
            named = self._places(f"  which cards ({few}): ", len(view["hand"]), MOST_CARDS)
            if named is None:
                return
            cards = named
        if choice.kind == Kind.PLAY and cards and not self._confirmed(cards, view):
            return
        action = jaxtro.make_action(choice.kind, slot, cards, to)
        _, state, _, _, _, info = self.env.step(self.state, action)
        if bool(info.illegal):
            self.say("That is not allowed now (Cerulean Bell's card must be among the chosen ones; Aura takes a card "
                     "without an edition; pinned jokers stay).")  # fmt: skip
            return
        if choice.kind == Kind.PLAY:
            hand = HANDS.keys[int(info.hand_type)]
            self.say(f"{hand}: {float(info.score_delta):,.0f} chips")
        self.state = state
        if bool(info.overflow):
            self.say("Note: a limit of this program, not of the game, decided something.")
        if self.file is not None:
            save_states(self.file, state)

    def _confirmed(self, cards: list[int], view: dict[str, Any]) -> bool:
        """Shows what the play would score, without and with luck, and asks."""
        least, most = (self.env.score(self.state, cards, luck) for luck in ("never", "always"))  # type: ignore[arg-type]
        names = " ".join(card_text(view["hand"][card]) for card in sorted(cards))
        hand = HANDS.keys[int(least.hand)]
        hidden = any(view["hand"][card].get("down") for card in cards)
        if hidden:
            self.say("  Some of these cards lie face down; the score is not known.")
        else:
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
    """The view without the faces of hidden cards."""
    hand = []
    for card in view["hand"]:
        shown = {name: card[name] for name in ("down", "forced") if card.get(name)}
        hand.append(shown if card.get("down") else card)
    jokers = [
        {"key": "a face-down joker", "sell": "?"} if joker.get("down") else joker for joker in view["jokers"]
    ]
    return view | {"hand": hand, "jokers": jokers}


def add_command(commands: Any) -> None:
    """Adds `play` to the commands of `python -m jaxtro`."""
    parser = commands.add_parser(
        "play", help="play the game in the terminal", description="Plays the game in the terminal.", epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--seed", help="seed of the run (default: a random one)")
    parser.add_argument("--deck", default="b_red", help="deck, by key or name (default: Red Deck)")
    parser.add_argument("--stake", default="stake_white", help="stake, by key or name (default: White Stake)")
    parser.add_argument("--challenge", help="challenge, by key or name; it brings its own deck")
    parser.add_argument("--endless", action="store_true", help="go on after the win")
    parser.add_argument("--file", type=Path, help="keep the run in this file; if it exists, go on with it")
    parser.set_defaults(run=play)


def play(
    args: argparse.Namespace, ask: Callable[[str], str] = input, say: Callable[[str], None] = print
) -> int:
    """Runs the command; returns the exit status.

    Raises:
      ValueError: for unknown names, a bad seed, or a file that holds no run.
    """
    try:
        if args.file is not None and args.file.exists():
            state = load_states(args.file)
            if state.phase.ndim:
                raise SaveError(f"{args.file}: holds a batch of runs, not one")
            say(f"Going on with the run in {args.file}.")
        else:
            params = jaxtro.make_params(args.deck, args.stake, args.challenge, endless=args.endless)
            number = int(np.random.default_rng().integers(2**40))
            text = args.seed or jaxtro.decode_seed(jaxtro.random_seeds(number, 1)[0])
            seed = jaxtro.encode_seed(text)
            say(f"Seed {text.upper()}. The first step compiles the game, which takes some minutes once.")
            state = jaxtro.make().reset_to_seed(jax.numpy.asarray(seed), params)[1]
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
