import functools
import itertools
from dataclasses import replace
from types import SimpleNamespace

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxtro
from jaxtro.env.scoring import BOOK, JokerRowError, make_book, score_hand
from jaxtro.env.scoring.book import CREATED
from jaxtro.env.scoring.card_features import ALONE, FEATURES
from jaxtro.env.scoring.hands import HandRules, detect
from jaxtro.env.scoring.lookup import features
from jaxtro.env.scoring.notation import card_text, make_scoring_state, parse_cards, parse_jokers
from jaxtro.env.scoring.view import area_of
from jaxtro.env.state import HAND_CAPACITY
from jaxtro.tables import HANDS, JOKERS
from tests.scoring_tools import first, score, score_all

NAMES = tuple(HandRules.__dataclass_fields__)
_detect = jax.jit(jax.vmap(lambda cards, rules: detect(cards, HandRules(*rules))))


def hand_of(cards: str, *rules: str) -> tuple[str, list[int]]:
    parsed = jax.tree.map(lambda field: field[None], parse_cards(cards, 5))
    flags = [np.array([name in rules]) for name in NAMES]
    found = _detect(parsed, flags)
    return HANDS.keys[int(found.hand[0])], np.flatnonzero(found.scoring[0]).tolist()


@pytest.mark.parametrize(
    ("cards", "rules", "hand", "scoring"),
    [
        ("KH KD 5S 5C 2D", (), "Two Pair", [0, 1, 2, 3]),
        ("AH 2D 3S 4C 5D", (), "Straight", [0, 1, 2, 3, 4]),
        ("QH KD AS 2C 3D", (), "High Card", [2]),
        ("TH JH QH KH AH", (), "Straight Flush", [0, 1, 2, 3, 4]),
        ("7H 7H 7H 7H 7H", (), "Flush Five", [0, 1, 2, 3, 4]),
        ("7H 7H 7H 4H 4H", (), "Flush House", [0, 1, 2, 3, 4]),
        ("7H 7D 7H 7C 7H", (), "Five of a Kind", [0, 1, 2, 3, 4]),
        ("2H 3D 4S 5C 5D", ("four_fingers",), "Straight", [0, 1, 2, 3, 4]),
        ("2H 3H 4H 5C 9H", ("four_fingers",), "Straight Flush", [0, 1, 2, 3, 4]),
        ("2H 4H 6D 8C TH", ("shortcut",), "Straight", [0, 1, 2, 3, 4]),
        ("2H 5H 6D 8C TH", ("shortcut",), "High Card", [4]),
        ("TH JH QH KH 2D", ("shortcut",), "High Card", [3]),  # the ace cannot be skipped
        ("2H 4D 6H 8D TH", ("smeared",), "Flush", [0, 1, 2, 3, 4]),
        ("2H~wild 4D 6D 8D TD", (), "Flush", [0, 1, 2, 3, 4]),
        ("2H~wild! 4D 6D 8D TD", (), "High Card", [4]),
        ("2H! 4H 6H 8H TH", (), "Flush", [0, 1, 2, 3, 4]),
        ("KS~stone KD 3S", (), "High Card", [0, 1]),
        ("KS~stone", (), "High Card", [0]),
        ("2H 9D", ("splash",), "High Card", [0, 1]),
        ("KD KS", (), "Pair", [0, 1]),
        ("9H 9H 2D", (), "Pair", [0, 1]),
        ("9D 9H! TH", (), "Pair", [0, 1]),
    ],
)
def test_hands(cards, rules, hand, scoring):
    assert hand_of(cards, *rules) == (hand, scoring)


def test_the_highest_card_goes_by_rank_then_suit():
    assert hand_of("TD JC QH KD")[1] == [3]
    assert hand_of("2S~stone 3C")[1] == [0, 1]


def test_a_hand_scores_as_the_game_shows_it():
    result = score("KH KD 5S 5C 2D", "Green Joker=12, Baron@poly", hold="AS~steel", levels={"Two Pair": 3})
    assert (result.chips, result.mult, result.total) == (90, (4 * 1.5 + 13) * 1.5, 2565)
    assert result.jokers.stored[0] == 13
    chex.assert_type([result.chips, result.mult, result.total], np.float64)
    chex.assert_shape(result.scoring, (5,))


