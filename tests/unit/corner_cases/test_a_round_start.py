"""The numbered corner cases of round start and blinds."""

import itertools

import numpy as np
import pytest

from jaxtro.env.actions import Kind
from jaxtro.env.state import Phase
from jaxtro.tables import HANDS, TAGS
from jaxtro.tables.streams import SLOT, STREAM_ID
from tests.run_tools import (
    ENV,
    act,
    consumable_keys,
    consumables,
    fight,
    hand,
    joker_keys,
    jokers,
    put,
    redeemed,
    upcoming,
)
from tests.unit.corner_cases.common import (
    FULL,
    PLAY1,
    SELECT,
    Cases,
    hidden,
    last_hand,
    level,
    money,
    true,
    winning,
)

K = Kind
CASES = Cases()
case = CASES.add
EIGHT_BALL = SLOT[STREAM_ID["8ball"]]


def unmasked(states, infos):  # type: ignore[no-untyped-def]
    """The jokers are sold from the left until Luchador goes, which ends the boss: the rest lie as they lay."""
    for before, after in itertools.pairwise(states[1:]):
        sold = joker_keys(before)[0]
        assert joker_keys(after) == joker_keys(before)[1:]
        if sold == "j_luchador":
            assert bool(after.round.disabled)
            assert not after.jokers.face_down.any()
            return
        assert after.jokers.face_down.sum() == len(joker_keys(after))
    raise AssertionError("Luchador was not sold")


def targets_of(s):  # type: ignore[no-untyped-def]
    return [int(v) for v in (s.targets.idol_rank, s.targets.mail_rank, s.targets.ancient_suit)]


case(
    "1 targets stay at selection",
    lambda s: s,
    SELECT,
    lambda s, i: true(targets_of(s[0]) == targets_of(s[1])),
)
case(
    "1 targets change after a won round",
    winning,
    PLAY1,
    lambda s, i: true(int(s[1].targets.ancient_suit) != int(s[0].targets.ancient_suit)),
)
case("1 targets stay after a loss", last_hand, PLAY1, lambda s, i: true(targets_of(s[0]) == targets_of(s[1])))
case(
    "4 Chicot and The Wall",
    lambda s: jokers(upcoming(s, "bl_wall"), "j_chicot"),
    SELECT,
    lambda s, i: true(float(s[1].round.target) == 600, bool(s[1].round.disabled)),
)
case(
    "4 Chicot and Violet Vessel",
    lambda s: jokers(upcoming(s, "bl_final_vessel"), "j_chicot"),
    SELECT,
    lambda s, i: true(float(s[1].round.target) == 600),
)
case(
    "5 Chicot and The Water",
    lambda s: jokers(upcoming(s, "bl_water"), "j_chicot"),
    SELECT,
    lambda s, i: true(int(s[1].round.discards_left) == 4),
)
case(
    "5 Chicot and The Manacle",
    lambda s: jokers(upcoming(s, "bl_manacle"), "j_chicot"),
    SELECT,
    lambda s, i: true(int(s[1].piles.n_hand) == 8),
)
case(
    "6 disabled Needle",
    lambda s: jokers(upcoming(s, "bl_needle"), "j_chicot"),
    SELECT,
    lambda s, i: true(float(s[1].round.target) == 300, int(s[1].round.hands_left) == 4),
)
case(
    "7 Luchador gives back what The Water took",
    lambda s: jokers(upcoming(s, "bl_water"), "j_luchador"),
    [act(K.SELECT), act(K.SELL_JOKER)],
    lambda s, i: true(
        int(s[1].round.discards_left) == 0, int(s[2].round.discards_left) == 4, bool(s[2].round.disabled)
    ),
)
case(
    "7 Luchador does nothing at a Small Blind",
    lambda s: jokers(s, "j_luchador"),
    [act(K.SELECT), act(K.SELL_JOKER)],
    lambda s, i: true(not bool(s[2].round.disabled)),
)
case(
    "8 Luchador and The Manacle",
    lambda s: jokers(upcoming(s, "bl_manacle"), "j_luchador"),
    [act(K.SELECT), act(K.SELL_JOKER)],
    lambda s, i: true([int(x.piles.n_hand) for x in s[1:]] == [7, 8]),
)
case(
    "9 Verdant Leaf ends with a sold joker",
    lambda s: jokers(upcoming(s, "bl_final_leaf"), "j_joker"),
    [act(K.SELECT), act(K.SELL_JOKER)],
    lambda s, i: true(s[1].deck.cards.debuffed.sum() == 52, s[2].deck.cards.debuffed.sum() == 0),
)
case(
    "9 not with a sold consumable",
    lambda s: consumables(upcoming(s, "bl_final_leaf"), "c_fool"),
    [act(K.SELECT), act(K.SELL_CONSUMABLE)],
    lambda s, i: true(s[2].deck.cards.debuffed.sum() == 52),
)
case(
    "10 Crimson Heart at the first hand",
    lambda s: jokers(upcoming(s, "bl_final_heart"), "j_joker", "j_egg"),
    SELECT,
    lambda s, i: true(s[1].jokers.debuffed.sum() == 1),
)
case(
    "11 Crimson Heart changes after a play",
    lambda s: jokers(upcoming(s, "bl_final_heart"), "j_joker", "j_egg"),
    [act(K.SELECT), act(K.PLAY, cards=[0])],
    lambda s, i: true((s[1].jokers.debuffed != s[2].jokers.debuffed).sum() == 2),
)
case(
    "12 and not after a discard",
    lambda s: jokers(upcoming(s, "bl_final_heart"), "j_joker", "j_egg"),
    [act(K.SELECT), act(K.DISCARD, cards=[0])],
    lambda s, i: true((s[1].jokers.debuffed == s[2].jokers.debuffed).all()),
)
case(
    "13 Amber Acorn",
    lambda s: jokers(upcoming(s, "bl_final_acorn"), "j_joker", "j_egg", "j_jolly"),
    [*SELECT, act(K.MOVE_JOKER, 0, to=1)],
    lambda s, i: true(
        s[1].jokers.face_down.sum() == 3,
        sorted(joker_keys(s[1])) == sorted(joker_keys(s[0])),
        joker_keys(s[2]) == [joker_keys(s[1])[n] for n in (1, 0, 2)],
    ),
)
case(
    "13 Amber Acorn: the order stays when it is disabled",
    lambda s: jokers(upcoming(s, "bl_final_acorn"), "j_joker", "j_egg", "j_jolly", "j_luchador"),
    [*SELECT, act(K.SELL_JOKER, 0), act(K.SELL_JOKER, 0), act(K.SELL_JOKER, 0), act(K.SELL_JOKER, 0)],
    unmasked,
)


