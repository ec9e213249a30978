import json

import pytest

from jaxtro.__main__ import main
from jaxtro.env import generation as gen
from jaxtro.seeds import query, search


def test_filters_are_read():
    want = query.parse("not 2x negative Blueprint in shop slots 1-4 antes 2-3")
    assert (want.negated, want.count, want.place) == (True, 2, "shop")
    assert (want.first_slot, want.last_slot, want.first_ante, want.last_ante) == (1, 4, 2, 3)
    assert query.EDITIONS.keys[want.edition] == "e_negative"
    assert query.parse("The Soul in arcana pack by ante 2").pack_kind == 0
    assert query.parse("S_A~m_glass#Red in pack").is_card
    assert query.parse("Mega Spectral Pack in packs at ante 2").first_ante == 2
    assert len(query.parse("rare in shop").ids) == 20
    assert query.parse("eternal rental joker in anywhere").stickers == ("eternal", "rental")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("j_blueprint", "cannot read the filter"),
        ("", "cannot read the filter"),
        ("j_blueprnt in shop", "Did you mean j_blueprint"),
        ("j_blueprint in cellar", "allowed: shop, pack"),
        ("bl_hook in shop", "unknown item"),
        ("j_egg in boss", "bl_hook"),
        ("v_hone in shop", "vouchers are found in voucher"),
        ("j_egg in voucher", "only vouchers"),
        ("j_perkeo in shop", "only from The Soul"),
        ("j_egg in soul", "legendary"),
        ("j_egg in shop antes 4-2", "go upwards"),
        ("j_egg in shop by ante 0", "count from 1"),
        ("0x j_egg in shop", "count must be 1"),
        ("bl_hook in boss slot 1", "have slots"),
        ("2x Perkeo in soul", "no count"),
        ("Perkeo in soul at ante 1", "no count"),
        ("negative Perkeo in soul", "not found in soul"),
        ("foil v_hone in voucher", "not found in voucher"),
        ("c_soul in shop", "only from packs"),
    ],
)
def test_malformed_filters_say_what_is_allowed(text, message):
    with pytest.raises(query.FilterError, match=message):
        query.parse(text)


def test_plans_are_as_small_as_the_filters():
    rules = gen.make_rules()
    plan = search.plan_for([query.parse("bl_hook in boss at ante 1")], rules)
    assert (plan.parts, plan.antes) == (("boss",), 1)
    with pytest.raises(query.FilterError, match="slot 9 is beyond the 8"):
        search.plan_for([query.parse("j_egg in shop slot 9")], rules)
    with pytest.raises(query.FilterError, match="no eternal jokers"):
        search.plan_for([query.parse("eternal joker in shop")], rules)
    with pytest.raises(query.FilterError, match="raise --antes"):
        search.plan_for([query.parse("j_egg in shop by ante 9")], rules)


def test_found_seeds_hold_what_was_wanted(capsys):
    wants = ["--want", "tag_negative in tag at ante 2", "--want", "not v_hone in voucher at ante 1"]
    assert main(["find", *wants, "--limit", "3", "--batch", "256"]) == 0
    printed = capsys.readouterr()
    seeds = printed.out.split()
    assert len(seeds) == 3
    # The search goes on where it stopped, and finds the same seeds in other batches.
    resume = printed.err.split("--start ")[1].split()[0]
    assert main(["find", *wants, "--limit", "1", "--batch", "256", "--start", resume]) == 0
    (later,) = capsys.readouterr().out.split()
    assert later > seeds[-1]
    assert main(["find", *wants, "--count", "700", "--batch", "100", "--json"]) == 0
    rows = [json.loads(line)["seed"] for line in capsys.readouterr().out.splitlines()]
    assert rows[:3] == [seed for seed in seeds if seed in rows][:3]


def test_seed_command_prints_data_and_a_table(capsys):
    options = ["--antes", "1", "--slots", "2"]
    assert main(["seed", "oooo155", *options, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["seed"] == "OOOO155"
    assert data["antes"][0]["boss"] == "bl_manacle"
    assert data["antes"][0]["queue"] == ["j_burglar", "c_jupiter"]
    assert main(["seed", "OOOO155", *options]) == 0
    text = capsys.readouterr().out
    for words in (
        "The Manacle",
        "Small: Foil Tag; Big: Economy Tag",
        "1. Burglar, 2. Jupiter",
        "Greedy Joker",
    ):
        assert words in text


def test_search_ends_with_the_last_seed(capsys):
    options = ["--want", "not v_hone in voucher at ante 1", "--want", "not tag_negative in tag at ante 2"]
    assert main(["find", *options, "--start", "ZZZZZZZX", "--batch", "256", "--limit", "99"]) == 0
    printed = capsys.readouterr()
    assert set(printed.out.split()) <= {"ZZZZZZZX", "ZZZZZZZY", "ZZZZZZZZ"}
    assert "tried 3 seeds; every seed was tried" in printed.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["seed", "TOOLONGSEED"], "1 to 8"),
        (["seed", "A!"], "characters 1-9 and A-Z"),
        (["seed", ""], "empty"),
        (["seed", "A", "--deck", "nope"], "b_red"),
        (["seed", "A", "--stake", "nope"], "stake_white"),
        (["seed", "A", "--challenge", "nope"], "c_omelette_1"),
        (["find", "--want", "j_nope in shop"], "j_joker"),
        (["find", "--want", "j_egg in shop", "--start", "OOO"], "not one the game makes"),
    ],
)
def test_wrong_arguments_end_with_2_and_say_why(capsys, options, message):
    assert main(options) == 2
    assert message in capsys.readouterr().err
