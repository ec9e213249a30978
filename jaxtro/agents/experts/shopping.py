"""Shop, packs and the order of jokers: variants of what is owned, and what each purchase is worth."""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.agents.experts.consumables import pack_targets, suit_counts, worth_of
from jaxtro.agents.experts.discards import draw, eight_jokers
from jaxtro.agents.experts.greedy import EVENTS, choose, simple_action
from jaxtro.agents.experts.priors import Priors
from jaxtro.agents.experts.strength import JOKERS, PLACES, SAMPLES, VARIANTS, Variants
from jaxtro.agents.experts.view import Seen, row
from jaxtro.env import run_rules
from jaxtro.env.actions import Action, Kind, Legal
from jaxtro.env.owned import (
    NEGATIVE,
    credit,
    discards_per_round,
    free_joker_slots,
    hand_size,
    hands_per_round,
    has_voucher,
    is_consumable,
    is_joker,
    joker_count,
    joker_sell_values,
    offer_prices,
    pack_prices,
    voucher_price,
)
from jaxtro.env.phases.blind_select import BOSS
from jaxtro.env.phases.round_end import interest_cap
from jaxtro.env.phases.shop import reroll_price
from jaxtro.env.scoring import amounts
from jaxtro.env.scoring.book import BOOK
from jaxtro.env.state import PACK_CARDS, Cards, Jokers, Offers, Phase, ScoringState, State
from jaxtro.tables import EDITIONS, HANDS, PACKS, item
from jaxtro.tables.pools import FRONT_SUIT

OFFERS, REMOVALS = PACK_CARDS, VARIANTS - 1 - PACK_CARDS
MOVES = (VARIANTS - 2) // 2
_POLYCHROME = EDITIONS.keys.index("e_polychrome")
_HAND_OF = np.full(1 + int(amounts.PLANETS.max()), -1, np.int32)
_HAND_OF[amounts.PLANETS] = np.arange(len(HANDS))
_BLACK_HOLE = item("c_black_hole")
_BUFFOON = np.array([False] + [row["kind"] == "Buffoon" for row in PACKS.rows])
_CELESTIAL = np.array([False] + [row["kind"] == "Celestial" for row in PACKS.rows])
_COPIER = BOOK.columns["copier"]
_BLINDS_AN_ANTE, _INTEREST_STEP, _LAST_ANTE = 3, 5, 8
_NEVER = -1e9


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Offered:
    """What lies in the shop or the open pack, five places.

    Attributes:
      offers: `Offers`[5]. price: int32[5]. joker: bool[5]. there: bool[5].
    """

    offers: Offers
    price: Array
    joker: Array
    there: Array


def offered(state: State) -> Offered:
    """The cards of the open pack, else of the shop."""
    shop, pack = state.shop.cards, state.pack.cards
    missing = PACK_CARDS - shop.id.shape[0]

    def one(shop: Array, pack: Array, empty: int = 0) -> Array:
        padded = jnp.concatenate([shop, jnp.full(missing, empty, shop.dtype)])
        return jnp.where(state.phase == Phase.PACK, pack, padded)

    fields = {name: one(getattr(shop, name), getattr(pack, name)) for name in Offers.__dataclass_fields__}
    fields["front"] = one(shop.front, pack.front, -1)
    offers = Offers(**fields)
    price = jnp.where(state.phase == Phase.PACK, 0, offer_prices(state, EVENTS, offers))
    return Offered(offers, price, is_joker(offers.id), (offers.id > 0) | (offers.front >= 0))


# --- variants -----------------------------------------------------------------------------------------------


def rounds_left(state: State) -> Array:
    """Blinds after the next one, up to the win. -> float32[]"""
    rounds = (_LAST_ANTE - state.run.ante) * _BLINDS_AN_ANTE + BOSS - state.blinds.on_deck.astype(jnp.int32)
    return jnp.maximum(rounds, 0).astype(jnp.float32)


def _ahead(jokers: Jokers, horizon: Array, priors: Priors) -> Jokers:
    """The jokers as they will be in some rounds, and stand-ins for those that live from chance."""
    ids = jokers.id.astype(jnp.int32)
    stored = jokers.stored + jnp.asarray(priors.growth)[ids] * horizon.astype(jnp.float64)
    stored = jnp.where(jnp.asarray(priors.growth)[ids] == 0, jokers.stored, stored)
    stored = jnp.maximum(stored, jnp.minimum(jokers.stored, jnp.asarray(priors.least)[ids]))
    stands = jnp.asarray(priors.stands_stored)[ids]
    stored = jnp.where(jnp.isnan(stands), stored, stands)
    return replace(jokers, id=jnp.asarray(priors.stands_for)[ids], stored=stored)