def bell(states, infos):  # type: ignore[no-untyped-def]
    forced = int(np.flatnonzero(states[1].piles.hand == states[1].round.forced)[0])
    other = 0 if forced else 1
    assert not bool(ENV.is_legal(states[1], act(K.PLAY, cards=[other])))
    assert bool(ENV.is_legal(states[1], act(K.PLAY, cards=sorted({forced, other}))))
    assert not bool(ENV.is_legal(states[1], act(K.DISCARD, cards=[other])))


case(
    "14 Cerulean Bell: a new card when the forced one has gone, none when it is disabled",
    lambda s: jokers(upcoming(s, "bl_final_bell"), "j_luchador"),
    [*SELECT, act(K.DISCARD, cards=range(5)), act(K.DISCARD, cards=range(3, 8)), act(K.SELL_JOKER)],
    lambda s, i: true(int(s[1].round.forced) >= 0, int(s[3].round.forced) >= 0, int(s[4].round.forced) == -1),
)
case("14 Cerulean Bell", lambda s: upcoming(s, "bl_final_bell"), SELECT, bell)
case(
    "15 The Serpent",
    lambda s: upcoming(s, "bl_serpent"),
    [act(K.SELECT), act(K.DISCARD, cards=[0]), act(K.PLAY, cards=[0, 1, 2, 3, 4])],
    lambda s, i: true([int(x.piles.n_hand) for x in s[1:]] == [8, 10, 8]),
)


case(
    "16 The House",
    lambda s: upcoming(s, "bl_house"),
    [act(K.SELECT), act(K.DISCARD, cards=[0])],
    lambda s, i: true(hidden(s[1]) == 8, hidden(s[2]) == 7),
)
case(
    "17 The Fish",
    lambda s: upcoming(s, "bl_fish"),
    [act(K.SELECT), act(K.DISCARD, cards=[0]), act(K.PLAY, cards=[0, 1])],
    lambda s, i: true([hidden(x) for x in s[1:]] == [0, 0, 2]),
)
case(
    "18 The Wheel with three Oops",
    lambda s: jokers(upcoming(s, "bl_wheel"), "j_oops", "j_oops", "j_oops"),
    SELECT,
    lambda s, i: true(hidden(s[1]) == 8),
)
case(
    "19 The Mark and Pareidolia",
    lambda s: jokers(upcoming(s, "bl_mark"), "j_pareidolia"),
    SELECT,
    lambda s, i: true(hidden(s[1]) == 8),
)
case(
    "21 The Manacle",
    lambda s: upcoming(s, "bl_manacle"),
    SELECT,
    lambda s, i: true(int(s[1].piles.n_hand) == 7),
)
case(
    "22 The Needle, then Burglar",
    lambda s: jokers(upcoming(s, "bl_needle"), "j_burglar"),
    SELECT,
    lambda s, i: true(int(s[1].round.hands_left) == 4, int(s[1].round.discards_left) == 0),
)


