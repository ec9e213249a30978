import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxtro
from jaxtro.env import generation as gen
from jaxtro.env import rng
from jaxtro.env.generation.packs import telescope_planet
from jaxtro.tables import (
    BLINDS,
    CHALLENGES,
    DECKS,
    ENHANCEMENTS,
    ITEMS,
    PACKS,
    SEALS,
    TAGS,
    UnknownNameError,
    item,
)
from jaxtro.tables.pools import FRONTS
from tests import reference

ONE = jnp.int32(1)


@pytest.fixture(scope="module")
def decks():
    """Starting decks of a batch in which every game has another deck or challenge: one compiled program."""

    @jax.jit
    @jax.vmap
    def make(seed, deck, challenge):
        streams = rng.start_streams(seed, 1, ["erratic"])
        return gen.starting_deck(streams, gen.rules_of(deck, 1, challenge))[0]

    deck = np.array([*range(1, 16), *[16] * 20], np.int32)
    challenge = np.array([0] * 15 + list(range(1, 21)), np.int32)
    seeds = np.stack([jaxtro.encode_seed("7LB2WVPK")] * len(deck))
    made = jax.device_get(make(seeds, deck, challenge))
    names = [DECKS.keys[d] for d in range(1, 16)] + [CHALLENGES.keys[c] for c in range(1, 21)]
    return {name: jax.tree.map(lambda x, row=row: x[row], made) for row, name in enumerate(names)}


def _fronts(deck):
    return [FRONTS[front] for front in deck.front[: deck.count]]


def test_every_starting_deck(decks):
    sizes = {name: int(deck.count) for name, deck in decks.items()}
    assert {name for name, size in sizes.items() if size != 52} == {"b_abandoned", "c_mad_world_1"}
    assert (sizes["b_abandoned"], sizes["c_mad_world_1"]) == (40, 32)
    assert _fronts(decks["b_red"]) == list(FRONTS)
    assert _fronts(decks["b_checkered"])[:13] == [front.replace("C", "S", 1) for front in FRONTS[:13]]
    assert _fronts(decks["b_checkered"])[13:26] == [front.replace("D", "H", 1) for front in FRONTS[13:26]]
    assert _fronts(decks["b_erratic"]) == ["S_T"] * 52  # the NaN stream of rng.md 1.5
    assert not any(front[2] in "JQK" for front in _fronts(decks["b_abandoned"]))
    city = _fronts(decks["c_city_1"])
    assert city == sorted(city)
    assert city.count("H_J") == 2
    assert "H_A" not in city


def test_challenge_decks_have_their_enhancements_and_seals(decks):
    glass, stone = ENHANCEMENTS.keys.index("m_glass"), ENHANCEMENTS.keys.index("m_stone")
    assert set(decks["c_fragile_1"].enhancement) == {glass}
    medusa = decks["c_medusa_1"]
    is_face = [FRONTS[front][2] in "JQK" for front in medusa.front]
    assert [bool(e == stone) for e in medusa.enhancement] == is_face
    assert set(decks["c_double_nothing_1"].seal) == {SEALS.keys.index("Red")}


def test_starting_situations_open_what_they_should():
    medusa = gen.make_rules(challenge="Medusa")
    deck = gen.known_deck(medusa)
    open_now = gen.open_items(gen.start_situation(medusa, deck.enhancements()))
    assert bool(open_now[item("j_stone")])
    assert not bool(open_now[item("j_steel_joker")])
    assert not bool(open_now[item("j_marble")]), "an owned joker is not offered"
    zodiac = gen.start_situation(gen.make_rules("Zodiac Deck"))
    assert int(gen.shop_size(zodiac.has)) == 3
    assert gen.slot_rates(gen.make_rules("zodiac"), zodiac).tolist() == [20, 9.6, 9.6, 0, 0]
    assert bool(gen.open_items(zodiac)[item("v_overstock_plus")])
    assert not bool(gen.open_items(zodiac)[item("v_overstock_norm")])
    ghost = gen.make_rules("b_ghost")
    assert gen.slot_rates(ghost, gen.start_situation(ghost)).tolist() == [20, 4, 4, 0, 2]
    jokerless = gen.make_rules(challenge="c_jokerless_1")
    assert gen.slot_rates(jokerless, gen.start_situation(jokerless))[0] == 0


def _situation(**changes):
    rules = gen.make_rules()
    facts = dict(
        exists=jnp.zeros(len(ITEMS), bool), redeemed=jnp.zeros(len(ITEMS), bool),
        hands_played=jnp.zeros(12, jnp.int32), enhancements=jnp.zeros(9, bool),
    )  # fmt: skip
    return gen.make_situation(rules, **(facts | changes))


