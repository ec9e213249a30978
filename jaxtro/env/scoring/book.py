"""The joker book: the `scoring` column of the joker table, turned into arrays that the folds gather from.

A row says what a joker does to a hand; `docs/adding-a-joker.md` lists every word it may use. Numbers stay in
the table, irregular facts are small named functions (`quantities.py`, `card_features.py`, `card_changes.py`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from jaxtro.env.generation.items import CONSUMABLE_SOURCES
from jaxtro.env.scoring.card_changes import CARD_CHANGES
from jaxtro.env.scoring.card_features import FEATURES
from jaxtro.env.scoring.hands import HandRules
from jaxtro.env.scoring.quantities import JOKER_QUANTITIES, QUANTITIES
from jaxtro.tables import HANDS, JOKERS, Kind
from jaxtro.tables.kinds import make_kind
from jaxtro.tables.streams import STREAM_ID

# Streams of rolls that the cards themselves make.
LUCKY_MULT, LUCKY_MONEY, GLASS = 0, 1, 2
CARD_STREAMS = ("lucky_mult", "lucky_money", "glass")
RULES = tuple(HandRules.__dataclass_fields__)
CREATED = tuple((kind, source) for kind, sources in CONSUMABLE_SOURCES.items() for source in sources)

_WORDS = {
    "state": {"name", "start"},
    "before": {
        "if", "gain", "reset_if", "reset_to", "dollars", "odds", "stream", "level_up", "copy_card", "cards",
    },
    "played": {
        "card", "chips", "mult", "dollars", "xmult", "odds", "stream", "create", "card_bonus", "gain",
    },
    "retrigger": {"card", "repeats"},
    "held": {"card", "mult", "xmult", "odds", "stream", "dollars"},
    "main": {"if", "chips", "mult", "xmult", "dollars", "create"},
    "other": {"rarity", "xmult"},
    "lucky": {"gain"},
    "card_added": {"gain"},
    "destroy": {"if", "card", "create"},
    "destroyed": {"card", "gain"},
    "after": {"lose"},
    "rule": None, "held_repeats": None, "odds_factor": None,
}  # fmt: skip
_AMOUNT_WORDS = {"base", "each", "per", "every", "random", "stream"}


class JokerRowError(ValueError):
    """A joker's `scoring` entry that the engine does not understand; the text says what it may be."""


@dataclass(frozen=True)
class Condition:
    """A fact of the hand: a quantity compared with a number.

    Attributes:
      quantity: name in `QUANTITIES`, or "contains X" for a poker hand X.
      compare: "==", ">=" or "<=". modulus: 0, or what the quantity is first divided by for its remainder.
      number: what it is compared with.
    """

    quantity: str
    compare: str
    modulus: int
    number: float