def played_before(s):  # type: ignore[no-untyped-def]
    mask = np.zeros(128, bool)
    mask[:10] = True
    return put(upcoming(s, "bl_pillar"), deck__played_this_ante=mask)


case(
    "23 The Pillar",
    played_before,
    SELECT,
    lambda s, i: true((np.flatnonzero(s[1].deck.cards.debuffed) == np.arange(10)).all()),
)
case(
    "23 marks go when the boss falls",
    lambda s: put(winning(s, "bl_club"), deck__played_this_ante=True),
    PLAY1,
    lambda s, i: true(s[1].deck.played_this_ante.sum() == 0),
)
case(
    "24 The Ox looks for the stored hand",
    lambda s: put(fight(hand(s, FULL), "bl_ox"), run__money=30),
    PLAY1,
    lambda s, i: true(money(s) == [30, 0]),
)
case(
    "24 The Ox does not follow what is played since",
    lambda s: put(
        fight(hand(s, FULL), "bl_ox"),
        run__money=30,
        run__ox_hand=HANDS.keys.index("Pair"),
        poker_hands__played=[0] * 11 + [9],
    ),
    PLAY1,
    lambda s, i: true(money(s) == [30, 30]),
)
case(
    "25 The Ox in debt",
    lambda s: put(fight(hand(s, FULL), "bl_ox"), run__money=-7),
    PLAY1,
    lambda s, i: true(money(s) == [-7, 0]),
)
case(
    "26 The Tooth",
    lambda s: put(fight(hand(s, FULL), "bl_tooth"), run__money=1),
    [act(K.PLAY, cards=[0, 1, 2, 3, 4])],
    lambda s, i: true(money(s) == [1, -4]),
)
case(
    "27 The Hook",
    lambda s: fight(hand(s, FULL), "bl_hook"),
    PLAY1,
    lambda s, i: true(int(s[1].piles.n_discard) == 3, int(s[1].round.discards_left) == 3),
)
case(
    "27 The Hook takes its cards before the score",
    lambda s: fight(hand(s, "S_9 S_K~m_steel H_K~m_steel"), "bl_hook"),
    PLAY1,
    lambda s, i: true(float(s[1].round.chips) == 14),
)
case(
    "28 The Hook and Purple Seals: the Tarot has its slot before the hand scores",
    lambda s: consumables(
        jokers(fight(hand(s, "S_8 S_K#Purple H_3"), "bl_hook"), "j_8_ball", "j_oops", "j_oops"), "c_pluto"
    ),
    PLAY1,
    lambda s, i: true(
        len(consumable_keys(s[1])) == 2, s[0].streams.states[EIGHT_BALL] == s[1].streams.states[EIGHT_BALL]
    ),
)
case(
    "28 The Hook's discard is not Burnt Joker's",
    lambda s: jokers(fight(hand(s, "S_9 S_K H_K"), "bl_hook"), "j_burnt"),
    PLAY1,
    lambda s, i: true(level(s[1], "Pair") == 1, int(s[1].round.discards_used) == 0),
)
case(
    "28 The Hook's discard counts for jokers",
    lambda s: jokers(fight(hand(s, FULL), "bl_hook"), "j_ramen"),
    PLAY1,
    lambda s, i: true(abs(s[1].jokers.stored[0] - 1.98) < 1e-12),
)
case(
    "29 The Hook on the winning hand",
    lambda s: jokers(winning(s, "bl_hook"), "j_ramen"),
    PLAY1,
    lambda s, i: true(int(s[1].phase) == Phase.ROUND_EVAL, abs(s[1].jokers.stored[0] - 1.98) < 1e-12),
)
case(
    "30 The Arm",
    lambda s: put(fight(hand(s, FULL), "bl_arm"), poker_hands__level=3),
    PLAY1,
    lambda s, i: true(int(s[1].poker_hands.level[HANDS.keys.index("High Card")]) == 2),
)
case(
    "30 The Arm and Matador: only if a level falls",
    lambda s: put(jokers(fight(hand(s, FULL), "bl_arm"), "j_matador"), poker_hands__level=[1] * 11 + [2]),
    [*PLAY1, *PLAY1],
    lambda s, i: true(money(s) == [4, 12, 12]),
)
for blind, pays in (
    ("bl_flint", True), ("bl_ox", True), ("bl_hook", False), ("bl_house", False), ("bl_wall", False),
    ("bl_manacle", False), ("bl_water", False), ("bl_needle", False), ("bl_final_bell", False),
    ("bl_final_heart", False), ("bl_final_acorn", False), ("bl_final_vessel", False), ("bl_serpent", False),
    ("bl_fish", False), ("bl_mark", False), ("bl_wheel", False),
):  # fmt: skip
    case(
        f"35 Matador at {blind}",
        lambda s, blind=blind: put(jokers(fight(hand(s, FULL), blind), "j_matador"), run__money=5),
        PLAY1,
        lambda s, i, pays=pays, ox=blind == "bl_ox": true(money(s)[1] == (8 if ox else 13 if pays else 5)),
    )