def test_availability_rules():
    """rng.md 3, rule by rule."""
    held = jnp.zeros(len(ITEMS), bool).at[item("j_egg")].set(True).at[item("v_hone")].set(True)
    assert not bool(gen.open_items(_situation(exists=held))[item("j_egg")])
    with_showman = gen.open_items(_situation(exists=held, showman=True))
    assert bool(with_showman[item("j_egg")])
    assert not bool(with_showman[item("v_hone")]), "a voucher on display stays closed"
    fresh = gen.open_items(_situation())
    for key in (
        "c_planet_x",
        "c_ceres",
        "c_eris",
        "j_cavendish",
        "j_ticket",
        "c_soul",
        "c_black_hole",
        "v_glow_up",
    ):
        assert not bool(fresh[item(key)]), key
    assert bool(
        gen.open_items(_situation(hands_played=jnp.zeros(12, jnp.int32).at[2].set(1)))[item("c_planet_x")]
    )
    extinct = gen.open_items(_situation(gros_michel_extinct=True))
    assert bool(extinct[item("j_cavendish")])
    assert not bool(extinct[item("j_gros_michel")])


def test_locks_close_items_and_tags():
    rules = gen.make_rules(locked=["j_blueprint", "Polychrome", "j_perkeo"])
    open_now = gen.open_items(gen.start_situation(rules))
    assert not bool(open_now[item("j_blueprint")])
    assert bool(open_now[item("j_perkeo")]), "legendary jokers need no unlock"
    closed = {TAGS.keys[n] for n in np.flatnonzero(rules.closed_tags)}
    assert closed == {"tag_rare", "tag_polychrome"}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"deck": "b_purple"}, UnknownNameError, "b_plasma"),
        ({"stake": "platinum"}, UnknownNameError, "stake_gold"),
        ({"challenge": "Hardest"}, UnknownNameError, "c_omelette_1"),
        ({"locked": ["j_nobody"]}, UnknownNameError, "j_joker"),
        ({"challenge": "c_omelette_1", "stake": "gold"}, ValueError, "White Stake"),
        ({"challenge": "c_omelette_1", "deck": "ghost"}, ValueError, "own deck"),
        ({"deck": "b_challenge"}, ValueError, "name a challenge"),
    ],
)
def test_wrong_rules_say_what_is_allowed(options, error, message):
    with pytest.raises(error, match=message):
        gen.make_rules(**options)


def test_bosses_rotate_and_showdowns_come_at_multiples_of_the_win_ante():
    @jax.jit
    def bosses(seed):
        rules, used = gen.make_rules(), jnp.zeros(len(BLINDS), jnp.int32)

        def one(carry, ante):
            streams, used = carry
            boss, used, streams = gen.next_boss(streams, rules, used, ante)
            return (streams, used), boss

        start = (rng.start_streams(seed, 1, ["boss"]), used)
        return jax.lax.scan(one, start, jnp.arange(1, 41))[1]

    found = [BLINDS.row(boss) for boss in np.asarray(bosses(jaxtro.encode_seed("TEST123")))]
    for ante, row in enumerate(found, start=1):
        assert (row["type"] == "showdown") == (ante % 8 == 0), ante
        assert row["type"] == "showdown" or row["min_ante"] <= ante
    assert len({row["key"] for row in found if row["type"] == "showdown"}) == 5
    ordinary = [row["key"] for row in found if row["type"] == "boss"]
    assert len(set(ordinary[:23])) == 23, "no boss comes twice before all have come"


@pytest.fixture(scope="module")
def shop_slots():
    """200 shop slots of ante 1 for a situation, nothing staying on display."""

    @jax.jit
    def fill(seed, rules, situation):
        def one(streams, _):
            made, _, streams = gen.shop_slot(streams, rules, situation, ONE)
            return streams, made

        return jax.lax.scan(one, rng.start_streams(seed), None, length=200)[1]

    return lambda rules, situation: jax.device_get(fill(jaxtro.encode_seed("TEST123"), rules, situation))


