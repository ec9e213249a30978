"""The numbered corner cases of tags, shop and packs."""

import numpy as np
import pytest

from jaxtro.env import rng
from jaxtro.env.actions import Kind
from jaxtro.env.state import Phase
from jaxtro.tables import EDITIONS, ITEMS, TAGS
from jaxtro.tables.streams import BY_ANTE
from tests.run_tools import (
    ENV,
    act,
    consumable_keys,
    consumables,
    evaluated,
    fight,
    hand,
    joker_keys,
    jokers,
    put,
    redeemed,
    shop,
    tags,
)
from tests.unit.corner_cases.common import (
    CASH,
    FULL,
    PLAY1,
    SELECT,
    SKIP,
    Cases,
    last_hand,
    money,
    skipping,
    true,
    winning,
)

K = Kind
CASES = Cases()
case = CASES.add


def pinned_are_left(s):  # type: ignore[no-untyped-def]
    flags = s.jokers.pinned[s.jokers.id > 0].tolist()
    return flags == sorted(flags, reverse=True)


case(
    "103 two D6 Tags",
    lambda s: tags(evaluated(s), "tag_d_six", "tag_d_six"),
    CASH,
    lambda s, i: true(bool(s[1].shop.reroll_base_free), (s[1].tags > 0).sum() == 1),
)
case(
    "104 D6 price path",
    lambda s: put(shop(s), shop__reroll_base_free=True, run__money=10),
    [act(K.REROLL), act(K.REROLL), act(K.REROLL)],
    lambda s, i: true(money(s) == [10, 10, 9, 7]),
)
case(
    "105 Coupon Tag",
    lambda s: put(tags(evaluated(s), "tag_coupon"), run__money=20),
    [*CASH, act(K.REROLL)],
    lambda s, i: true(
        s[1].shop.cards.free[:2].all(), s[1].shop.packs_free[:2].all(), not s[2].shop.cards.free.any()
    ),
    params={},
    seed="OOOO155",
)
case(
    "106 Foil Tag",
    lambda s: tags(evaluated(s), "tag_foil"),
    CASH,
    lambda s, i: true(s[1].shop.cards.edition[0] == EDITIONS.find("foil"), bool(s[1].shop.cards.free[0])),
    seed="OOOO155",
)
case(
    "107 Uncommon Tag",
    lambda s: tags(evaluated(s), "tag_uncommon"),
    CASH,
    lambda s, i: true(ITEMS.row(int(s[1].shop.cards.id[0]))["rarity"] == 2, bool(s[1].shop.cards.free[0])),
)
case(
    "107 Rare Tag",
    lambda s: tags(evaluated(s), "tag_rare"),
    CASH,
    lambda s, i: true(ITEMS.row(int(s[1].shop.cards.id[0]))["rarity"] == 3),
)
case(
    "108 two Double Tags",
    lambda s: tags(skipping("tag_investment")(s), "tag_double", "tag_double"),
    SKIP,
    lambda s, i: true(
        (s[1].tags == TAGS.keys.index("tag_investment")).sum() == 3, (s[1].tags > 0).sum() == 3
    ),
)
case(
    "109 Double Tag and a pack tag",
    lambda s: tags(skipping("tag_charm")(s), "tag_double"),
    [*SKIP, act(K.SKIP_PACK), act(K.SKIP_PACK)],
    lambda s, i: true([int(x.phase) for x in s[1:]] == [Phase.PACK, Phase.PACK, Phase.BLIND_SELECT]),
)
case(
    "110 Charm Tag",
    skipping("tag_charm"),
    SKIP,
    lambda s, i: true(int(s[1].phase) == Phase.PACK, int(s[1].pack.picks_left) == 2, not s[1].tags.any()),
)
case(
    "113 Juggle Tags",
    lambda s: tags(s, "tag_juggle", "tag_juggle"),
    SELECT,
    lambda s, i: true(int(s[1].piles.n_hand) == 14, not s[1].tags.any()),
)
case(
    "114 Perkeo",
    lambda s: consumables(jokers(shop(s), "j_blueprint", "j_perkeo"), "c_fool", "c_mars"),
    [act(K.NEXT_ROUND)],
    lambda s, i: true(len(consumable_keys(s[1])) == 4, s[1].consumables.negative.sum() == 2),
)
case(
    "115 Ankh and a Negative joker",
    lambda s: consumables(jokers(s, ("j_egg", {"edition": "negative"})), "c_ankh"),
    [act(K.USE)],
    lambda s, i: true(joker_keys(s[1]) == ["j_egg", "j_egg"], list(s[1].jokers.edition[:2]) == [4, 0]),
)
case(
    "116 Hex and an Eternal",
    lambda s: consumables(jokers(s, ("j_egg", {"eternal": True}), "j_joker", "j_jolly"), "c_hex"),
    [act(K.USE)],
    lambda s, i: true("j_egg" in joker_keys(s[1]), len(joker_keys(s[1])) <= 2),
)
case(
    "117 Ankh at the limit",
    lambda s: consumables(jokers(s, *["j_joker"] * 5), "c_ankh"),
    [act(K.USE)],
    lambda s, i: true(len(joker_keys(s[1])) == 2),
)
case(
    "118 Hex takes jokers without edition",
    lambda s: consumables(jokers(s, ("j_egg", {"edition": "foil"}), "j_joker"), "c_hex"),
    [act(K.USE)],
    lambda s, i: true(joker_keys(s[1]) == ["j_joker"], s[1].jokers.edition[0] == EDITIONS.find("polychrome")),
)
case(
    "119 Wheel of Fortune needs a plain joker",
    lambda s: consumables(jokers(s, ("j_egg", {"edition": "foil"})), "c_wheel_of_fortune"),
    [act(K.USE)],
    lambda s, i: true(bool(i[0].illegal)),
)
case(
    "120 Ectoplasm costs more each time",
    lambda s: consumables(jokers(s, "j_joker", "j_egg"), "c_ectoplasm", "c_ectoplasm"),
    [act(K.USE), act(K.USE)],
    lambda s, i: true([int(x.run.hand_size) for x in s] == [8, 7, 5]),
)
case(
    "121 Familiar",
    lambda s: consumables(fight(hand(s, FULL)), "c_familiar"),
    [act(K.USE)],
    lambda s, i: true(int(s[1].piles.n_hand) == 10, (s[1].deck.cards.rank > 0).sum() == 54),
)
case(
    "121 Familiar with one card",
    lambda s: consumables(fight(hand(s, "S_K")), "c_familiar"),
    [act(K.USE)],
    lambda s, i: true(bool(i[0].illegal)),
)
case(
    "122 Judgement full",
    lambda s: consumables(jokers(s, *["j_joker"] * 5), "c_judgement"),
    [act(K.USE)],
    lambda s, i: true(bool(i[0].illegal)),
)
case(
    "123 Emperor at 2/2",
    lambda s: consumables(s, "c_emperor", "c_pluto"),
    [act(K.USE)],
    lambda s, i: true(len(consumable_keys(s[1])) == 2),
)
case(
    "124 The Fool",
    lambda s: consumables(s, "c_pluto", "c_fool"),
    [act(K.USE, 0), act(K.USE, 0)],
    lambda s, i: true(consumable_keys(s[2]) == ["c_pluto"]),
)
case(
    "124 The Fool with nothing to copy",
    lambda s: consumables(s, "c_fool"),
    [act(K.USE)],
    lambda s, i: true(bool(i[0].illegal)),
)
case(
    "125 Diet Cola",
    lambda s: jokers(s, "j_diet_cola"),
    [act(K.SELL_JOKER)],
    lambda s, i: true(int(s[1].tags[0]) == TAGS.keys.index("tag_double")),
)
case(
    "126 Invisible Joker",
    lambda s: jokers(s, ("j_invisible", {"stored": 2.0}), ("j_egg", {"edition": "negative"})),
    [act(K.SELL_JOKER)],
    lambda s, i: true(joker_keys(s[1]) == ["j_egg", "j_egg"], s[1].jokers.edition[1] == 0),
)
case(
    "126 not ready",
    lambda s: jokers(s, ("j_invisible", {"stored": 1.0}), "j_egg"),
    [act(K.SELL_JOKER)],
    lambda s, i: true(joker_keys(s[1]) == ["j_egg"]),
)
case(
    "127 Flash Card",
    lambda s: put(jokers(shop(s), "j_flash"), run__money=50, shop__free_rerolls=1),
    [act(K.REROLL), act(K.REROLL)],
    lambda s, i: true([x.jokers.stored[0] for x in s] == [0, 2, 4]),
)
case(
    "127 Red Card",
    lambda s: jokers(skipping("tag_charm")(s), "j_red_card"),
    [*SKIP, act(K.SKIP_PACK)],
    lambda s, i: true(s[2].jokers.stored[0] == 3),
)
case(
    "128 Hallucination",
    lambda s: jokers(skipping("tag_charm")(s), "j_hallucination", "j_oops"),
    SKIP,
    lambda s, i: true(len(consumable_keys(s[1])) == 1),
)
case(
    "129 Chaos the Clown",
    lambda s: put(jokers(shop(s), "j_chaos"), shop__free_rerolls=1, run__money=20),
    [act(K.REROLL), act(K.REROLL)],
    lambda s, i: true(money(s) == [20, 20, 15]),
)
case(
    "130 reroll vouchers",
    lambda s: put(shop(s, vouchers=["v_reroll_surplus"]), run__money=20),
    [act(K.BUY_VOUCHER), act(K.REROLL)],
    lambda s, i: true(money(s) == [20, 10, 7]),
)
case(
    "131 Credit Card",
    lambda s: put(jokers(shop(s, ["j_egg"]), "j_credit_card"), run__money=-14),
    [act(K.BUY_CARD)],
    lambda s, i: true(money(s) == [-14, -18]),
)
case(
    "131 not below -20",
    lambda s: put(jokers(shop(s, ["j_egg"]), "j_credit_card"), run__money=-17),
    [act(K.BUY_CARD)],
    lambda s, i: true(bool(i[0].illegal)),
)
case(
    "132 Oops makes a chance certain",
    lambda s: consumables(jokers(s, "j_oops", "j_oops"), "c_wheel_of_fortune"),
    [act(K.USE)],
    lambda s, i: true((s[1].jokers.edition > 0).sum() == 1),
)
case(
    "133 Astronomer",
    lambda s: put(jokers(shop(s, ["c_pluto"], ["p_celestial_mega_1"]), "j_astronomer"), run__money=0),
    [act(K.BUY_CARD), act(K.BUY_PACK)],
    lambda s, i: true(money(s) == [0, 0, 0], int(s[2].phase) == Phase.PACK),
)
case(
    "136 Overstock fills at once",
    lambda s: put(shop(s, ["j_egg"], vouchers=["v_overstock_norm"]), run__money=20),
    [act(K.BUY_VOUCHER)],
    lambda s, i: true((s[1].shop.cards.id[:3] > 0).sum() + (s[1].shop.cards.front[:3] >= 0).sum() == 3),
)
case(
    "137 a discount lowers sell values",
    lambda s: put(jokers(shop(s, vouchers=["v_liquidation"]), "j_blueprint"), run__money=20),
    [act(K.BUY_VOUCHER), act(K.SELL_JOKER)],
    lambda s, i: true(money(s) == [20, 10, 12]),
)
case(
    "138 rounding of discounts",
    lambda s: put(redeemed(shop(s, ["j_greedy_joker"]), "v_clearance_sale"), run__money=10),
    [act(K.BUY_CARD)],
    lambda s, i: true(money(s) == [10, 6]),
)
case(
    "139 starting consumables",
    lambda s: s,
    SELECT,
    lambda s, i: true(consumable_keys(s[0]) == ["c_fool", "c_fool"]),
    params={"deck": "Magic Deck"},
)
case(
    "140 a negative consumable has its own slot",
    lambda s: put(
        consumables(shop(s, ["c_pluto"]), "c_fool", "c_mars"),
        consumables__negative=[True] + [False] * 15,
        run__money=9,
    ),
    [act(K.BUY_CARD)],
    lambda s, i: true(len(consumable_keys(s[1])) == 3),
)


