"""A step by step account of a scored hand: which card and which joker gave what, in the game's order.

The account folds the amounts that the engine found once more, in plain Python, and compares the end with the
engine's result to the last bit; so it cannot tell another story than the one that was scored.
"""

import functools
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from jaxtro.env.scoring import amounts
from jaxtro.env.scoring.book import BOOK, CREATED, LUCKY_MONEY, LUCKY_MULT, JokerBook
from jaxtro.env.scoring.boss import halved
from jaxtro.env.scoring.notation import card_text
from jaxtro.env.scoring.rolls import FIRST_JOKER, Luck
from jaxtro.env.scoring.score import Breakdown, HandScore, score_hand
from jaxtro.env.state import ScoringState
from jaxtro.tables import BLINDS, EDITIONS, HANDS

_FLINT = BLINDS.keys.index("bl_flint")


@dataclass(frozen=True)
class Line:
    """One step: what acted, what it gave, and chips and mult after it."""

    source: str
    effect: str
    chips: float
    mult: float


def number(value: float) -> str:
    """A number as people write it: 12, 1.5, 3.4e+15."""
    if abs(value) < 1e15 and value == int(value):
        return f"{int(value):,}"
    return f"{value:.15g}"


class _Account:
    """Running chips and mult, and the lines so far."""

    def __init__(self) -> None:
        self.chips, self.mult, self.lines = 0.0, 0.0, list[Line]()

    def say(self, source: str, effect: str) -> None:
        self.lines.append(Line(source, effect, self.chips, self.mult))

    def give(
        self, source: str, chips: float = 0, mult: float = 0, dollars: int = 0, xmult: float = 1
    ) -> None:
        """One effect: chips, mult, dollars, X Mult in this order; nothing is said about nothing."""
        said = []
        if chips:
            self.chips += chips
            said.append(f"{chips:+,.0f} chips")
        if mult:
            self.mult += mult
            said.append(f"+{number(mult)} mult")
        if dollars:
            said.append(f"${dollars}")
        if xmult != 1:
            self.mult *= xmult
            said.append(f"X{number(xmult)} mult")
        if said:
            self.say(source, ", ".join(said))