def _sorted(jokers: Jokers, priors: Priors) -> Jokers:
    """Jokers that add to the left of those that multiply; a copying one between."""
    ids = jokers.id.astype(jnp.int32)
    multiplies = jnp.asarray(priors.multiplies)[ids] | (jokers.edition == _POLYCHROME)
    copier = jnp.asarray(_COPIER)[ids]
    key = jnp.where(multiplies, 3, 1)
    key = jnp.where(copier == 1, jnp.where(jnp.any(multiplies & (ids > 0)), 2, 0), key)
    key = jnp.where(copier == 2, 2, key)
    key = jnp.where(ids > 0, key, 9)
    return _by_key(jokers, key)


def _by_key(jokers: Jokers, key: Array) -> Jokers:
    """The jokers in rising order of a key, equal ones as they were; cheaper to compile than a sort."""
    places = jnp.arange(key.shape[0])
    before = (key[None] < key[:, None]) | ((key[None] == key[:, None]) & (places[None] < places[:, None]))
    order = jnp.zeros_like(places).at[jnp.sum(before, axis=1)].set(places)
    ordered: Jokers = jax.tree.map(lambda values: values[order], jokers)
    return ordered


def _without(jokers: Jokers, place: Array) -> Jokers:
    empty = jnp.arange(jokers.id.shape[0]) == place
    return replace(
        jokers,
        id=jnp.where(empty, 0, jokers.id).astype(jokers.id.dtype),
        edition=jnp.where(empty, 0, jokers.edition),
    )


