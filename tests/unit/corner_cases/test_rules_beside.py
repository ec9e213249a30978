"""Rules beside the numbered list: consumables, challenges, stickers."""

import pytest

from jaxtro.env.actions import Kind
from jaxtro.tables import SEALS, TAGS
from jaxtro.tables.pools import SUITS
from tests.run_tools import (
    act,
    consumables,
    fight,
    hand,
    hand_codes,
    jokers,
    put,
    shop,
)
from tests.unit.corner_cases.common import (
    FULL,
    PLAY1,
    SELECT,
    Cases,
    hidden,
    level,
    money,
    paid,
    true,
    winning,
    won_with,
)

K = Kind
CASES = Cases()
case = CASES.add
XRAY_HIDDEN = 2  # of the opening hand of seed TUTORIAL


case(
    "Strength turns an Ace into a Two",
    lambda s: consumables(fight(hand(s, "S_A H_K")), "c_strength"),
    [act(K.USE, cards=[0, 1])],
    lambda s, i: true(sorted(hand_codes(s[1])) == ["H_A", "S_2"]),
)
case(
    "Death copies the right card",
    lambda s: consumables(fight(hand(s, "S_A H_K~m_gold#Red")), "c_death"),
    [act(K.USE, cards=[0, 1])],
    lambda s, i: true(
        hand_codes(s[1]) == ["H_K", "H_K"], (s[1].deck.cards.seal == SEALS.keys.index("Red")).sum() == 2
    ),
)
case(
    "Aura refuses a card with an edition",
    lambda s: put(consumables(fight(hand(s, FULL)), "c_aura"), deck__cards__edition=1),
    [act(K.USE, cards=[0])],
    lambda s, i: true(bool(i[0].illegal)),
)
case(
    "a changed suit meets the boss at once",
    lambda s: consumables(fight(hand(s, "S_A H_K"), "bl_club"), "c_moon"),
    [act(K.USE, cards=[0])],
    lambda s, i: true(s[1].deck.cards.debuffed.sum() == 1),
)
case(
    "Temperance",
    lambda s: consumables(jokers(s, "j_blueprint", "j_egg"), "c_temperance"),
    [act(K.USE)],
    lambda s, i: true(money(s) == [4, 11]),
)
case(
    "Black Hole",
    lambda s: consumables(s, "c_black_hole"),
    [act(K.USE)],
    lambda s, i: true((s[1].poker_hands.level == 2).all()),
)
case(
    "Constellation",
    lambda s: consumables(jokers(s, "j_constellation"), "c_pluto"),
    [act(K.USE)],
    lambda s, i: true(s[1].jokers.stored[0] == 1.1, level(s[1], "High Card") == 2),
)
case(
    "Immolate",
    lambda s: consumables(fight(hand(s, FULL)), "c_immolate"),
    [act(K.USE)],
    lambda s, i: true(int(s[1].piles.n_hand) == 3, money(s) == [4, 24]),
)
case(
    "Cryptid",
    lambda s: consumables(fight(hand(s, FULL)), "c_cryptid"),
    [act(K.USE, cards=[0])],
    lambda s, i: true(hand_codes(s[1]).count("S_K") == 3),
)
case(
    "Ouija",
    lambda s: consumables(fight(hand(s, FULL)), "c_ouija"),
    [act(K.USE)],
    lambda s, i: true(len({code[2] for code in hand_codes(s[1])}) == 1, int(s[1].run.hand_size) == 7),
)
case("Red Stake's Small Blind", won_with(dollars=0), PLAY1, paid(0), params={"stake": "Red Stake"})
case(
    "Anaglyph Deck",
    won_with(blind="bl_club"),
    PLAY1,
    lambda s, i: true(int(s[1].tags[0]) == TAGS.keys.index("tag_double")),
    params={"deck": "Anaglyph Deck"},
)
case(
    "Plasma Deck doubles targets",
    lambda s: s,
    SELECT,
    lambda s, i: true(float(s[1].round.target) == 600),
    params={"deck": "Plasma Deck"},
)
case(
    "buy and use",
    lambda s: put(consumables(shop(s, ["c_pluto"]), "c_fool", "c_mars"), run__money=5),
    [act(K.BUY_AND_USE)],
    lambda s, i: true(money(s) == [5, 2], level(s[1], "High Card") == 2),
)
case(
    "Luxury Tax",
    lambda s: put(s, run__money=23),
    SELECT,
    lambda s, i: true(int(s[1].piles.n_hand) == 6),
    params={"challenge": "Luxury Tax"},
)
case(
    "Typecast",
    lambda s: put(jokers(winning(s, "bl_club"), "j_egg"), run__ante=4, streams__highest_ante=4),
    PLAY1,
    lambda s, i: true(bool(s[1].jokers.eternal[0]), int(s[1].run.joker_slots) == 0),
    params={"challenge": "Typecast"},
)
case(
    "Inflation",
    lambda s: put(shop(s, ["j_egg"]), run__money=20),
    [act(K.BUY_CARD)],
    lambda s, i: true(int(s[1].run.inflation) == 1),
    params={"challenge": "Inflation"},
)
case(
    "Golden Needle",
    lambda s: fight(hand(s, FULL)),
    [act(K.DISCARD, cards=[0])],
    lambda s, i: true(money(s) == [10, 9]),
    params={"challenge": "Golden Needle"},
)
case(
    "Double or Nothing",
    lambda s: fight(hand(s, FULL)),
    PLAY1,
    lambda s, i: true(s[1].deck.debuffed_for_good.sum() == 1, s[1].deck.cards.debuffed.sum() == 1),
    params={"challenge": "Double or Nothing"},
)
case(
    "X-ray Vision",
    lambda s: s,
    SELECT,
    lambda s, i: true(hidden(s[1]) == XRAY_HIDDEN, not bool(s[1].deck.face_down[s[1].piles.draw[:40]].any())),
    params={"challenge": "X-ray Vision"},
)
case(
    "Typecast: not those that can never be eternal",
    lambda s: put(
        jokers(winning(s, "bl_club"), "j_egg", "j_luchador", ("j_joker", {"perish": 3})),
        run__ante=4,
        streams__highest_ante=4,
    ),
    PLAY1,
    lambda s, i: true(s[1].jokers.eternal[:3].tolist() == [True, False, False]),
    params={"challenge": "Typecast"},
)
case(
    "Checkered Deck: equal cards stand by their printed suit",
    lambda s: fight(hand(s, "S_K S_K S_9 H_8")),
    [act(K.SORT)],
    lambda s, i: true(
        s[1].deck.printed_suit[s[1].piles.hand[:2]].tolist() == [SUITS.index("S"), SUITS.index("C")]
    ),
    params={"deck": "Checkered Deck"},
)
case(
    "Rich get Richer",
    lambda s: put(fight(hand(s, FULL)), run__money=7),
    PLAY1,
    lambda s, i: true(float(s[1].round.chips) == 7),
    params={"challenge": "Rich get Richer"},
)


@pytest.mark.parametrize("entry", CASES.all, ids=lambda entry: entry.name)
def test_case(entry, played):  # type: ignore[no-untyped-def]
    entry.check(*played[entry.name])