case(
    "36 a reroll counts as a use of the boss",
    lambda s: redeemed(put(upcoming(s), run__money=30), "v_retcon"),
    [act(K.REROLL_BOSS), act(K.REROLL_BOSS)],
    lambda s, i: true(len({int(x.blinds.boss) for x in s}) == 3, int(s[2].run.bosses_used.sum()) == 3),
)
case(
    "32 The Psychic",
    lambda s: fight(hand(s, FULL), "bl_psychic"),
    PLAY1,
    lambda s, i: true(not bool(i[0].illegal), float(s[1].round.chips) == 0, int(s[1].round.hands_left) == 3),
)
case(
    "33 The Plant",
    lambda s: upcoming(s, "bl_plant"),
    SELECT,
    lambda s, i: true(s[1].deck.cards.debuffed.sum() == 12),
)
case(
    "33 The Plant and Pareidolia",
    lambda s: jokers(upcoming(s, "bl_plant"), "j_pareidolia"),
    SELECT,
    lambda s, i: true(s[1].deck.cards.debuffed.sum() == 52),
)
case(
    "34 Wild cards under suit bosses",
    lambda s: upcoming(hand(s, "S_K~m_wild S_Q H_2"), "bl_club"),
    SELECT,
    lambda s, i: true(s[1].deck.cards.debuffed.sum() == 14),
)
case(
    "37 boss reroll",
    lambda s: redeemed(put(s, run__money=25), "v_directors_cut"),
    [act(K.REROLL_BOSS), act(K.REROLL_BOSS)],
    lambda s, i: true(
        money(s) == [25, 15, 15], bool(i[1].illegal), int(s[1].blinds.boss) != int(s[0].blinds.boss)
    ),
)
case(
    "37 Retcon has no limit",
    lambda s: redeemed(put(s, run__money=25), "v_directors_cut", "v_retcon"),
    [act(K.REROLL_BOSS), act(K.REROLL_BOSS), act(K.REROLL_BOSS)],
    lambda s, i: true(money(s) == [25, 15, 5, 5]),
)


def boss_tag(s):  # type: ignore[no-untyped-def]
    return put(redeemed(s, "v_directors_cut"), blinds__tags=TAGS.keys.index("tag_boss"), run__money=50)


case(
    "38 Boss Tag uses up Director's Cut",
    boss_tag,
    [act(K.SKIP), act(K.REROLL_BOSS)],
    lambda s, i: true(int(s[1].blinds.boss) != int(s[0].blinds.boss), bool(i[1].illegal)),
)
case(
    "39 showdown reward",
    lambda s: put(winning(s, "bl_final_bell"), run__money=0, round__hands_left=1),
    PLAY1,
    lambda s, i: true(int(s[1].round.payout) == 8),
)
case("41 ante 0", lambda s: put(s, run__ante=0), SELECT, lambda s, i: true(float(s[1].round.target) == 100))
case(
    "42 ante 39",
    lambda s: put(s, run__ante=39, streams__highest_ante=39),
    SELECT,
    lambda s, i: true(np.isinf(s[1].round.target)),
)


@pytest.mark.parametrize("entry", CASES.all, ids=lambda entry: entry.name)
def test_case(entry, played):  # type: ignore[no-untyped-def]
    entry.check(*played[entry.name])