def test_order_of_jokers_and_editions():
    # Holo before the joker's own effect, poly after it; Baseball Card after every Uncommon joker.
    assert score("AH", "Joker@holo, The Duo").mult == 1 + 10 + 4
    assert score("AH AD", "Joker, The Duo").mult == (2 + 4) * 2
    assert score("AH AD", "The Duo, Joker").mult == 2 * 2 + 4
    assert score("AH", "Baseball Card, Acrobat@poly, Joker", hands_left=0).mult == 1 * 3 * 1.5 * 1.5 + 4


def test_copies_act_at_their_own_place_and_loops_do_nothing():
    assert score("AH AD", "Blueprint, Joker, The Duo").mult == (2 + 4 + 4) * 2
    assert score("AH AD", "Joker, The Duo, Brainstorm").mult == (2 + 4) * 2 + 4
    assert score("AH", "Blueprint, Brainstorm").mult == 1
    assert score("AH", "Brainstorm, Joker").mult == 1 + 4
    assert score("AH", "Blueprint, Joker!").mult == 1
    assert score("AH", "Joker, Blueprint, Four Fingers").mult == 1 + 4
    assert score("AH", "Joker, Blueprint").mult == 1 + 4
    # State changes are not copied, the stored number is.
    result = score("AH", "Blueprint, Green Joker=3")
    assert (result.mult, result.jokers.stored[1]) == (1 + 4 + 4, 4)


def test_midas_feeds_a_vampire_on_its_right_only():
    right = score("KH KD", "Midas Mask, Vampire")
    left = score("KH KD", "Vampire, Midas Mask")
    assert right.jokers.stored[1] == pytest.approx(1.2, abs=1e-12)
    assert (right.cards.enhancement[:2] == 0).all()
    assert left.jokers.stored[0] == 1
    assert [card_text(left.cards, place) for place in range(2)] == ["KH~gold", "KD~gold"]


def test_dna_copies_the_card_of_its_moment_and_feeds_hologram():
    left = score("KH~steel", "DNA, Vampire")
    right = score("KH~steel", "Vampire, DNA")
    assert (left.mult, right.mult) == (1.5 * 1.1, 1.1)
    both = score("KH~steel", "DNA, Vampire, DNA")
    assert (both.copies, both.copied[:2].tolist()) == (2, [5, 0])
    assert score("KH", "DNA, Midas Mask").copied[0] == 0
    assert score("KH", "DNA, Hologram").mult == 1.25
    assert score("KH", "DNA, Blueprint, Hologram").mult == 1.25 * 1.25
    assert score("KH", "Blueprint, DNA, Hologram").mult == 1.5
    assert score("KH", "DNA, Erosion", deck_size=51).mult == 1


def test_copies_are_held_with_the_features_of_their_moment():
    # Blackboard: a red copy among black cards.
    assert score("KH", "Blackboard", hold="KS 2C").mult == 3
    assert score("KH", "DNA, Blackboard", hold="KS 2C").mult == 1
    assert score("KS", "DNA, Blackboard", hold="KS 2C").mult == 3
    # Raised Fist: the copy is the lowest card, and the last of the lowest.
    assert score("2H", "Raised Fist", hold="9S 7C").mult == 1 + 2 * 7
    assert score("2H", "DNA, Raised Fist", hold="9S 7C").mult == 1 + 2 * 2
    # Baron and Mime act on each copy; Steel and Red Seals are copied, too, and a debuffed copy does nothing.
    assert score("KH", "DNA, DNA, Baron", hold="2C").mult == 1.5 * 1.5
    assert score("KH~steel#Red", "DNA, Baron, Mime").mult == (1.5 * 1.5) ** 3
    assert score("KH", "DNA, Baron", hold="KS").mult == 1.5 * 1.5
    assert score("KH!", "DNA, Baron", hold="2C").mult == 1
    # A hand without room for the copies keeps those that fit.
    full = " ".join(["2C"] * (HAND_CAPACITY - 2))
    assert score("KH", "DNA, DNA, Baron", hold=full).mult == 1.5
    assert score("KH", "DNA, Baron", hold=full + " 2C").mult == 1
    assert score("2H", "DNA, Blackboard", hold=full + " 2C").mult == 3