def test_gold_stake_stickers_follow_their_streams(shop_slots):
    rules = gen.make_rules(stake="stake_gold")
    made = shop_slots(rules, gen.start_situation(rules))
    plain = shop_slots(gen.make_rules(), gen.start_situation(gen.make_rules()))
    assert made.id.tolist() == plain.id.tolist(), "stickers do not change what is offered"
    run = reference.Run("TEST123")
    for n, number in enumerate(made.id):
        if not 0 < number <= 150:
            assert not any((made.eternal[n], made.perishable[n], made.rental[n]))
            continue
        u, rental, row = run.u("etperpoll1"), run.u("ssjr1"), ITEMS.row(number)
        assert made.eternal[n] == (u > 0.7 and row["eternal_ok"])
        assert made.perishable[n] == (0.4 < u <= 0.7 and row["perishable_ok"])
        assert made.rental[n] == (rental > 0.7)
    assert made.eternal.any()
    assert made.perishable.any()
    assert not plain.eternal.any()


def test_illusion_cards_follow_the_specification(shop_slots):
    """rng.md 6.2: a draw for every slot, and one or two more for a playing card."""
    rules = gen.make_rules(challenge="Bram Poker")  # Magic Trick and Illusion from the start
    made = shop_slots(rules, gen.start_situation(rules))
    run = reference.Run("TEST123")
    cards = 0
    for n in range(200):
        enhanced = run.u("illusion") > 0.6
        if made.front[n] < 0:
            assert 150 < made.id[n] < 203
            continue
        cards += 1
        assert made.front[n] == int(run.u("frontsho1") * 52)
        assert (made.enhancement[n] > 0) == enhanced
        has_edition = run.u("illusion") > 0.8
        assert (made.edition[n] > 0) == has_edition
        if has_edition:
            u = run.u("illusion")
            assert made.edition[n] == (3 if u > 0.85 else 2 if u > 0.5 else 1)
    assert cards > 30


@pytest.fixture(scope="module")
def opened():
    """Opens one pack for many seeds."""

    @jax.jit
    def open_all(seeds, pack, rules, situation):
        def one(seed):
            cards, shown, _ = gen.open_pack(rng.start_streams(seed), rules, situation, ONE, pack)
            return cards, shown.exists

        return jax.vmap(one)(seeds)

    seeds = jaxtro.random_seeds(5_000_000, 512)
    return lambda pack, rules, situation: jax.device_get(
        open_all(seeds, jnp.int32(PACKS.find(pack)), rules, situation)
    )


@pytest.mark.parametrize(
    ("pack", "low", "high"),
    [
        ("p_arcana_mega_1", "c_fool", "c_world"),
        ("p_celestial_jumbo_1", "c_mercury", "c_eris"),
        ("p_spectral_mega_1", "c_familiar", "c_black_hole"),
        ("p_buffoon_mega_1", "j_joker", "j_perkeo"),
    ],
)
def test_pack_cards_are_of_their_kind_and_differ(opened, pack, low, high):
    rules = gen.make_rules()
    cards, exists = opened(pack, rules, gen.start_situation(rules))
    count = PACKS.row(PACKS.find(pack))["cards"]
    ids = cards.id[:, :count]
    special = {item("c_soul"), item("c_black_hole")}
    inside = (ids >= item(low)) & (ids <= item(high)) | np.isin(ids, list(special))
    assert inside.all()
    assert (cards.id[:, count:] == 0).all()
    assert all(len(set(row)) == count for row in ids.tolist())
    chex.assert_trees_all_equal(exists[:, 1:].sum(axis=1), np.full(512, count))


def test_souls_come_as_often_as_they_should(opened):
    rules = gen.make_rules()
    cards, _ = opened("p_arcana_mega_1", rules, gen.start_situation(rules))
    assert 1 <= (cards.id == item("c_soul")).sum() <= 20  # 2560 cards x 0.003
    banned = gen.make_rules(challenge="c_jokerless_1")
    cards, _ = opened("p_arcana_mega_1", banned, gen.start_situation(banned))
    assert not (cards.id == item("c_soul")).any()


def test_telescope_puts_the_most_played_hand_first(opened):
    rules = gen.make_rules("b_nebula")
    base = gen.start_situation(rules)
    assert int(telescope_planet(base)) == 0, "nothing played: no forcing"
    played = jnp.zeros(12, jnp.int32).at[6].set(4).at[11].set(4)  # Flush and High Card: the better one
    situation = gen.make_situation(rules, base.exists, base.redeemed, played, jnp.zeros(9, bool))
    cards, _ = opened("p_celestial_jumbo_1", rules, situation)
    assert set(cards.id[:, 0].tolist()) == {item("c_jupiter")}
    assert not (cards.id[:, 1:] == item("c_jupiter")).any()


