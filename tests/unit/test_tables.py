import csv
import json

import numpy as np
import pytest

from jaxtro import tables
from jaxtro.tables import _load, pools, streams

COUNTS = {
    "JOKERS": 150, "CONSUMABLES": 52, "VOUCHERS": 32, "TAGS": 24, "BLINDS": 30, "STAKES": 8, "PACKS": 32,
    "CHALLENGES": 20, "HANDS": 12, "ENHANCEMENTS": 8, "EDITIONS": 4, "SEALS": 4, "STICKERS": 4,
}  # fmt: skip


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_counts_and_unique_keys(name, count):
    kind = getattr(tables, name)
    assert len(kind.rows) == count
    assert len(set(kind.keys)) == len(kind.keys)
    assert [row.get("id", n) for n, row in enumerate(kind.rows, start=kind.keys[0] == "")] == list(
        range(kind.keys[0] == "", len(kind.keys))
    )


def test_decks_are_fifteen_and_the_challenge_deck():
    assert len(tables.DECKS.rows) == 16
    assert tables.DECKS.keys[-1] == "b_challenge"


def test_references_between_tables():
    for row in tables.VOUCHERS.rows:
        assert all(key in tables.VOUCHERS.keys for key in row["requires"])
    for row in tables.HANDS.rows:
        assert row["planet"] in tables.CONSUMABLES.keys
    for row in (*tables.DECKS.rows, *tables.CHALLENGES.rows):
        assert all(key in tables.VOUCHERS.keys for key in row["vouchers"])
        assert all(key in tables.CONSUMABLES.keys for key in row["consumables"])
    for row in tables.CHALLENGES.rows:
        assert all(joker["key"] in tables.JOKERS.keys for joker in row["jokers"])
        assert all(key in tables.ITEMS.keys for key in row["banned_items"])
        assert all(key in tables.PACKS.keys for key in row["banned_packs"])
        assert all(key in tables.TAGS.keys for key in row["banned_tags"])
        assert all(key in tables.BLINDS.keys for key in row["banned_blinds"])


def test_pools_hold_every_item_once():
    found = [int(number) for row in pools.POOL_ITEMS for number in row if number]
    assert sorted(found) == list(range(1, len(tables.ITEMS)))
    assert pools.POOL_SIZE.tolist() == [61, 64, 20, 5, 22, 12, 18, 32]
    assert sorted(pools.TAG_POOL.tolist()) == list(range(1, 25))
    assert len(pools.BOSS_POOL) == 28
    assert list(pools.FRONTS) == sorted(pools.FRONTS)


def test_streams_are_complete():
    assert len(streams.STREAM_KEYS) == 69 + 45
    assert (streams.NUM_SLOTS, streams.NUM_RETRY_SLOTS) == (69 * 3 + 45, 32 * 3 + 2)
    assert streams.parse_key("Joker2sho-1_resample12") == ("Joker2sho{a}", -1, 12)
    assert streams.parse_key("rarity8buf") == ("rarity{a}buf", 8, 1)
    assert streams.parse_key("soul_smods_Joker1") is None
    assert streams.parse_key("Tag1_resampleX") is None


def test_find_takes_keys_names_and_short_forms():
    ghost = tables.DECKS.keys.index("b_ghost")
    assert [tables.DECKS.find(text) for text in ("b_ghost", "Ghost Deck", "ghost", "GHOST")] == [ghost] * 4
    assert tables.STAKES.find("gold") == 8
    assert tables.ITEMS.find("Blueprint") == tables.item("j_blueprint")
    assert tables.BLINDS.find("the hook") == tables.BLINDS.keys.index("bl_hook")


@pytest.mark.parametrize("text", ["gosth", "", "b_nothing"])
def test_unknown_names_list_what_is_allowed(text):
    with pytest.raises(tables.UnknownNameError, match="b_plasma"):
        tables.DECKS.find(text)