def _with(jokers: Jokers, offers: Offers, number: Array, price: Array) -> Jokers:
    """The jokers and one on offer at the right end; unchanged if it is none."""
    new = is_joker(offers.id[number])
    place = jnp.minimum(jnp.sum(jokers.id > 0), jokers.id.shape[0] - 1)
    at = jnp.where(new, place, jokers.id.shape[0])
    values = Jokers(
        offers.id[number],
        offers.edition[number],
        jnp.bool_(False),
        jnp.maximum(price // 2, 1),
        offers.stored[number],
    )
    joined: Jokers = jax.tree.map(
        lambda old, value: old.at[at].set(jnp.asarray(value).astype(old.dtype), mode="drop"), jokers, values
    )
    return joined


def shop_variants(seen: Seen, what: Offered, left: Array, priors: Priors) -> tuple[Jokers, Array]:
    """As it is, with each offer, without each of the first jokers.

    Args:
      left: float32[], `rounds_left`.

    Returns:
      `Jokers`[12, 8], levels int32[12, 12].
    """
    horizon = jnp.minimum(priors.number["horizon"], left)
    now = eight_jokers(seen.scoring.jokers)
    level = seen.scoring.poker_hands.level
    sets, levels = [now], [level]
    for number in range(OFFERS):
        sets.append(_with(now, what.offers, jnp.int32(number), what.price[number]))
        card = what.offers.id[number].astype(jnp.int32)
        hand = jnp.asarray(_HAND_OF)[jnp.clip(card, 0, len(_HAND_OF) - 1)]
        hand = jnp.where(card < len(_HAND_OF), hand, -1)
        levels.append(level + ((jnp.arange(len(HANDS)) == hand) | (card == _BLACK_HOLE)))
    # The fifth place of a shop is always free: it tells what a level of the hand played most is worth.
    favourite = jnp.arange(len(HANDS)) == jnp.argmax(seen.scoring.poker_hands.played)
    levels[OFFERS] = levels[OFFERS] + (favourite & ~what.there[OFFERS - 1])
    for place in range(REMOVALS):
        sets.append(_without(now, jnp.int32(place)))
        levels.append(level)
    jokers: Jokers = jax.tree.map(lambda *values: jnp.stack(values), *sets)
    jokers = jax.vmap(lambda one: _sorted(_ahead(one, horizon, priors), priors))(jokers)
    return jokers, jnp.stack(levels).astype(level.dtype)


def move_of(number: Array, count: Array) -> tuple[Array, Array]:
    """What a variant of the order moves: joker, and where to; the first ones to the right end. -> int32[] each"""
    right = number <= MOVES
    joker = jnp.where(right, number - 1, number - 1 - MOVES)
    return joker, jnp.where(right, jnp.maximum(count - 1, 0), 0)


def move_variants(seen: Seen, priors: Priors) -> tuple[Jokers, Array]:
    """As it is, and with one of the first five jokers at the right or the left end. -> as `shop_variants`"""
    now = _ahead(eight_jokers(seen.scoring.jokers), jnp.float32(0), priors)
    level = seen.scoring.poker_hands.level
    count, places = jnp.minimum(jnp.sum(now.id > 0), JOKERS), jnp.arange(JOKERS)

    def variant(number: Array) -> Jokers:
        joker, to = move_of(number, count)
        moves = (number > 0) & (joker < count) & (number <= 2 * MOVES)
        key = jnp.where(moves & (places == joker), jnp.where(to == 0, -1, 2 * to + 1), 2 * places)
        return _by_key(now, key)

    return jax.vmap(variant)(jnp.arange(VARIANTS)), jnp.broadcast_to(level, (VARIANTS, *level.shape))


def strength_variants(state: State, jokers: Jokers, level: Array, priors: Priors) -> Variants:
    """Variants of what is owned, each with the same sampled hands of the full deck.

    The cards are drawn with a key of the round alone, so all decisions of a shop agree.
    """
    deck = state.deck.cards
    key = jax.random.fold_in(jax.random.PRNGKey(0), state.run.round)
    places = draw(key, deck.rank > 0, SAMPLES, PLACES)
    size = hand_size(state, EVENTS)
    places = jnp.where(jnp.arange(PLACES) < size + priors.number["choice"], places, deck.rank.shape[0])
    cards = Cards(*(row(getattr(deck, name), places) for name in Cards.__dataclass_fields__))
    cards = replace(cards, debuffed=jnp.zeros_like(cards.debuffed))
    number = jnp.arange(SAMPLES)
    hands, discards = hands_per_round(state, EVENTS), discards_per_round(state, EVENTS)
    nth = number % jnp.maximum(hands, 1)
    shape = (VARIANTS, SAMPLES)
    left = jnp.where(number % 4 == 0, jnp.maximum(discards - 1, 0), 0)
    spread = lambda values: jnp.broadcast_to(values, (VARIANTS, *values.shape))  # noqa: E731
    return Variants(
        jokers=jokers,
        level=level,
        hand=jax.tree.map(spread, cards),
        held=jnp.maximum(size - 4, 0).astype(jnp.int32),
        hands_left=jnp.broadcast_to(hands - 1 - nth, shape).astype(jnp.int32),
        discards_left=jnp.broadcast_to(left, shape).astype(jnp.int32),
        hands_played=jnp.broadcast_to(number, shape).astype(jnp.int32),
        earlier=jnp.broadcast_to(
            (nth > 1).astype(jnp.int32)[:, None], (VARIANTS, SAMPLES, len(HANDS))
        ),
    )  # fmt: skip


def between_rounds(scoring: ScoringState, state: State) -> ScoringState:
    """What scores depend on in a coming round: no boss, a draw pile without a hand and some discards."""
    hands = scoring.poker_hands
    return replace(
        scoring,
        boss=jnp.zeros_like(scoring.boss),
        poker_hands=replace(hands, played_this_round=jnp.zeros_like(hands.played_this_round)),
        hands_played_this_round=jnp.ones_like(scoring.hands_played_this_round),
        cards_in_draw_pile=jnp.maximum(scoring.deck_size - 2 * hand_size(state, EVENTS), 0),
        eye_used=jnp.zeros_like(scoring.eye_used),
        mouth_hand=jnp.full_like(scoring.mouth_hand, -1),
    )


# --- decisions ----------------------------------------------------------------------------------------------


def strengths(totals: Array) -> Array:
    """Between the mean log of the best plays and the log of their mean. float64[V, S] -> float32[V]"""
    totals = jnp.maximum(totals, 1.0)
    logs, mean = jnp.mean(jnp.log(totals), axis=1), jnp.log(jnp.mean(totals, axis=1))
    return ((logs + mean) / 2).astype(jnp.float32)


def dollar_worth(state: State, strength: Array, priors: Priors) -> Array:
    """What a dollar is worth now, in logs of the score: little when the run is about to be lost or won. -> float32[]"""
    number = priors.number
    boss = state.blinds.boss.astype(jnp.int32)
    goal = run_rules.target(state.rules, state.run.ante, boss, state.run.blind_scale)
    margin = strength + jnp.log(number["hands"]) - jnp.log(jnp.maximum(goal, 1.0)).astype(jnp.float32)
    margin -= jnp.asarray(priors.boss)[boss]
    safe = 2.0 * jax.nn.sigmoid((margin - number["margin_mid"]) / number["margin_scale"])
    rich = number["rich"]
    safe = safe * jnp.minimum((rounds_left(state) + 0.3) / number["ending"], 1.0)
    return number["price"] * safe * rich / jnp.maximum(state.run.money.astype(jnp.float32), rich)


def _cost(state: State, price: Array, worth: Array, priors: Priors) -> Array:
    """What paying costs, interest that is lost included. -> float32[N]"""
    cap = interest_cap(state)
    interest = lambda money: jnp.clip(money, 0, cap) // _INTEREST_STEP  # noqa: E731
    lost = interest(state.run.money) - interest(state.run.money - price)
    return worth * (price.astype(jnp.float32) + priors.number["interest"] * lost.astype(jnp.float32))


def _beside(ids: Array, state: State, worth: Array, priors: Priors) -> Array:
    """Worth of jokers beside what is simulated: prior and income. -> float32[N]"""
    number, ids = priors.number, ids.astype(jnp.int32)
    rounds = jnp.minimum(rounds_left(state), number["rounds"])
    return (
        jnp.asarray(priors.joker)[ids] + jnp.asarray(priors.money)[ids] * rounds * worth * number["economy"]
    )


def shop_action(state: State, legal: Legal, totals: Array, what: Offered, priors: Priors) -> Action:
    """The best purchase, sale, pick or reroll, else what leads on."""
    number: dict[str, Any] = priors.number
    strength = strengths(totals)
    worth = dollar_worth(state, strength[0], priors)
    in_pack = state.phase == Phase.PACK
    gain = strength[1 : 1 + OFFERS] - strength[0]
    offers, ids = what.offers, what.offers.id.astype(jnp.int32)
    free = free_joker_slots(state) > 0

    # The weakest joker that could be sold for a better one.
    owned = state.jokers
    loss = jnp.full(owned.id.shape, 0.0, jnp.float32).at[:REMOVALS].set(strength[0] - strength[1 + OFFERS :])
    keep = loss + _beside(owned.id, state, worth, priors) + number["negative"] * (owned.edition == NEGATIVE)
    sale = joker_sell_values(state).astype(jnp.float32) * worth * number["sold"]
    keep = jnp.where(legal.slot[Kind.SELL_JOKER, : owned.id.shape[0]], keep - sale, -_NEVER)
    keep = jnp.where(jnp.arange(owned.id.shape[0]) < REMOVALS, keep, -_NEVER)
    weakest = jnp.argmin(keep)

    # Offers: jokers, planets, other consumables, playing cards.
    beside = _beside(jnp.where(what.joker, ids, 0), state, worth, priors)
    beside += number["negative"] * (offers.edition == NEGATIVE) + number["rental"] * offers.rental
    beside += number["perishable"] * offers.perishable
    as_joker = gain + beside
    consumable = is_consumable(offers.id)
    other = jax.vmap(lambda card: worth_of(state, card, worth, priors))(jnp.where(consumable, ids, 0))
    share = jnp.where(in_pack, 1.0, number["shop_tarot"])
    as_consumable = jnp.maximum(gain, 0.0) * number["planet"] + other * share
    suits = suit_counts(state)
    front_suit = jnp.asarray(FRONT_SUIT)[jnp.maximum(offers.front, 0).astype(jnp.int32)]
    common = suits[front_suit.astype(jnp.int32)] >= jnp.max(suits)
    extras = (offers.enhancement > 0) * 1.0 + (offers.edition > 0) + (offers.seal > 0)
    as_card = 0.08 * extras + 0.02 * common - 0.01
    value = jnp.where(what.joker, as_joker, jnp.where(consumable, as_consumable, as_card))
    value = jnp.where(what.there, value, _NEVER)
    needs_slot = what.joker & ~free & (offers.edition != NEGATIVE)
    value_swap = value - keep[weakest] - number["swap"]
    cost = _cost(state, what.price, worth, priors)
    money = credit(state, EVENTS)

    buy_direct = legal.slot[Kind.BUY_AND_USE, :OFFERS] & (legal.max_cards[Kind.BUY_AND_USE, :OFFERS] == 0)
    buy = legal.slot[Kind.BUY_CARD, :OFFERS] | buy_direct
    cards, sensible = pack_targets(state, legal)
    pick = legal.slot[Kind.PICK, :OFFERS] & sensible
    take = jnp.where(in_pack, pick, buy)
    sell_dollars = joker_sell_values(state)[weakest]
    swap = needs_slot & what.there & (what.price <= money + sell_dollars) & (keep[weakest] < -_NEVER)
    worth_offer = jnp.where(take, value - cost, jnp.where(swap, value_swap - cost, _NEVER))
    best_offer = jnp.argmax(worth_offer)
    kind = jnp.where(buy_direct[best_offer], Kind.BUY_AND_USE, Kind.BUY_CARD)
    kind = jnp.where(in_pack, Kind.PICK, kind)
    targets = jnp.where(in_pack, cards[best_offer], False)
    get = simple_action(kind, best_offer, targets)
    action = choose(take[best_offer], get, simple_action(Kind.SELL_JOKER, weakest))

    # Packs, vouchers, rerolls.
    packs = state.shop.packs.astype(jnp.int32)
    pack_worth = jnp.asarray(priors.pack)[packs]
    pack_worth *= jnp.where(jnp.asarray(_BUFFOON)[packs] & ~free, number["full_packs"], 1.0)
    a_level = jnp.maximum(gain[OFFERS - 1], 0.0) * jnp.where(
        has_voucher(state, "v_telescope"), number["telescope"], number["celestial"]
    )
    pack_worth *= jnp.where(jnp.asarray(_CELESTIAL)[packs], a_level, 1.0)
    pack_worth -= _cost(state, pack_prices(state, EVENTS), worth, priors)
    pack_worth = jnp.where(legal.slot[Kind.BUY_PACK, : packs.shape[0]], pack_worth, _NEVER)
    vouchers = state.shop.vouchers.astype(jnp.int32)
    voucher_cost = _cost(state, voucher_price(state)[None], worth, priors)
    voucher_worth = jnp.asarray(priors.item)[vouchers] - voucher_cost
    voucher_worth = jnp.where(legal.slot[Kind.BUY_VOUCHER, : vouchers.shape[0]], voucher_worth, _NEVER)
    price = reroll_price(state)
    reroll = jnp.where(free, number["reroll_free"], number["reroll_full"])
    reroll = reroll - _cost(state, price[None], worth, priors)[0]
    enough = (state.run.money - price >= number["reroll_keep"]) | (price == 0)
    reroll = jnp.where(legal.kind[Kind.REROLL] & enough & ~in_pack, reroll, _NEVER)

    options = (
        (worth_offer[best_offer], action),
        (jnp.max(pack_worth), simple_action(Kind.BUY_PACK, jnp.argmax(pack_worth))),
        (jnp.max(voucher_worth), simple_action(Kind.BUY_VOUCHER, jnp.argmax(voucher_worth))),
        (reroll, simple_action(Kind.REROLL)),
    )
    best, chosen = jnp.float32(0), simple_action(jnp.where(in_pack, Kind.SKIP_PACK, Kind.NEXT_ROUND))
    for value_of, option in options:
        chosen = choose(value_of > best, option, chosen)
        best = jnp.maximum(best, value_of)
    return chosen


def move_action(state: State, totals: Array, priors: Priors, otherwise: Action) -> Action:
    """A move that makes the jokers stronger, if there is one."""
    strength = strengths(totals)
    number = jnp.argmax(strength)
    joker, to = move_of(number, joker_count(state.jokers))
    better = strength[number] > strength[0] + priors.number["move_gain"]
    pinned = jnp.any(state.jokers.pinned & (state.jokers.id > 0))
    move = replace(simple_action(Kind.MOVE_JOKER, joker), to=to.astype(jnp.int32))
    return choose(better & ~pinned & (joker_count(state.jokers) <= JOKERS), move, otherwise)


def order_matters(state: State, priors: Priors) -> Array:
    """Whether the places of the jokers can change the score. -> bool[]"""
    ids = state.jokers.id.astype(jnp.int32)
    multiplies = jnp.asarray(priors.multiplies)[ids] | (state.jokers.edition == _POLYCHROME)
    multiplies |= jnp.asarray(_COPIER)[ids] > 0
    return jnp.any(multiplies & (ids > 0)) & (joker_count(state.jokers) > 1)