def open_judgement(s):  # type: ignore[no-untyped-def]
    s = jokers(skipping("tag_charm")(s), *["j_joker"] * 5)
    return s


def refused_pick(states, infos):  # type: ignore[no-untyped-def]
    pack = states[1]
    ids = np.array(pack.pack.cards.id)
    ids[0] = ITEMS.keys.index("c_judgement")
    full = put(pack, pack__cards__id=ids)
    assert not bool(ENV.is_legal(full, act(K.PICK, 0)))
    assert bool(ENV.is_legal(full, act(K.SKIP_PACK)))


case("141 a pick that cannot be used", open_judgement, SKIP, refused_pick)
case(
    "143 Hieroglyph",
    lambda s: put(shop(s, vouchers=["v_hieroglyph"]), run__money=20, run__ante=2, streams__highest_ante=2),
    [act(K.BUY_VOUCHER)],
    lambda s, i: true(int(s[1].run.ante) == 1, int(s[1].run.hands) == 3),
)


def ante_zero_has_its_streams(states, infos):  # type: ignore[no-untyped-def]
    before, after = states[0].streams, states[1].streams
    started = rng.start_streams(after.seed, 0).states
    slots = np.array([rng.streams.slot_of(n, 0) for n in np.flatnonzero(BY_ANTE)])
    true(int(states[1].run.ante) == 0, int(after.highest_ante) == 1)
    assert np.all(np.asarray(before.states)[slots] == rng.NOT_STARTED)
    np.testing.assert_array_equal(np.asarray(after.states)[slots], np.asarray(started)[slots])
    # Those of the first ante stay where they are.
    others = np.setdiff1d(np.arange(len(started)), slots)
    np.testing.assert_array_equal(np.asarray(after.states)[others], np.asarray(before.states)[others])


