"""The numbered corner cases of discards and plays."""

import pytest

from jaxtro.env.actions import Kind
from jaxtro.env.state import Phase
from jaxtro.tables import CONSUMABLES, PACKS
from tests.run_tools import (
    act,
    consumable_keys,
    consumables,
    fight,
    hand,
    hand_codes,
    joker_keys,
    jokers,
    put,
    shop,
)
from tests.unit.corner_cases.common import FULL, PLAY1, Cases, last_hand, level, money, true

K = Kind
CASES = Cases()
case = CASES.add
TAROTS = [row["key"] for row in CONSUMABLES.rows if row["set"] == "Tarot"]


PAIR = "S_K H_K S_9 H_8 C_7 D_5 C_4 D_2"


def in_round(text, *owned, blind="bl_small"):  # type: ignore[no-untyped-def]
    return lambda s: jokers(fight(hand(s, text), blind), *owned)


case(
    "53 Burnt Joker",
    in_round(PAIR, "j_burnt"),
    [act(K.DISCARD, cards=[0, 1]), act(K.DISCARD, cards=[0])],
    lambda s, i: true(level(s[1], "Pair") == 2, level(s[2], "High Card") == 1),
)
case(
    "53 copied",
    in_round(PAIR, "j_blueprint", "j_burnt"),
    [act(K.DISCARD, cards=[0, 1])],
    lambda s, i: true(level(s[1], "Pair") == 3),
)
case(
    "54 Trading Card",
    in_round(PAIR, "j_trading"),
    [act(K.DISCARD, cards=[0])],
    lambda s, i: true(money(s) == [4, 7], (s[1].deck.cards.rank > 0).sum() == 51),
)
case(
    "54 not with two cards",
    in_round(PAIR, "j_trading"),
    [act(K.DISCARD, cards=[0, 1])],
    lambda s, i: true(money(s) == [4, 4], (s[1].deck.cards.rank > 0).sum() == 52),
)
case(
    "55 Faceless Joker",
    in_round("S_K H_K S_Q H_8 C_7 D_5 C_4 D_2", "j_faceless"),
    [act(K.DISCARD, cards=[0, 1, 2])],
    lambda s, i: true(money(s) == [4, 9]),
)
case(
    "56 Mail-In Rebate",
    lambda s: put(in_round(PAIR, "j_mail")(s), targets__mail_rank=13),
    [act(K.DISCARD, cards=[0, 1, 2])],
    lambda s, i: true(money(s) == [4, 14]),
)
case(
    "57 Castle",
    lambda s: put(in_round(PAIR, "j_castle")(s), targets__castle_suit=3),
    [act(K.DISCARD, cards=[0, 1, 2])],
    lambda s, i: true(s[1].jokers.stored[0] == 6),
)
case(
    "58 Hit the Road",
    in_round("S_J H_J S_9 H_8 C_7", "j_hit_the_road"),
    [act(K.DISCARD, cards=[0, 1, 2])],
    lambda s, i: true(s[1].jokers.stored[0] == 2),
)
case(
    "59 Ramen is eaten",
    lambda s: jokers(fight(hand(s, PAIR)), ("j_ramen", {"stored": 1.02})),
    [act(K.DISCARD, cards=[0, 1])],
    lambda s, i: true(joker_keys(s[1]) == []),
)
case(
    "60 Yorick",
    lambda s: jokers(fight(hand(s, PAIR)), ("j_yorick", {"counter": 3})),
    [act(K.DISCARD, cards=[0, 1, 2])],
    lambda s, i: true(s[1].jokers.stored[0] == 2, int(s[1].jokers.counter[0]) == 23),
)
case(
    "61 Green Joker",
    lambda s: jokers(fight(hand(s, PAIR)), "j_green_joker"),
    [act(K.DISCARD, cards=[0]), act(K.PLAY, cards=[0]), act(K.PLAY, cards=[0]), act(K.DISCARD, cards=[0])],
    lambda s, i: true([x.jokers.stored[0] for x in s] == [0, 0, 1, 2, 1]),
)
case(
    "62 Purple Seal",
    in_round("S_K#Purple H_K#Purple S_9 H_8 C_7"),
    [act(K.DISCARD, cards=[0, 1, 2])],
    lambda s, i: true(len(consumable_keys(s[1])) == 2),
)
case(
    "62 Purple Seal when the discard empties the hand",
    lambda s: put(in_round("S_K#Purple H_K")(s), piles__draw=-1, piles__n_draw=0),
    [act(K.DISCARD, cards=[0, 1])],
    lambda s, i: true(len(consumable_keys(s[1])) == 1, int(s[1].phase) == Phase.GAME_OVER),
)
case(
    "65 Superposition and Seance share the slots",
    lambda s: consumables(in_round("S_A S_2 S_3 S_4 S_5 H_9", "j_superposition", "j_seance")(s), "c_pluto"),
    [act(K.PLAY, cards=range(5))],
    lambda s, i: true(len(consumable_keys(s[1])) == 2, consumable_keys(s[1])[1] in TAROTS),
)
case(
    "73 Hologram: Cryptid's two copies",
    lambda s: consumables(in_round(FULL, "j_hologram")(s), "c_cryptid"),
    [act(K.USE, cards=[0])],
    lambda s, i: true(s[1].jokers.stored[0] == 1.5),
)
case(
    "73 Hologram: Familiar's three cards",
    lambda s: consumables(in_round(FULL, "j_hologram")(s), "c_familiar"),
    [act(K.USE)],
    lambda s, i: true(s[1].jokers.stored[0] == 1.75),
)
case(
    "73 Hologram: a card from a pack",
    lambda s: put(
        jokers(s, "j_hologram"), phase=Phase.PACK, pack__id=PACKS.keys.index("p_standard_normal_1"), pack__picks_left=1,
        pack__cards__front=[5, -1, -1, -1, -1],
    ),
    [act(K.PICK)],
    lambda s, i: true(s[1].jokers.stored[0] == 1.25, (s[1].deck.cards.rank > 0).sum() == 53),
)  # fmt: skip
case(
    "73 Hologram: a card from the shop",
    lambda s: put(jokers(shop(s), "j_hologram"), shop__cards__front=[5, -1, -1, -1], run__money=9),
    [act(K.BUY_CARD)],
    lambda s, i: true(s[1].jokers.stored[0] == 1.25, (s[1].deck.cards.rank > 0).sum() == 53),
)
case(
    "63 DNA",
    in_round(FULL, "j_dna", "j_hologram"),
    PLAY1,
    lambda s, i: true(
        (s[1].deck.cards.rank > 0).sum() == 53, "S_K" in hand_codes(s[1]), s[1].jokers.stored[1] == 1.25
    ),
)
case(
    "64 Sixth Sense",
    in_round("S_6 H_K S_9", "j_sixth_sense"),
    PLAY1,
    lambda s, i: true((s[1].deck.cards.rank > 0).sum() == 51, len(consumable_keys(s[1])) == 1),
)
case(
    "65 Vagabond",
    lambda s: jokers(fight(hand(s, FULL)), "j_vagabond"),
    PLAY1,
    lambda s, i: true(len(consumable_keys(s[1])) == 1),
)
case(
    "65 without a slot",
    lambda s: consumables(jokers(fight(hand(s, FULL)), "j_vagabond"), "c_pluto", "c_mars"),
    PLAY1,
    lambda s, i: true(len(consumable_keys(s[1])) == 2),
)
case(
    "70 Midas Mask feeds Vampire",
    in_round(FULL, "j_midas_mask", "j_vampire"),
    PLAY1,
    lambda s, i: true(abs(s[1].jokers.stored[1] - 1.1) < 1e-12),
)
case(
    "75 Throwback counts earlier skips",
    lambda s: jokers(fight(put(hand(s, FULL), run__skips=4)), "j_throwback"),
    PLAY1,
    lambda s, i: true(float(s[1].round.chips) == 30),
)
case(
    "76 Mr. Bones at 25 percent",
    lambda s: jokers(last_hand(s, share=0.25), "j_mr_bones"),
    PLAY1,
    lambda s, i: true(
        int(s[1].phase) == Phase.ROUND_EVAL, joker_keys(s[1]) == [], int(s[1].round.payout) == 0,
        not bool(i[0].blind_cleared),
    ),
)  # fmt: skip
case(
    "76 interest still pays, and a saved Boss counts",
    lambda s: put(jokers(last_hand(s, "bl_club", 0.5), "j_mr_bones"), run__money=10),
    PLAY1,
    lambda s, i: true(int(s[1].round.payout) == 2, int(s[1].run.ante) == 2),
)
case(
    "76 below",
    lambda s: jokers(last_hand(s, share=0.2), "j_mr_bones"),
    PLAY1,
    lambda s, i: true(int(s[1].phase) == Phase.GAME_OVER),
)
case(
    "77 two Mr. Bones",
    lambda s: jokers(last_hand(s, share=0.5), "j_mr_bones", "j_mr_bones"),
    PLAY1,
    lambda s, i: true(joker_keys(s[1]) == ["j_mr_bones"]),
)


def no_cards(s):  # type: ignore[no-untyped-def]
    s = fight(hand(s, "S_K"), target=1e6)
    return put(s, piles__draw=-1, piles__n_draw=0)


case("78 running out of cards", no_cards, PLAY1, lambda s, i: true(int(s[1].phase) == Phase.GAME_OVER))


@pytest.mark.parametrize("entry", CASES.all, ids=lambda entry: entry.name)
def test_case(entry, played):  # type: ignore[no-untyped-def]
    entry.check(*played[entry.name])