class _Story:
    """Everything that the account is told from, as numpy."""

    def __init__(self, state: ScoringState, score: HandScore, parts: Breakdown, book: JokerBook) -> None:
        self.state, self.score, self.parts, self.book = state, score, parts, book
        self.acting = [int(joker) for joker in parts.acting]
        self.account = _Account()

    def column(self, name: str, place: int) -> Any:
        return self.book.columns[name][self.acting[place]]

    def joker(self, place: int) -> str:
        own = int(self.state.jokers.id[place])
        name = self.book.rows[own - 1]["name"]
        if self.acting[place] not in (0, own):
            name += f" (as {self.book.rows[self.acting[place] - 1]['name']})"
        return name

    def tell(self) -> list[Line]:
        parts, score, account = self.parts, self.score, self.account
        hand = HANDS.names[int(score.hand)]
        if score.blocked:
            account.say("boss", f"{hand} is not allowed, it scores nothing")
            return account.lines
        for place, acting in enumerate(self.acting):
            if acting and parts.before.dollars[place]:
                account.give(self.joker(place), dollars=int(parts.before.dollars[place]))
            if acting and parts.rolled.level_ups[place]:
                account.say(self.joker(place), f"+{int(parts.rolled.level_ups[place])} level of {hand}")
        account.chips, account.mult = float(parts.base_chips), float(parts.base_mult)
        account.say(f"{hand}, level {int(score.level)}", "base")
        if parts.flint:
            account.chips, account.mult = float(halved(account.chips, 0.0)), float(halved(account.mult, 1.0))
            account.say(BLINDS.names[_FLINT], "halves both")
        self._played()
        self._held()
        self._jokers()
        for _ in range(int(parts.observatory)):
            account.give("Observatory", xmult=amounts.OBSERVATORY_XMULT)
        if parts.plasma:
            account.chips = account.mult = float(np.floor((account.chips + account.mult) / 2))
            account.say("Plasma Deck", "balances chips and mult")
        if (account.chips, account.mult) != (float(score.chips), float(score.mult)) and not np.isnan(
            float(score.mult)
        ):
            raise AssertionError(
                f"the account ends at {account.chips} x {account.mult}, the engine at "
                f"{float(score.chips)} x {float(score.mult)}; please report this hand"
            )
        return account.lines

    def _played(self) -> None:
        parts, cards, account = self.parts, self.score.cards, self.account
        trigger = 0
        for place in range(len(parts.times)):
            bonus = 0
            for time in range(int(parts.times[place])):
                hit = int(parts.rolled.rolls.hits[trigger])
                trigger += 1
                name = card_text(cards, place).split("+")[0].rstrip("!")
                name += " again" if time else ""
                lucky = parts.card_mult.lucky_mult[place] > 0
                edition = int(cards.edition[place])
                edition_chips = EDITIONS.row(edition)["chips"] if edition else 0
                account.give(
                    name,
                    chips=int(parts.card_chips[place]) - edition_chips + bonus,
                    mult=float(parts.card_mult.mult[place])
                    + (float(parts.card_mult.lucky_mult[place]) if hit >> LUCKY_MULT & 1 else 0.0),
                    dollars=int(parts.card_dollars[place])
                    + (int(amounts.LUCKY_ROW["lucky_money"]) if lucky and hit >> LUCKY_MONEY & 1 else 0),
                    xmult=float(parts.card_mult.xmult[place]),
                )
                account.give(
                    f"{name.split('~')[0].split('@')[0]}, {EDITIONS.names[edition]}",
                    chips=edition_chips,
                    mult=float(parts.card_mult.edition_mult[place]),
                    xmult=float(parts.card_mult.edition_xmult[place]),
                )
                self._jokers_on_card(place, hit)
                bonus += int(parts.bonus_gain[place])

    def _jokers_on_card(self, place: int, hit: int) -> None:
        features = int(self.parts.features[place])
        for slot, acting in enumerate(self.acting):
            if not acting or not features & int(self.column("played_card", slot)):
                continue
            if self.column("played_rolled", slot) and not hit >> (FIRST_JOKER + slot) & 1:
                continue
            self.account.give(
                self.joker(slot),
                chips=int(self.column("played_chips", slot)),
                mult=float(self.column("played_mult", slot)),
                dollars=int(self.column("played_dollars", slot)),
                xmult=float(self.column("played_xmult", slot)),
            )
            if self.column("card_bonus", slot):
                bonus = int(self.column("card_bonus", slot))
                self.account.say(self.joker(slot), f"the card gains {bonus} chips for good")
            if self.column("played_create", slot):
                self.account.say(self.joker(slot), "creates a card")

    def _held(self) -> None:
        parts, account = self.parts, self.account
        chosen = {int(place) for place in self.score.places if place >= 0}
        hits = parts.rolled.rolls.count[FIRST_JOKER:]
        red, again = int(parts.held.red), int(amounts.SEAL_REPEATS[amounts.RED])
        times = [
            (1 + (red >> place & 1) * again + int(parts.held.repeats)) * (int(parts.held.acts) >> place & 1)
            for place in range(len(parts.held.features.cards))
        ]
        for place in range(len(times)):
            for time in range(int(times[place])):
                name = card_text(self.state.hand, place)
                name = f"{name if name != '-' and place not in chosen else 'the copy'} held"
                account.give(
                    name + (" again" if time else ""),
                    xmult=amounts.STEEL_XMULT if int(parts.held.steel) >> place & 1 else 1,
                )
                features = int(parts.held.features.at(place))
                for slot, acting in enumerate(self.acting):
                    asks = int(self.column("held_card", slot))
                    if acting and not self.column("held_rolled", slot) and features & asks:
                        account.give(
                            self.joker(slot),
                            mult=float(parts.held.mult[slot]),
                            xmult=float(self.column("held_xmult", slot)),
                        )
        for slot, acting in enumerate(self.acting):
            if acting and self.column("held_rolled", slot) and hits[slot]:
                dollars = int(self.column("held_dollars", slot)) * int(hits[slot])
                account.give(self.joker(slot), dollars=dollars)

    def _jokers(self) -> None:
        parts, account, jokers = self.parts, self.account, self.state.jokers
        others = [slot for slot, acting in enumerate(self.acting) if self.book.columns["other"][acting]]
        for place in range(len(self.acting)):
            own = int(jokers.id[place])
            if not own:
                continue
            edition = 0 if jokers.debuffed[place] else int(jokers.edition[place])
            row = EDITIONS.row(edition) if edition else {"chips": 0, "mult": 0, "xmult": 1.0}
            marked = f"{self.joker(place)}, {EDITIONS.names[edition]}"
            account.give(marked, chips=row["chips"], mult=row["mult"])
            account.give(
                self.joker(place),
                chips=float(parts.main.chips[place]),
                mult=float(parts.main.mult[place]),
                dollars=int(parts.main.dollars[place]),
                xmult=float(parts.main.xmult[place]),
            )
            for slot in others:
                if self.column("other_rarity", slot) == self.book.columns["rarity"][own]:
                    source = f"{self.joker(slot)}, for {self.book.rows[own - 1]['name']}"
                    account.give(source, xmult=float(self.column("other_xmult", slot)))
            account.give(marked, xmult=row["xmult"])


@functools.cache
def _scorer(book: JokerBook, luck: Luck) -> Any:
    return jax.jit(lambda state, chosen: score_hand(state, chosen, book, luck, log=1))


def explain(
    state: ScoringState, chosen: np.ndarray, book: JokerBook = BOOK, luck: Luck = "seeded"
) -> tuple[HandScore, list[Line]]:
    """Scores a hand and tells how; arguments as for `score_hand`, of one game.

    Returns:
      The score as numpy arrays, and the lines of the account.
    """
    scored, parts = jax.device_get(_scorer(book, luck)(state, chosen))
    return scored, _Story(jax.device_get(state), scored, parts, book).tell()


def aftermath(state: ScoringState, score: HandScore, book: JokerBook = BOOK) -> list[str]:
    """What else the hand changed: money, cards, jokers, things created."""
    lines = []
    if score.money:
        lines.append(f"money {int(score.money):+d}")
    if int(score.level) != int(state.poker_hands.level[int(score.hand)]):
        lines.append(f"{HANDS.names[int(score.hand)]} is now level {int(score.level)}")
    for gone in np.flatnonzero(score.destroyed):
        lines.append(f"{card_text(score.cards, int(gone))} is destroyed")
    if score.copies:
        lines.append(f"{int(score.copies)} copy of the played card joins the deck and the hand")
    for created in score.created:
        if created:
            kind, source = CREATED[int(created) - 1]
            lines.append(f"creates a {kind} card ({source.replace('_', ' ')})")
    for place, joker in enumerate(np.asarray(state.jokers.id).tolist()):
        name = book.rows[int(joker) - 1]["name"] if joker else ""
        if joker and score.removed[place]:
            lines.append(f"{name} is used up")
        elif joker and score.jokers.stored[place] != state.jokers.stored[place]:
            before, after = float(state.jokers.stored[place]), float(score.jokers.stored[place])
            lines.append(f"{name}: {book.state_name(int(joker))} {number(before)} -> {number(after)}")
    return lines
