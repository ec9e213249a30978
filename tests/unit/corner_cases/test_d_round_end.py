"""The numbered corner cases of the end of a round, money and a skip's tags."""

import pytest

from jaxtro.env.actions import Kind
from tests.run_tools import (
    act,
    consumable_keys,
    consumables,
    joker_keys,
    jokers,
    put,
    tags,
)
from tests.unit.corner_cases.common import (
    CASH,
    PLAY1,
    SELECT,
    SKIP,
    Cases,
    money,
    paid,
    skipping,
    true,
    winning,
    won_with,
)

K = Kind
CASES = Cases()
case = CASES.add
GROS_SEED = "GROS2"  # its first roll lies between 1/6 and 2/6

case(
    "79 interest after rent and Gold cards",
    won_with(("j_joker", {"rental": True}), dollars=12, text="S_K H_2~m_gold"),
    PLAY1,
    lambda s, i: true(money(s)[1] == 12, int(s[1].round.payout) == 3 + 2),
)
case(
    "80 Golden Joker pays once",
    won_with("j_golden", dollars=0),
    [*PLAY1, *CASH],
    lambda s, i: true(money(s) == [0, 0, 7]),
)
case(
    "81 Green Deck",
    won_with(dollars=20, hands_left=3, discards_left=2),
    PLAY1,
    paid(3 + 4 + 2),
    params={"deck": "Green Deck"},
)
case(
    "82 Gold card held",
    won_with(dollars=0, text="S_K H_2~m_gold#Red"),
    PLAY1,
    lambda s, i: true(money(s)[1] == 6),
)
case(
    "82 Gold Seal held", won_with(dollars=0, text="S_K H_2#Gold"), PLAY1, lambda s, i: true(money(s)[1] == 0)
)
case(
    "83 Blue Seal",
    won_with(text="S_K S_Q#Blue"),
    PLAY1,
    lambda s, i: true(consumable_keys(s[1]) == ["c_pluto"]),
)
case(
    "84 Rental of a debuffed joker",
    won_with(("j_joker", {"rental": True, "debuffed": True, "perish": 0}), dollars=1),
    PLAY1,
    lambda s, i: true(money(s)[1] == -2),
)
case(
    "85 Perishable",
    won_with(("j_joker", {"perish": 1})),
    PLAY1,
    lambda s, i: true(int(s[1].jokers.perish[0]) == 0, bool(s[1].jokers.debuffed[0])),
)
case(
    "86 perishing joker's own effect",
    won_with(("j_egg", {"perish": 1}), ("j_golden", {"perish": 1}), dollars=0),
    PLAY1,
    lambda s, i: true(int(s[1].jokers.sell_bonus[0]) == 3, int(s[1].round.payout) == 3),
)
case(
    "88 Gros Michel",
    won_with("j_gros_michel", "j_oops", "j_oops", "j_oops"),
    PLAY1,
    lambda s, i: true(joker_keys(s[1]) == ["j_oops"] * 3, bool(s[1].run.gros_michel_extinct)),
)
case(
    "89 Turtle Bean",
    won_with(("j_turtle_bean", {"stored": 1.0})),
    PLAY1,
    lambda s, i: true(joker_keys(s[1]) == []),
)
case(
    "89 hand size",
    lambda s: jokers(s, "j_turtle_bean"),
    SELECT,
    lambda s, i: true(int(s[1].piles.n_hand) == 13),
)
case("90 Popcorn", won_with("j_popcorn"), PLAY1, lambda s, i: true(s[1].jokers.stored[0] == 16))
case(
    "90 Popcorn goes",
    won_with(("j_popcorn", {"stored": 4.0})),
    PLAY1,
    lambda s, i: true(joker_keys(s[1]) == []),
)
case(
    "91 Egg and Gift Card",
    lambda s: consumables(won_with("j_egg", "j_gift")(s), "c_pluto"),
    PLAY1,
    lambda s, i: true(list(s[1].jokers.sell_bonus[:2]) == [4, 1], int(s[1].consumables.sell_bonus[0]) == 1),
)
case("92 Rocket grows before it pays", won_with("j_rocket", dollars=0, blind="bl_club"), PLAY1, paid(5 + 3))
case(
    "93 Campfire resets after a boss",
    won_with(("j_campfire", {"stored": 2.0}), blind="bl_club"),
    PLAY1,
    lambda s, i: true(s[1].jokers.stored[0] == 1),
)
case(
    "93 Campfire grows",
    lambda s: consumables(jokers(s, "j_campfire", "j_egg"), "c_fool"),
    [act(K.SELL_JOKER, 1), act(K.SELL_CONSUMABLE, 0)],
    lambda s, i: true([x.jokers.stored[0] for x in s] == [1, 1.25, 1.5]),
)
case(
    "94 Satellite",
    lambda s: put(won_with("j_satellite", dollars=0)(s), run__planets_used=[True, True, True] + [False] * 9),
    PLAY1,
    paid(3 + 3),
)
case("95 Cloud 9", won_with("j_cloud_9", dollars=0), PLAY1, paid(3 + 4))
case(
    "95 Stone nines do not count",
    won_with("j_cloud_9", dollars=0, text="S_K S_9~m_stone"),
    PLAY1,
    paid(3 + 3),
)
case("96 Delayed Gratification", won_with("j_delayed_grat", dollars=0, discards_left=3), PLAY1, paid(3 + 6))
case(
    "96 none if one was used",
    won_with("j_delayed_grat", dollars=0, discards_left=3, discards_used=1),
    PLAY1,
    paid(3),
)
case("97 To the Moon", won_with("j_to_the_moon", dollars=10), PLAY1, paid(3 + 4))
case(
    "98 To Do List",
    won_with("j_todo_list"),
    PLAY1,
    lambda s, i: true(s[1].jokers.stored[0] != s[0].jokers.stored[0]),
)
case(
    "99 Investment Tag after a boss",
    lambda s: tags(won_with(dollars=0, blind="bl_club")(s), "tag_investment", "tag_investment"),
    PLAY1,
    lambda s, i: true(int(s[1].round.payout) == 55, not s[1].tags.any()),
)
case(
    "Mime that Crimson Heart debuffs does not repeat held cards",
    lambda s: put(
        jokers(winning(s, "bl_final_heart", "S_K H_9~m_gold"), ("j_mime", {"debuffed": True})), run__money=0
    ),
    PLAY1,
    lambda s, i: true(money(s)[1] == 3, not s[1].jokers.debuffed.any()),
)
case(
    "Oops! All 6s that perishes to the left no longer helps Gros Michel",
    won_with(("j_oops", {"perish": 1}), "j_gros_michel"),
    PLAY1,
    lambda s, i: true("j_gros_michel" in joker_keys(s[1])),
    seed=GROS_SEED,
)
case(
    "Oops! All 6s that perishes to the right still does",
    won_with("j_gros_michel", ("j_oops", {"perish": 1})),
    PLAY1,
    lambda s, i: true("j_gros_michel" not in joker_keys(s[1])),
    seed=GROS_SEED,
)
case(
    "a rental joker that goes at the end of the round pays once more",
    won_with(("j_popcorn", {"stored": 4.0, "rental": True})),
    PLAY1,
    lambda s, i: true(joker_keys(s[1]) == [], money(s) == [20, 17]),
)
case(
    "99 not after a Small Blind",
    lambda s: tags(won_with(dollars=0)(s), "tag_investment"),
    PLAY1,
    lambda s, i: true(int(s[1].round.payout) == 3, s[1].tags.any()),
)