def _in_twelve_places(cards: str, jokers: str, empty: tuple[int, ...] = (), luck: str = "never"):
    """The score of the first card of a hand with twelve places; those in `empty` have no card."""
    state = make_scoring_state(cards, jokers)
    hand = jax.tree.map(lambda field: field[:12].copy(), state.hand)
    hand.rank[list(empty)] = 0
    state = replace(state, hand=hand, debuffed_if_changed=state.debuffed_if_changed[:12])
    return score_hand(state, np.arange(12) < 1, luck=luck)[0]


def test_short_hands_without_room_for_copies_and_hands_with_gaps():
    full = "KH" + " 2C" * 11
    assert _in_twelve_places(full, "DNA, Baron").mult == 1
    assert _in_twelve_places("KH" + " 2C" * 10, "Blueprint, DNA, Baron").mult == 1.5
    gold = _in_twelve_places("KH~gold" + " 2C" * 11, "Blueprint, DNA, Reserved Parking", luck="always")
    assert not np.any(gold.destroyed)
    # Cards behind empty places are held cards like others.
    assert _in_twelve_places("2H 2C 2C KS", "Baron", empty=(1, 2)).mult == 1.5


def test_hands_of_more_than_32_places():
    state = make_scoring_state("KH" + " 2C" * 31, "DNA, Baron")
    hand = jax.tree.map(lambda field: np.concatenate([field, field[:8]]), state.hand)
    hand.rank[35:] = 0  # a King at place 32, two twos, and room for five
    debuffed = np.concatenate([state.debuffed_if_changed, state.debuffed_if_changed[:8]])
    state = replace(state, hand=hand, debuffed_if_changed=debuffed)
    assert score_hand(state, np.arange(40) < 1, luck="never")[0].mult == 1.5 * 1.5


def test_features_of_held_cards_that_depend_on_the_others():
    """A book may bring its own: they are asked for every play."""

    def eldest(area, view):  # type: ignore[no-untyped-def]
        return (np.arange(area.members.shape[0]) == jnp.argmax(area.members)) & area.members

    row = {
        "key": "j_tester", "name": "Tester", "rarity": 2, "cost": 5, "copyable": True,
        "scoring": {"held": {"card": ["eldest"], "mult": 7}},
    }  # fmt: skip
    book = BOOK.with_joker(row, features={"eldest": eldest})
    assert score("2H", "Tester", hold="3S 4S", book=book).mult == 1 + 7
    assert score("2H", "Tester", book=book).mult == 1


def test_features_of_a_card_alone_do_not_depend_on_the_others():
    cards = parse_cards("KH~gold 2S~glass 9D~stone QC~wild JS! 5H")
    view = SimpleNamespace(
        state=SimpleNamespace(
            idol_suit=jnp.int8(2), idol_rank=jnp.int8(13), target_suit=jnp.int8(3), hands_left=jnp.int32(0)
        )
    )
    rules = HandRules(*[jnp.bool_(False)] * 5)
    there = np.asarray(cards.rank) > 0
    for name in ALONE:
        whole = np.asarray(FEATURES[name](area_of(cards, jnp.asarray(there), rules), view))
        for seed in range(5):
            members = there & (np.random.default_rng(seed).random(there.shape) < 0.5)
            some = np.asarray(FEATURES[name](area_of(cards, jnp.asarray(members), rules), view))
            np.testing.assert_array_equal(some[members], whole[members], name)


def test_large_numbers_stay_exact():
    assert score("KH KD", levels={"Pair": 300_000_000}).chips == 10 + 15 * 299_999_999 + 20
    assert score("KH+1000000000 KD", "Hanging Chad").chips == 10 + 3 * (10 + 10**9) + 10
    assert np.isinf(score("KH KD", ", ".join(["Campfire=1e300"] * 2)).total)


def test_hiker_counts_from_the_next_trigger():
    result = score("2H#red", "Hiker, Blueprint, Hiker")
    assert result.chips == 5 + 2 + (2 + 15)
    assert result.cards.bonus[0] == 30


def test_seltzer_and_ice_cream_run_out():
    result = score("2H", "Seltzer=1, Ice Cream=5")
    assert result.removed.tolist()[:3] == [True, True, False]
    assert result.chips == 5 + 2 * 2 + 5