@dataclass(frozen=True, eq=False)  # a book is itself only: functions can be cached by it
class JokerBook:
    """Arrays with one row per joker id (row 0 = no joker), and the lists their numbers point into.

    Attributes:
      kind: keys, names and rows of the jokers.
      columns: name -> array[ids]; see `_COLUMNS`.
      traits: uint32[ids], what a joker has at all, see `Trait`.
      quantities, joker_quantities, features, changes: the named functions in use.
      per: (quantity, every) that amounts are multiplied with; `*_per` columns point here.
      before_facts, main_facts: conditions; the bits of `before_if`, `reset_if`, `main_if`, `destroy_if`.
      streams: names of the random streams that scoring uses; the `stream` column points here.
    """

    kind: Kind
    columns: Mapping[str, np.ndarray]
    traits: np.ndarray
    quantities: Mapping[str, Callable[..., Any]]
    joker_quantities: Mapping[str, Callable[..., Any]]
    features: Mapping[str, Callable[..., Any]]
    changes: Mapping[str, Callable[..., Any]]
    per: tuple[tuple[str, int], ...]
    before_facts: tuple[Condition, ...]
    main_facts: tuple[Condition, ...]
    streams: tuple[str, ...]

    @property
    def rows(self) -> tuple[Mapping[str, Any], ...]:
        """The data rows; that of a joker is at its id - 1."""
        return self.kind.rows

    @property
    def keys(self) -> tuple[str, ...]:
        """The key of each id, "" for 0."""
        return self.kind.keys

    def with_joker(
        self,
        row: Mapping[str, Any],
        quantities: Mapping[str, Callable[..., Any]] | None = None,
        joker_quantities: Mapping[str, Callable[..., Any]] | None = None,
        features: Mapping[str, Callable[..., Any]] | None = None,
        changes: Mapping[str, Callable[..., Any]] | None = None,
    ) -> "JokerBook":
        """The book with one more joker; its id is the last one.

        Args:
          row: at least `key`, `name`, `rarity`, `copyable` and `scoring`.
          quantities, joker_quantities, features, changes: functions that the row names, if new.

        Raises:
          JokerRowError: for a key that exists and for entries that are not understood.
        """
        if row["key"] in self.keys:
            raise JokerRowError(f"{row['key']}: this joker is in the book already")
        return make_book(
            (*self.rows, row),
            {**self.quantities, **(quantities or {})},
            {**self.joker_quantities, **(joker_quantities or {})},
            {**self.features, **(features or {})},
            {**self.changes, **(changes or {})},
        )

    def state_name(self, joker: int) -> str | None:
        """What a joker's stored number means ("mult", "chips", "xmult" ...), None if it keeps none."""
        if not joker:
            return None
        state = self.rows[joker - 1]["scoring"].get("state")
        return state["name"] if state else None

    def sell_value(self, joker: int) -> int:
        """Dollars for a joker without edition, bought at its full price (run.md 7.3)."""
        return max(1, self.rows[joker - 1].get("cost", 2) // 2)

    def start(self, joker: int) -> float:
        """The stored number of a new joker; -1 if it is drawn (To Do List's poker hand)."""
        if not joker:
            return 0.0
        start = self.rows[joker - 1]["scoring"].get("state", {}).get("start", 0)
        return -1.0 if start is None else float(start)

    def features_in(self, *columns: str) -> int:
        """The bits of the card features that these columns ask for."""
        return int(np.bitwise_or.reduce([bits for name in columns for bits in self.columns[name]]))

    def most_triggers(self, joker_places: int) -> int:
        """The most triggers that the five played cards can have together."""
        first = sum(1 << n for n, name in enumerate(self.features) if name.startswith("first_"))
        cards = np.where(self.columns["retrigger_card"] & ~np.uint32(first), 5, 1)
        return 5 * 2 + joker_places * int(np.max(self.columns["repeats"] * cards))


# name -> (dtype, value of a joker without the effect)
_COLUMNS: dict[str, tuple[Any, float]] = {
    "rarity": (np.int8, 0), "copyable": (bool, 0), "copier": (np.int8, 0), "rules": (np.uint8, 0),
    "odds_factor": (np.int32, 1),
    # before
    "before": (bool, 0), "before_if": (np.uint32, 0), "gain": (np.float64, 0), "reset_if": (np.uint32, 0),
    "reset_to": (np.float64, 0), "has_reset": (bool, 0), "before_dollars": (np.int32, 0),
    "level_up": (np.int32, 0), "copy_card": (bool, 0), "change": (np.int8, 0),
    "added_gain": (np.float64, 0),
    # any roll
    "stream": (np.int8, 0), "odds": (np.float64, 0),
    # played
    "played_card": (np.uint32, 0), "played_chips": (np.int32, 0), "played_mult": (np.float64, 0),
    "played_dollars": (np.int32, 0), "played_xmult": (np.float64, 1), "played_rolled": (bool, 0),
    "played_create": (np.int8, 0), "card_bonus": (np.int32, 0), "played_gain": (np.float64, 0),
    "retrigger_card": (np.uint32, 0), "repeats": (np.int32, 0), "lucky_gain": (np.float64, 0),
    # held
    "held_card": (np.uint32, 0), "held_mult": (np.float64, 0), "held_each": (np.float64, 0),
    "held_per": (np.int8, 0), "held_xmult": (np.float64, 1), "held_rolled": (bool, 0),
    "held_dollars": (np.int32, 0), "held_repeats": (np.int32, 0),
    # main
    "main_if": (np.uint32, 0), "main": (bool, 0), "main_chips": (np.float64, 0), "main_mult": (np.float64, 0),
    "main_xmult": (np.float64, 1), "main_dollars": (np.int32, 0), "main_per": (np.int8, 0),
    "each_chips": (np.float64, 0), "each_mult": (np.float64, 0), "each_xmult": (np.float64, 0),
    "random": (bool, 0), "random_low": (np.float64, 0), "random_high": (np.float64, 0),
    "main_create": (np.int8, 0),
    "other": (bool, 0), "other_rarity": (np.int8, 0), "other_xmult": (np.float64, 1),
    # after
    "destroy": (bool, 0), "destroy_if": (np.uint32, 0), "destroy_card": (np.uint32, 0),
    "destroy_create": (np.int8, 0), "destroyed_card": (np.uint32, 0), "destroyed_gain": (np.float64, 0),
    "lose": (np.float64, 0),
}  # fmt: skip


class Trait(IntEnum):
    """Bits of `JokerBook.traits`."""

    COPIES_RIGHT = 0
    COPIES_LEFTMOST = 1
    COPYABLE = 2
    RULES = 3  # five bits
    ODDS = 8
    BEFORE = 9
    PLAYED = 10
    CARDS_BEFORE = 11
    RETRIGGER = 12
    HELD = 13
    HELD_REPEATS = 14
    MAIN = 15
    OTHER = 16
    ROLLED = 17
    RANDOM = 18
    LUCKY = 19
    CREATES = 20
    AFTER = 21
    DESTROYS = 22
    CARD_ADDED = 23


def _traits(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """The bits of `Trait` for every joker id."""
    c = columns
    has = {
        Trait.COPIES_RIGHT: c["copier"] == 1,
        Trait.COPIES_LEFTMOST: c["copier"] == 2,
        Trait.COPYABLE: c["copyable"],
        Trait.ODDS: c["odds_factor"] != 1,
        Trait.BEFORE: c["before"] & (c["change"] == 0) & ~c["copy_card"],
        Trait.CARDS_BEFORE: (c["change"] != 0) | c["copy_card"],
        Trait.CARD_ADDED: c["added_gain"] != 0,
        Trait.PLAYED: c["played_card"] != 0,
        Trait.RETRIGGER: c["retrigger_card"] != 0,
        Trait.HELD: c["held_card"] != 0,
        Trait.HELD_REPEATS: c["held_repeats"] != 0,
        Trait.MAIN: c["main"],
        Trait.OTHER: c["other"],
        Trait.ROLLED: c["odds"] != 0,
        Trait.RANDOM: c["random"],
        Trait.LUCKY: c["lucky_gain"] != 0,
        Trait.CREATES: c["main_create"] != 0,
        Trait.AFTER: (c["lose"] != 0) | (c["destroyed_card"] != 0),
        Trait.DESTROYS: c["destroy"],
    }
    bits = c["rules"].astype(np.uint32) << np.uint32(Trait.RULES)
    for trait, where in has.items():
        bits |= where.astype(np.uint32) << np.uint32(trait)
    bits.setflags(write=False)
    return bits


# Jokers that copy others are part of the engine (copying.py): 1 = the one to the right, 2 = the leftmost.
_COPIERS = {"j_blueprint": 1, "j_brainstorm": 2}


class _Compiler:
    """Fills the columns row by row."""

    def __init__(self, size: int, quantities: set[str], features: Mapping, changes: Mapping) -> None:
        self.columns = {name: np.full(size, empty, dtype) for name, (dtype, empty) in _COLUMNS.items()}
        self.quantities, self.features, self.changes = quantities, list(features), list(changes)
        self.per: list[tuple[str, int]] = [("", 1)]
        self.before_facts: list[Condition] = []
        self.main_facts: list[Condition] = []
        self.streams = list(CARD_STREAMS)
        self.key = ""

    def fail(self, text: str) -> JokerRowError:
        return JokerRowError(f"{self.key}: {text}")

    def put(self, joker: int, **values: Any) -> None:
        for name, value in values.items():
            self.columns[name][joker] = value

    def words(self, entry: Mapping[str, Any], allowed: set[str], where: str) -> None:
        unknown = set(entry) - allowed
        if unknown:
            raise self.fail(f"{where} has unknown {sorted(unknown)}; allowed: {sorted(allowed)}")

    def facts(self, conditions: Mapping[str, str], into: list[Condition]) -> int:
        bits = 0
        for name, text in conditions.items():
            if name == "contains":
                if text not in HANDS.keys:
                    raise self.fail(f"contains {text!r}; the poker hands are {list(HANDS.keys)}")
                fact = Condition(f"contains {text}", "==", 0, 1)
            else:
                if name not in self.quantities:
                    raise self.fail(f"unknown quantity {name!r}; known: {sorted(self.quantities)}")
                found = re.fullmatch(r"(?:% (\d+) )?(==|>=|<=) (-?\d+)", text)
                if not found:
                    raise self.fail(f"{name}: {text!r} is no comparison such as '<= 3' or '% 6 == 5'")
                fact = Condition(name, found[2], int(found[1] or 0), float(found[3]))
            if fact not in into:
                into.append(fact)
            bits |= 1 << into.index(fact)
        if len(into) > 32:
            raise self.fail("more than 32 different conditions in the book")
        return bits

    def cards(self, names: Sequence[str]) -> int:
        bits = 0
        for name in names:
            if name not in self.features:
                raise self.fail(f"unknown card feature {name!r}; known: {self.features}")
            bits |= 1 << self.features.index(name)
        return bits

    def created(self, pair: Sequence[str]) -> int:
        if tuple(pair) not in CREATED:
            raise self.fail(f"cannot create {list(pair)}; known: {CREATED}")
        return CREATED.index(tuple(pair)) + 1  # type: ignore[arg-type]

    def quantity(self, amount: Mapping[str, Any]) -> int:
        per = (amount["per"], int(amount.get("every", 1)))
        if per[0] not in self.quantities:
            raise self.fail(f"unknown quantity {per[0]!r}; known: {sorted(self.quantities)}")
        if per not in self.per:
            self.per.append(per)
        return self.per.index(per)

    def rolled(self, joker: int, entry: Mapping[str, Any]) -> bool:
        """Notes odds and stream of an effect that needs a roll; False if it needs none."""
        if "stream" not in entry:
            if "odds" in entry:
                raise self.fail("odds without a stream")
            return False
        if self.columns["odds"][joker]:
            raise self.fail("a joker can have one rolled effect")
        if entry["stream"] not in STREAM_ID:
            raise self.fail(f"unknown random stream {entry['stream']!r}")
        if entry["stream"] not in self.streams:
            self.streams.append(entry["stream"])
        self.put(joker, stream=self.streams.index(entry["stream"]), odds=entry.get("odds", 1))
        return True

    def row(self, joker: int, row: Mapping[str, Any]) -> None:
        self.key = row["key"]
        scoring = row["scoring"]
        self.words(scoring, set(_WORDS), "scoring")
        for part, allowed in _WORDS.items():
            if part in scoring and allowed is not None:
                self.words(scoring[part], allowed, part)
        self.put(
            joker,
            rarity=row["rarity"],
            copyable=row["copyable"],
            copier=_COPIERS.get(row["key"], 0),
            odds_factor=scoring.get("odds_factor", 1),
            held_repeats=scoring.get("held_repeats", 0),
        )
        if "rule" in scoring:
            if scoring["rule"] not in RULES:
                raise self.fail(f"unknown rule {scoring['rule']!r}; known: {RULES}")
            self.put(joker, rules=1 << RULES.index(scoring["rule"]))
        for part in ("before", "played", "retrigger", "held", "main", "other", "destroy", "destroyed"):
            if part in scoring:
                getattr(self, "_" + part)(joker, scoring[part])
        if "lucky" in scoring:
            self.put(joker, lucky_gain=scoring["lucky"]["gain"])
        if "card_added" in scoring:
            self.put(joker, added_gain=scoring["card_added"]["gain"])
        if "after" in scoring:
            self.put(joker, lose=scoring["after"]["lose"])

    def _before(self, joker: int, entry: Mapping[str, Any]) -> None:
        self.put(
            joker,
            before=True,
            before_if=self.facts(entry.get("if", {}), self.before_facts),
            gain=entry.get("gain", 0),
            has_reset="reset_if" in entry,
            reset_if=self.facts(entry.get("reset_if", {}), self.before_facts),
            reset_to=entry.get("reset_to", 0),
            before_dollars=entry.get("dollars", 0),
            level_up=entry.get("level_up", 0),
            copy_card=entry.get("copy_card", False),
        )
        if "cards" in entry:
            if entry["cards"] not in self.changes:
                raise self.fail(f"unknown card change {entry['cards']!r}; known: {self.changes}")
            self.put(joker, change=1 + self.changes.index(entry["cards"]))
        for word, partner in (("cards", "gain"), ("copy_card", "if")):
            if word in entry and set(entry) - {word, partner}:
                raise self.fail(f"before: beside {word!r} there can only be {partner!r}")
        if self.rolled(joker, entry) and "level_up" not in entry:
            raise self.fail("before: only level_up can depend on a roll")

    def _played(self, joker: int, entry: Mapping[str, Any]) -> None:
        rolled = self.rolled(joker, entry)
        if "create" in entry and not rolled:
            raise self.fail("played: create needs odds and a stream")
        if rolled and {"card_bonus", "gain"} & set(entry):
            raise self.fail("played: card_bonus and gain cannot depend on a roll")
        self.put(
            joker,
            played_card=self.cards(entry["card"]),
            played_chips=entry.get("chips", 0),
            played_mult=entry.get("mult", 0),
            played_dollars=entry.get("dollars", 0),
            played_xmult=entry.get("xmult", 1),
            played_rolled=rolled,
            played_create=self.created(entry["create"]) if "create" in entry else 0,
            card_bonus=entry.get("card_bonus", 0),
            played_gain=entry.get("gain", 0),
        )

    def _retrigger(self, joker: int, entry: Mapping[str, Any]) -> None:
        self.put(joker, retrigger_card=self.cards(entry["card"]), repeats=entry["repeats"])

    def _held(self, joker: int, entry: Mapping[str, Any]) -> None:
        rolled = self.rolled(joker, entry)
        if rolled != ("dollars" in entry) or (rolled and {"mult", "xmult"} & set(entry)):
            raise self.fail(
                "held: an effect either pays dollars on a roll, or gives mult or xmult without one"
            )
        mult = entry.get("mult", 0)
        scaled = isinstance(mult, Mapping)
        if scaled:
            self.words(mult, {"base", "each", "per", "every"}, "held mult")
        self.put(
            joker,
            held_card=self.cards(entry["card"]),
            held_mult=mult.get("base", 0) if scaled else mult,
            held_each=mult["each"] if scaled else 0,
            held_per=self.quantity(mult) if scaled else 0,
            held_xmult=entry.get("xmult", 1),
            held_rolled=rolled,
            held_dollars=entry.get("dollars", 0),
        )

    def _main(self, joker: int, entry: Mapping[str, Any]) -> None:
        self.put(
            joker,
            main=True,
            main_if=self.facts(entry.get("if", {}), self.main_facts),
            main_dollars=entry.get("dollars", 0),
            main_create=self.created(entry["create"]) if "create" in entry else 0,
        )
        for kind in ("chips", "mult", "xmult"):
            amount = entry.get(kind)
            if amount is None:
                continue
            if not isinstance(amount, Mapping):
                self.put(joker, **{f"main_{kind}": amount})
                continue
            self.words(amount, _AMOUNT_WORDS, f"main {kind}")
            if "random" in amount:
                if kind != "mult" or "if" in entry:
                    raise self.fail("main: only mult can be random, and without a condition")
                self.rolled(joker, amount)
                low, high = amount["random"]
                self.put(joker, random=True, random_low=low, random_high=high)
                continue
            number = self.quantity(amount)
            if self.columns["main_per"][joker] not in (0, number):
                raise self.fail("main: one quantity at most")
            self.put(
                joker,
                main_per=number,
                **{f"main_{kind}": amount.get("base", 0), f"each_{kind}": amount["each"]},
            )

    def _other(self, joker: int, entry: Mapping[str, Any]) -> None:
        self.put(joker, other=True, other_rarity=entry["rarity"], other_xmult=entry["xmult"])

    def _destroy(self, joker: int, entry: Mapping[str, Any]) -> None:
        self.put(
            joker,
            destroy=True,
            destroy_if=self.facts(entry.get("if", {}), self.main_facts),
            destroy_card=self.cards(entry["card"]),
            destroy_create=self.created(entry["create"]) if "create" in entry else 0,
        )

    def _destroyed(self, joker: int, entry: Mapping[str, Any]) -> None:
        self.put(joker, destroyed_card=self.cards(entry["card"]), destroyed_gain=entry["gain"])


def make_book(
    rows: Sequence[Mapping[str, Any]],
    quantities: Mapping[str, Callable[..., Any]] = QUANTITIES,
    joker_quantities: Mapping[str, Callable[..., Any]] = JOKER_QUANTITIES,
    features: Mapping[str, Callable[..., Any]] = FEATURES,
    changes: Mapping[str, Callable[..., Any]] = CARD_CHANGES,
) -> JokerBook:
    """Compiles joker rows; the id of a joker is its place in `rows`, counting from 1.

    Raises:
      JokerRowError: for an entry that is not understood.
    """
    if len(features) > 32:
        raise JokerRowError("more than 32 card features in the book")
    compiler = _Compiler(1 + len(rows), {*quantities, *joker_quantities}, features, changes)
    for joker, row in enumerate(rows, start=1):
        compiler.row(joker, row)
    for column in compiler.columns.values():
        column.setflags(write=False)
    return JokerBook(
        kind=make_kind("joker", tuple(rows)),
        columns=compiler.columns,
        traits=_traits(compiler.columns),
        quantities=quantities,
        joker_quantities=joker_quantities,
        features=features,
        changes=changes,
        per=tuple(compiler.per),
        before_facts=tuple(compiler.before_facts),
        main_facts=tuple(compiler.main_facts),
        streams=tuple(compiler.streams),
    )


BOOK = make_book(JOKERS.rows)
SCORING_STREAMS = BOOK.streams