case(
    "100 Handy Tag", skipping("tag_handy", run__hands_played=23), SKIP, lambda s, i: true(money(s) == [4, 27])
)
case(
    "100 Garbage Tag",
    skipping("tag_garbage", run__unused_discards=7),
    SKIP,
    lambda s, i: true(money(s) == [4, 11]),
)
case("101 Economy Tag", skipping("tag_economy", run__money=48), SKIP, lambda s, i: true(money(s) == [48, 88]))
case(
    "101 Economy Tag in debt",
    skipping("tag_economy", run__money=-5),
    SKIP,
    lambda s, i: true(money(s) == [-5, -5]),
)
case(
    "Economy Tags one after the other",  # each Double Tag adds a copy
    lambda s: tags(skipping("tag_economy", run__money=7)(s), "tag_double", "tag_double"),
    SKIP,
    lambda s, i: true(money(s) == [7, 56], not s[1].tags.any()),
)
case(
    "Top-up Tag twice",
    lambda s: tags(skipping("tag_top_up")(s), "tag_double"),
    SKIP,
    lambda s, i: true(int((s[1].jokers.id > 0).sum() - (s[0].jokers.id > 0).sum()) == 4),
)
case(
    "102 Hermit in debt",
    lambda s: put(consumables(s, "c_hermit"), run__money=-5),
    [act(K.USE)],
    lambda s, i: true(money(s) == [-5, -5]),
)
case("Speed Tag", skipping("tag_skip", run__skips=2), SKIP, lambda s, i: true(money(s) == [4, 19]))


@pytest.mark.parametrize("entry", CASES.all, ids=lambda entry: entry.name)
def test_case(entry, played):  # type: ignore[no-untyped-def]
    entry.check(*played[entry.name])