case(
    "143 Hieroglyph below the first ante",
    lambda s: put(shop(s, vouchers=["v_hieroglyph"]), run__money=20),
    [act(K.BUY_VOUCHER)],
    ante_zero_has_its_streams,
)
case(
    "143 Hieroglyph: the next blind has the lower base",
    lambda s: put(shop(s, vouchers=["v_hieroglyph"]), run__money=20, run__ante=3, streams__highest_ante=3),
    [act(K.BUY_VOUCHER), act(K.NEXT_ROUND), *SELECT],
    lambda s, i: true(int(s[1].run.ante) == 2, float(s[3].round.target) == 1200),
)
case(
    "144 a later loss does not undo the win",
    lambda s: put(last_hand(s), run__won=True, run__endless=True),
    PLAY1,
    lambda s, i: true(int(s[1].phase) == Phase.GAME_OVER, bool(s[1].run.won)),
)
case(
    "a negative Fool frees no slot",
    lambda s: put(
        consumables(s, "c_pluto", "c_mars", "c_fool"),
        consumables__negative=[False, False, True] + [False] * 13,
        run__last_tarot_planet=ITEMS.keys.index("c_strength"),
    ),
    [act(K.USE, 2)],
    lambda s, i: true(bool(i[0].illegal)),
)  # fmt: skip
case(
    "Ankh's copy of a pinned joker stands left",
    lambda s: consumables(jokers(s, ("j_egg", {"pinned": True}), ("j_joker", {"eternal": True})), "c_ankh"),
    [act(K.USE)],
    lambda s, i: true(pinned_are_left(s[1])),
)
case(
    "Perkeo's copy keeps Gift Card's dollars",
    lambda s: put(
        consumables(jokers(shop(s), "j_perkeo"), "c_pluto"), consumables__sell_bonus=[3] + [0] * 15
    ),
    [act(K.NEXT_ROUND)],
    lambda s, i: true(s[1].consumables.sell_bonus[:2].tolist() == [3, 3]),
)
case(
    "144 the win",
    lambda s: put(winning(s, "bl_final_bell"), run__ante=8, streams__highest_ante=8),
    [*PLAY1, *CASH],
    lambda s, i: true(bool(s[1].run.won), int(s[1].run.ante) == 9, int(s[2].phase) == Phase.SHOP),
)


@pytest.mark.parametrize("entry", CASES.all, ids=lambda entry: entry.name)
def test_case(entry, played):  # type: ignore[no-untyped-def]
    entry.check(*played[entry.name])