def test_a_failed_parking_roll_repeats_nothing_and_lucky_cards_roll_in_order():
    always = score("2H~lucky", "Lucky Cat", luck="always")
    assert (always.mult, always.money, always.jokers.stored[0]) == ((1 + 20) * 1.25, 20, 1.25)
    never = score("2H~lucky", "Lucky Cat, Reserved Parking, Mime", hold="KS")
    assert (never.mult, never.money) == (1, 0)
    assert score("2H", "Reserved Parking, Mime", hold="KS", luck="always").money == 2
    # Certain chances hit without luck: four Oops make 1 in 5 certain.
    assert score("2H~lucky", "Oops! All 6s, Oops! All 6s, Oops! All 6s").mult == 21


def test_created_cards_need_slots_in_order():
    result = score("8H 8D", "8 Ball, Vagabond", luck="always", money=2)
    assert [CREATED[number - 1] for number in result.created if number] == [("Tarot", "eight_ball")] * 2
    result = score("8H", "8 Ball, Vagabond, Vagabond", luck="always", money=2)
    assert [CREATED[number - 1][1] for number in result.created if number] == ["eight_ball", "vagabond"]
    sixth = score("6H~glass", "Sixth Sense, Glass Joker, DNA", luck="always")
    assert [CREATED[number - 1][1] for number in sixth.created if number] == ["sixth_sense"]
    assert sixth.destroyed[0]
    assert (sixth.copies, sixth.jokers.stored[1]) == (1, 1.75)
    full = score("6H", "Sixth Sense", consumables=("Pluto", "Mars"))
    assert full.destroyed[0]
    assert not full.created.any()


def test_bosses():
    blocked = score("AH", "Matador, Ice Cream", boss="The Psychic")
    assert (blocked.blocked, blocked.total, blocked.money, blocked.jokers.stored[1]) == (True, 0, 8, 95)
    assert score("AH", boss="The Arm", levels={"High Card": 3}).level == 2
    assert score("AH", boss="The Arm").level == 1
    assert score("AH", boss="The Ox", most_played="High Card", money=30).money == -30
    flint = score("AH", boss="The Flint")
    assert (flint.chips, flint.mult) == (np.floor(5 / 2 + 0.5) + 11, 1)
    assert score("AH AD", boss="The Eye", eye_used=("Pair",)).blocked
    assert score("AH AD", boss="The Mouth", mouth_hand="Flush").blocked
    assert score("AH! KD", "Matador", boss="The Head").money == 8
    assert score("AH! KD", "Matador", boss="The Hook").money == 0
    assert score("AH AH AH AH AH", "To Do List").money == 0
    eye = score("AH AD", boss="The Eye")
    assert not eye.blocked
    assert eye.eye_used[HANDS.keys.index("Pair")]
    assert score("AH AD", boss="The Mouth").mouth_hand == HANDS.keys.index("Pair")


def test_plasma_and_observatory():
    plasma = score("AH AD", plasma=True)
    assert (plasma.chips, plasma.mult, plasma.total) == (17, 17, 289)
    assert score("AH AD", observatory=True, consumables=("Mercury", "Pluto")).mult == 3


def test_bull_counts_what_the_hand_earned_and_what_matador_was_paid_to_its_left():
    assert score("AD#gold", "Bull", money=10).chips == 5 + 11 + 2 * 13
    left = score("AH", "Matador, Bull", money=10, boss="The Flint")
    right = score("AH", "Bull, Matador", money=10, boss="The Flint")
    assert left.chips - right.chips == 16


def test_an_invented_joker_needs_a_row_and_a_function():
    row = {
        "key": "j_tester", "name": "Tester", "rarity": 2, "cost": 5, "copyable": True,
        "scoring": {
            "played": {"card": ["low"], "chips": 3},
            "main": {"if": {"discards_left": ">= 2"}, "mult": {"each": 2, "per": "cards_held"}},
        },
    }  # fmt: skip
    book = BOOK.with_joker(
        row,
        quantities={"cards_held": lambda view: view.held.members.sum(dtype=np.int32)},
        features={"low": lambda area, view: area.members & (area.cards.rank <= 4)},
    )
    result = score("2H 2D 9C", "Blueprint, Tester", hold="KS QD 3H", book=book)
    assert (result.chips, result.mult) == (10 + 4 + 4 * 3, 2 + 2 * 2 * 3)
    env = jaxtro.make(book=book)
    assert env.book.keys[-1] == "j_tester"
    with pytest.raises(JokerRowError, match="in the book already"):
        book.with_joker(row)