def test_omen_globe_brings_spectrals(opened):
    rules = gen.make_rules()
    redeemed = jnp.zeros(len(ITEMS), bool).at[item("v_omen_globe")].set(True)
    cards, _ = opened("p_arcana_mega_1", rules, _situation(redeemed=redeemed))
    share = (cards.id >= item("c_familiar")).mean()
    assert 0.15 < share < 0.25


def test_standard_cards(opened):
    rules = gen.make_rules(stake="gold")
    cards, _ = opened("p_standard_mega_1", rules, gen.start_situation(rules))
    assert (cards.front >= 0).all()
    assert (cards.id == 0).all()
    assert 0.35 < (cards.enhancement > 0).mean() < 0.45
    assert 0.15 < (cards.seal > 0).mean() < 0.25
    assert not (cards.edition == 4).any()
    assert not cards.eternal.any()


def test_created_jokers_use_the_streams_of_their_source():
    rules = gen.make_rules()
    situation = gen.start_situation(rules)
    for source, keys, poll in (
        ("judgement", ("Joker1jud1", "Joker2jud1", "Joker3jud1"), False),
        ("wraith", ("Joker3wra1",), False),
        ("riff_raff", ("Joker1rif1",), False),
        ("rare_tag", ("Joker3rta1",), True),
        ("soul", ("Joker4",), False),
    ):
        before = rng.start_streams(jaxtro.encode_seed("TEST123"))
        made, after = gen.new_joker(before, rules, situation, ONE, source)
        changed = {
            key.replace("{a}", "1")
            for n, key in enumerate(rng.streams.table.STREAM_KEYS)
            if before.states[rng.streams.slot_of(n, ONE)] != after.states[rng.streams.slot_of(n, ONE)]
        }
        assert len(changed & set(keys)) == 1, (source, changed)
        assert ("etperpoll1" in changed) == poll
        assert "ssjr1" not in changed
        assert ITEMS.row(int(made.id))["rarity"] in (1, 2, 3, 4)
    nothing, possible, after = gen.rare_tag_joker(before, rules, situation, ONE, jnp.ones(len(ITEMS), bool))
    assert not bool(possible)
    assert int(nothing.id) == 0
    chex.assert_trees_all_equal(after.states, before.states)


def test_consumables_made_with_no_slot_draw_nothing():
    rules = gen.make_rules()
    streams = rng.start_streams(jaxtro.encode_seed("TEST123"))
    situation = gen.start_situation(rules)
    _, after = gen.new_consumable(streams, situation, ONE, "Tarot", "emperor", when=False)
    chex.assert_trees_all_equal(after, streams)
    made, _ = gen.new_consumable(streams, situation, ONE, "Tarot", "emperor")
    assert ITEMS.row(int(made.id))["set"] == "Tarot"


def test_to_do_leaves_out_the_current_hand():
    streams = rng.start_streams(jaxtro.encode_seed("TEST123"), 1, ["to_do"])
    hand, seen = jnp.int32(-1), []
    for _ in range(30):
        drawn, streams = gen.to_do_hand(streams, jnp.zeros(12, jnp.int32), ONE, hand)
        assert int(drawn) != int(hand)
        hand = drawn
        seen.append(int(hand))
    assert set(seen) <= set(range(3, 12)), "secret hands are not listed before they were played"


def test_hone_and_glow_up_raise_the_editions_of_standard_packs(opened):
    rules = gen.make_rules()
    shares = []
    for key in (None, "v_hone", "v_glow_up"):
        redeemed = jnp.zeros(len(ITEMS), bool)
        redeemed = redeemed if key is None else redeemed.at[item(key)].set(True)
        cards, _ = opened("p_standard_mega_1", rules, _situation(redeemed=redeemed))
        shares.append((cards.edition > 0).mean())
    for share, chance in zip(shares, (0.08, 0.16, 0.32), strict=True):  # rng.md 6.1: 0.04 * rate * 2
        assert abs(share - chance) < 0.03


@pytest.mark.parametrize("ante", [-1, 0, 1])
def test_tags_of_low_antes_are_those_of_ante_one(ante):
    streams = rng.start_streams(jaxtro.encode_seed("TEST123"), ante, ["Tag{a}"])
    run = reference.Run("TEST123")
    is_open = [row["min_ante"] < 2 for row in TAGS.rows]
    for _ in range(2):
        tag, streams = gen.next_tag(streams, gen.make_rules(), jnp.int32(ante))
        assert int(tag) == run.pool(f"Tag{ante}", is_open) + 1
