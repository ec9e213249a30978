"""Prints the README's table of what is covered, from the game's tables and the code.

`python experiments/readme_table.py --write` puts it into README.md between its two marks; a test compares the two.
"""

import argparse
from pathlib import Path

from jaxtro.env.actions import Kind
from jaxtro.env.flat import NUM_ACTIONS
from jaxtro.env.observation import SCALARS
from jaxtro.env.state import (
    CONSUMABLE_CAPACITY,
    DECK_CAPACITY,
    HAND_CAPACITY,
    JOKER_CAPACITY,
    TAG_CAPACITY,
)
from jaxtro.tables import (
    BLINDS,
    CHALLENGES,
    CONSUMABLES,
    DECKS,
    EDITIONS,
    ENHANCEMENTS,
    HANDS,
    JOKERS,
    PACKS,
    SEALS,
    STAKES,
    STICKERS,
    TAGS,
    VOUCHERS,
)

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- coverage: begin (python experiments/readme_table.py --write) -->", "<!-- coverage: end -->"


def table() -> str:
    """The table as Markdown."""
    sets = {
        name: sum(row["set"] == name for row in CONSUMABLES.rows) for name in ("Tarot", "Planet", "Spectral")
    }
    kinds = sorted({row["kind"] for row in PACKS.rows})
    bosses = sum(row["type"] in ("boss", "showdown") for row in BLINDS.rows)
    in_run = sum("run" in row for row in JOKERS.rows)
    scoring = sum(bool(row["scoring"]) for row in JOKERS.rows)
    kinds_of_things = f"{len(DECKS.rows) - 1}, {len(STAKES.rows)}, {len(CHALLENGES.rows)}"
    on_cards = f"{len(ENHANCEMENTS.rows)}, {len(EDITIONS.rows)}, {len(SEALS.rows)}, {len(STICKERS.rows)}"
    limits = {
        "hand": HAND_CAPACITY, "jokers": JOKER_CAPACITY, "consumables": CONSUMABLE_CAPACITY, "deck": DECK_CAPACITY,
        "tags": TAG_CAPACITY,
    }  # fmt: skip
    listed = ", ".join(f"{name} {size}" for name, size in limits.items())
    jokers = f"{scoring} with an entry for scoring, {in_run} with one for the rest of the run"
    rows = [
        ("jokers", len(JOKERS.rows), jokers),
        ("consumables", len(CONSUMABLES.rows), ", ".join(f"{count} {name}" for name, count in sets.items())),
        ("vouchers", len(VOUCHERS.rows), "both tiers"),
        ("tags", len(TAGS.rows), "with their timing and stacking"),
        ("blinds", len(BLINDS.rows), f"{bosses} bosses, showdowns among them"),
        ("decks, stakes, challenges", kinds_of_things, "values, not types: one program plays any mixture"),
        ("packs", len(PACKS.rows), ", ".join(kinds)),
        ("poker hands", len(HANDS.keys), "levels, the three secret ones"),
        ("enhancements, editions, seals, stickers", on_cards, ""),
        ("kinds of actions", len(Kind), f"flat view: {NUM_ACTIONS} numbers"),
        ("observation", len(SCALARS), "run numbers, beside tables of cards, jokers, offers, hands, tags"),
        ("limits of this program", "", f"{listed}; beyond them `overflow` is set"),
    ]
    lines = ["| what | how many | |", "|---|---|---|"]
    return "\n".join(lines + [f"| {what} | {count} | {text} |" for what, count, text in rows])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    if not parser.parse_args().write:
        print(table())
        return
    text = README.read_text()
    before, rest = text.split(BEGIN)
    README.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