@pytest.mark.parametrize(
    ("scoring", "message"),
    [
        ({"mainn": {}}, "unknown"),
        ({"main": {"if": {"weather": "== 1"}}}, "unknown quantity 'weather'"),
        ({"main": {"if": {"discards_left": "about 3"}}}, "no comparison"),
        ({"main": {"if": {"contains": "Royal Flush"}, "mult": 1}}, "poker hands are"),
        ({"main": {"mult": {"each": 1, "per": "weather"}}}, "unknown quantity"),
        ({"played": {"card": ["purple"], "mult": 1}}, "unknown card feature"),
        ({"played": {"card": ["any"], "odds": 2}}, "odds without a stream"),
        ({"played": {"card": ["any"], "odds": 2, "stream": "nowhere"}}, "unknown random stream"),
        ({"held": {"card": ["any"], "dollars": 2}}, "on a roll"),
        ({"before": {"cards": "paint"}}, "unknown card change"),
        ({"rule": "no_rules"}, "unknown rule"),
    ],
)
def test_rows_that_are_not_understood(scoring, message):
    row = {"key": "j_wrong", "name": "Wrong", "rarity": 1, "copyable": True, "scoring": scoring}
    with pytest.raises(JokerRowError, match=f"j_wrong: .*{message}"):
        BOOK.with_joker(row)


def test_every_joker_row_says_what_it_stores():
    for joker, row in enumerate(JOKERS.rows, start=1):
        uses = "stored" in str(row["scoring"].get("main", "")) or "after" in row["scoring"]
        assert (BOOK.state_name(joker) is not None) >= uses, row["key"]
    assert make_book(JOKERS.rows).keys == BOOK.keys


