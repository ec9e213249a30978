"""The numbered corner cases of a selected blind."""

import pytest

from jaxtro.env.actions import Kind
from jaxtro.tables import ENHANCEMENTS
from tests.run_tools import (
    act,
    consumable_keys,
    consumables,
    joker_keys,
    jokers,
    upcoming,
)
from tests.unit.corner_cases.common import SELECT, Cases, true

K = Kind
CASES = Cases()
case = CASES.add


case(
    "43 Ceremonial Dagger",
    lambda s: jokers(s, "j_ceremonial", "j_blueprint", "j_egg"),
    SELECT,
    lambda s, i: true(joker_keys(s[1]) == ["j_ceremonial", "j_egg"], s[1].jokers.stored[0] == 10),
)
case(
    "43 not an eternal one",
    lambda s: jokers(s, "j_ceremonial", ("j_egg", {"eternal": True})),
    SELECT,
    lambda s, i: true(len(joker_keys(s[1])) == 2, s[1].jokers.stored[0] == 0),
)
case(
    "44 two Daggers",
    lambda s: jokers(s, "j_ceremonial", "j_ceremonial", "j_egg"),
    SELECT,
    lambda s, i: true(joker_keys(s[1]) == ["j_ceremonial", "j_egg"]),
)
case(
    "45 Madness at a Boss",
    lambda s: jokers(upcoming(s, "bl_club"), "j_madness", "j_egg"),
    SELECT,
    lambda s, i: true(len(joker_keys(s[1])) == 2, s[1].jokers.stored[0] == 1),
)
case(
    "45 Madness spares itself and eternals",
    lambda s: jokers(s, ("j_egg", {"eternal": True}), "j_madness", "j_joker"),
    SELECT,
    lambda s, i: true(joker_keys(s[1]) == ["j_egg", "j_madness"], s[1].jokers.stored[1] == 1.5),
)
case(
    "45 Madness gains even if none can be destroyed",
    lambda s: jokers(s, "j_madness"),
    SELECT,
    lambda s, i: true(joker_keys(s[1]) == ["j_madness"], s[1].jokers.stored[0] == 1.5),
)
case(
    "46 Riff-raff makes jokers without stickers",
    lambda s: jokers(s, "j_riff_raff"),
    SELECT,
    lambda s, i: true(
        len(joker_keys(s[1])) == 3, not s[1].jokers.eternal.any(), not s[1].jokers.rental.any(),
        (s[1].jokers.perish[:3] == -1).all(),
    ),
    params={"stake": "Gold Stake"},
)  # fmt: skip
case(
    "debuffs are found before the Dagger eats Pareidolia",
    lambda s: jokers(upcoming(s, "bl_plant"), "j_ceremonial", "j_pareidolia"),
    SELECT,
    lambda s, i: true(joker_keys(s[1]) == ["j_ceremonial"], s[1].deck.cards.debuffed.sum() == 52),
)
case(
    "46 Riff-raff fills free slots only",
    lambda s: jokers(s, "j_riff_raff", "j_egg", "j_egg", "j_egg"),
    SELECT,
    lambda s, i: true(len(joker_keys(s[1])) == 5),
)
case(
    "47 Cartomancer needs a slot",
    lambda s: consumables(jokers(s, "j_cartomancer"), "c_pluto", "c_mars"),
    SELECT,
    lambda s, i: true(consumable_keys(s[1]) == ["c_pluto", "c_mars"]),
)
case(
    "47 Cartomancer",
    lambda s: consumables(jokers(s, "j_cartomancer"), "c_pluto"),
    SELECT,
    lambda s, i: true(len(consumable_keys(s[1])) == 2),
)
case(
    "48 Marble Joker and Hologram",
    lambda s: jokers(s, "j_marble", "j_hologram"),
    SELECT,
    lambda s, i: true(
        (s[1].deck.cards.rank > 0).sum() == 53,
        s[1].jokers.stored[1] == 1.25,
        (s[1].deck.cards.enhancement == ENHANCEMENTS.keys.index("m_stone")).sum() == 1,
    ),
)
case(
    "49 Certificate",
    lambda s: jokers(s, "j_certificate", "j_hologram"),
    SELECT,
    lambda s, i: true(
        int(s[1].piles.n_hand) == 9, (s[1].deck.cards.seal > 0).sum() == 1, s[1].jokers.stored[1] == 1.25
    ),
)
case(
    "50 Burglar",
    lambda s: jokers(s, "j_burglar"),
    SELECT,
    lambda s, i: true(int(s[1].round.hands_left) == 7, int(s[1].round.discards_left) == 0),
)
case(
    "51 Blueprint copies Burglar",
    lambda s: jokers(s, "j_blueprint", "j_burglar"),
    SELECT,
    lambda s, i: true(int(s[1].round.hands_left) == 10),
)
case(
    "51 and not the Dagger's knife",
    lambda s: jokers(s, "j_blueprint", "j_ceremonial"),
    SELECT,
    lambda s, i: true(len(joker_keys(s[1])) == 2),
)
case(
    "52 pinned stays leftmost",
    lambda s: jokers(s, ("j_ceremonial", {"pinned": True}), "j_egg"),
    [act(K.MOVE_JOKER, 0, to=1), act(K.MOVE_JOKER, 1, to=0)],
    lambda s, i: true(bool(i[0].illegal), bool(i[1].illegal)),
)


@pytest.mark.parametrize("entry", CASES.all, ids=lambda entry: entry.name)
def test_case(entry, played):  # type: ignore[no-untyped-def]
    entry.check(*played[entry.name])