def test_facts_are_frozen():
    with pytest.raises(TypeError):
        tables.JOKERS.rows[0]["cost"] = 0
    with pytest.raises(ValueError, match="read-only"):
        pools.POOL_ITEMS[0, 0] = 0


def test_ante_chips():
    assert [tables.ante_chips(ante) for ante in (0, 1, 8, 9)] == [100.0, 300.0, 50000.0, 110000.0]
    assert tables.ante_chips(8, 3) == 200000.0
    assert tables.ante_chips(39) == np.inf == tables.ante_chips(60)
    with pytest.raises(ValueError, match="scaling"):
        tables.ante_chips(1, 4)


# --- agreement with the specification ------------------------------------------------------------


def test_pools_agree_with_the_rules(rules_data):
    given = rules_data("pools")
    ours = {row["key"]: list(row["items"]) for row in _load.read("pools")["rows"]}
    for name in (
        "Joker1",
        "Joker2",
        "Joker3",
        "Joker4",
        "Tarot",
        "Planet",
        "Spectral",
        "Voucher",
        "Tag",
        "Boss",
    ):
        assert ours[name] == [row["key"] for row in given[name]]
    assert list(pools.FRONTS) == given["front"]


def test_names_agree_with_the_rules(rules_data):
    names = rules_data("names")["key_to_name"]
    for kind, group in (
        (tables.JOKERS, "joker"), (tables.VOUCHERS, "voucher"), (tables.TAGS, "tag"),
        (tables.BLINDS, "blind"),
        (tables.DECKS, "deck"), (tables.STAKES, "stake"), (tables.PACKS, "booster"),
        (tables.CHALLENGES, "challenge"),
        (tables.ENHANCEMENTS, "enhancement"), (tables.SEALS, "seal"), (tables.STICKERS, "sticker"),
    ):  # fmt: skip
        assert {row["key"]: row["name"] for row in kind.rows} == names[group], group


def test_numbers_agree_with_the_rules(shared, rules_data):
    with (shared / "rules" / "jokers.csv").open() as file:
        for row in csv.DictReader(file):
            ours = tables.JOKERS.row(tables.JOKERS.find(row["key"]))
            assert (ours["rarity"], ours["cost"]) == (int(row["rarity"]), int(row["cost"])), row["key"]
            assert ours["eternal_ok"] == (row["eternal_compat"] == "1")
            assert ours["perishable_ok"] == (row["perishable_compat"] == "1")
    for kind, name, fields in (
        (tables.CONSUMABLES, "consumables", ("cost", "set")),
        (tables.VOUCHERS, "vouchers", ("cost", "tier")),
        (tables.TAGS, "tags", ("min_ante", "context")),
        (tables.BLINDS, "blinds", ("mult", "dollars")),
        (tables.PACKS, "packs", ("cost", "weight", "cards", "choose")),
        (tables.DECKS, "decks", ("starting_values",)),
    ):
        for row in rules_data(name)[name]:
            ours = kind.row(kind.keys.index(row["key"]))
            for field in fields:
                value = dict(ours[field]) if isinstance(row[field], dict) else ours[field]
                assert value == row[field], (row["key"], field)
    for row in rules_data("hands")["hands"]:
        ours = tables.HANDS.rows[row["index"]]
        for field in ("name", "planet", "base_chips", "base_mult", "chips_per_level", "mult_per_level"):
            assert ours[field] == row[field]
    for row in rules_data("ante_chips")["table"]:
        for scaling in (1, 2, 3):
            given = row[f"scaling_{scaling}"]
            assert tables.ante_chips(row["ante"], scaling) == (np.inf if given is None else given)


def test_bans_agree_with_the_rules(rules_data):
    for row in rules_data("challenges")["challenges"]:
        ours = tables.CHALLENGES.row(row["order"])
        assert set(ours["banned_items"]) | set(ours["banned_packs"]) == set(row["banned"]["cards"])
        assert list(ours["banned_blinds"]) == row["banned"]["blinds"]
        assert json.dumps(dict(ours["start"])) == json.dumps(row["start_overrides"])