def test_score_of_the_environment_and_its_errors():
    env = jaxtro.make("Balatro-v0")
    state = make_scoring_state("KH KD 5S 5C 2D")
    for cards, message in (
        ([], "0 cards chosen"), (range(6), "6 cards chosen"), ("ab", "cards is"), (None, "cards is"),
        ([0.5, 1], "cards is"), ([0, 0], "different places"),
        ([9], "no card at place 9"),
        ([0, 40], "different places"), (np.ones(5, bool), "give bool"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            env.score(state, cards)
    with pytest.raises(ValueError, match="6 cards chosen"):
        env.score(make_scoring_state("2H 3H 4H 5H 6H 7H"), first(6))
    with pytest.raises(ValueError, match="unknown environment"):
        jaxtro.make("Balatro-v9")
    six, none = score_all([make_scoring_state("2H 3H 4H 5H 6H 7H")] * 2, [first(6), first(0)])
    assert (six.legal, six.total) == (False, 0)
    assert (none.legal, none.total) == (False, 0)


def test_best_play_ranks_all_sets():
    env = jaxtro.make()
    state = make_scoring_state("KH KD 5S 5C 5D 2D 3H 9C", "Jolly Joker, Spare Trousers")
    ranking = jax.device_get(jax.jit(lambda state: env.best_play(state, luck="never"))(state))
    assert ranking.count == 218
    assert (ranking.total[:218] >= 0).all()
    assert (ranking.total[218:] == -1).all()
    assert (np.diff(ranking.total) <= 0).all()
    assert HANDS.keys[ranking.hand[0]] == "Full House"
    assert np.flatnonzero(ranking.cards[0]).tolist() == [0, 1, 2, 3, 4]
    assert len({tuple(cards) for cards in ranking.cards[:218].tolist()}) == 218
    single = score_all([state] * 218, list(ranking.cards[:218]))
    assert [result.total for result in single] == ranking.total[:218].tolist()


def test_best_play_with_a_forced_card_and_a_long_hand():
    env = jaxtro.make()
    state = make_scoring_state("2H 3D 4S 5C 7D 8D 9H JC QH KH AD AC")
    forced = np.arange(32) == 1
    ranking = jax.device_get(
        jax.jit(lambda state, forced: env.best_play(state, forced, top=3, luck="never"))(state, forced)
    )
    assert ranking.count == 1 + 11 + 55 + 165 + 330
    assert ranking.cards[:, 1].all()
    assert np.flatnonzero(ranking.cards[0]).tolist()[0] in (0, 1)
    assert (ranking.total > 0).all()


def test_best_play_of_a_batch_of_hands_of_all_lengths() -> None:
    deck = ["2H", "3D", "4S", "5C", "7D", "8D", "9H", "JC", "QH", "KH", "AD", "AC"]
    hands = [make_scoring_state(" ".join(deck[n % 5 : n % 5 + 1 + n % 8]), "Jolly Joker") for n in range(19)]
    hands[7] = make_scoring_state(" ".join(deck), "Jolly Joker")  # 1585 plays, 7 turns
    batch = jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *hands)
    for top in (3, 300):
        rank = functools.partial(jaxtro.make().best_play, top=top, luck="never")
        ranking = jax.device_get(jax.jit(jax.vmap(rank))(batch))
        chex.assert_shape(ranking.total, (19, top))
        assert (np.diff(ranking.total) <= 0).all()
        for n, cards in ((2, 3), (7, 12), (18, 3)):  # in the first turn of games, and in the last
            found = jax.tree.map(lambda leaf: leaf[n], ranking)  # noqa: B023
            plays = [
                np.isin(np.arange(32), chosen)
                for size in range(1, 6)
                for chosen in itertools.combinations(range(cards), size)
            ]
            assert found.count == len(plays)
            totals = [float(score.total) for score in score_all([hands[n]] * len(plays), plays)]
            expected = sorted(totals, reverse=True)[:top]
            assert found.total.tolist() == expected + [-1.0] * (top - len(expected))
            assert (found.hand[len(expected) :] == -1).all()
            assert not found.cards[len(expected) :].any()


def test_features_of_books_with_other_functions_or_fewer() -> None:
    cards = parse_cards("5H KD TC~stone 2S~wild 5S!")
    area = area_of(
        jax.tree.map(jnp.asarray, cards),
        jnp.arange(cards.rank.shape[0]) < 5,
        HandRules(*[jnp.bool_(False)] * len(NAMES)),
    )
    everything = {
        name: function for name, function in FEATURES.items() if name.startswith(("rank_", "suit_", "gold"))
    }
    books = {
        "all": everything,
        "another five": everything | {"rank_5": lambda area, view: area.cards.rank == 2},
        "one in front": {"none": lambda area, view: area.cards.rank < 0} | everything,
        "no ranks": {name: function for name, function in everything.items() if not name.startswith("rank_")},
        "three ranks": {name: everything[name] for name in ("rank_2", "rank_3", "rank_4")},
    }
    for name, functions in books.items():
        book = SimpleNamespace(features=functions)
        for wanted in (0, 1, (1 << len(functions)) - 1, 0b1010101):
            found = features(book, area, None, wanted)
            expected = sum(
                (np.asarray(function(area, None)).astype(np.uint32) << np.uint32(number))
                * np.uint32(wanted >> number & 1)
                for number, function in enumerate(functions.values())
            )
            chex.assert_trees_all_equal(np.asarray(found), np.asarray(expected, np.uint32)), name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("KX", "no card"),
        ("KH~shiny", "unknown enhancement"),
        ("KH@shiny", "unknown edition"),
        ("KH#pink", "seal"),
    ],
)
def test_cards_that_cannot_be_read(text, message):
    with pytest.raises(ValueError, match=message):
        parse_cards(text)


def test_notation_goes_both_ways():
    text = "KH~steel@foil#red+5! TS AC~stone 2D@polychrome"
    cards = parse_cards(text)
    assert " ".join(card_text(cards, place) for place in range(4)) == text
    jokers = parse_jokers("j_baron@poly, Green Joker=12$4!, To Do List=Flush")
    assert [JOKERS.keys[joker] for joker in jokers.id[:3]] == ["j_baron", "j_green_joker", "j_todo_list"]
    assert jokers.stored[:3].tolist() == [0, 12, HANDS.keys.index("Flush")]
    for wrong, message in (
        ("Barron", "Did you mean j_baron"), ("Baron=3", "keeps no number"), ("Wee Joker=-1", "0 or more"),
        ("Campfire=inf", "finite"),
        ("Wee Joker=x", "must be a number"), ("Baron%3", "unknown joker"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            parse_jokers(wrong)
    for arguments, message in (
        ({"levels": {"Pair": 0}}, "too low"), ({"levels": {"Pair": 3 * 10**9}}, "too large"),
        ({"money": 10**10}, "too large"), ({"money_": 3}, "unknown number"),
        ({"boss": "The Cat"}, "unknown blind"),
        ({"discards_left": -1}, "below 0"), ({"ancient_suit": "X"}, "none of C, D, H, S"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            make_scoring_state("KH", **arguments)
