"""A state of the run in plain data, field by field as the trace format trace_v1 writes it."""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from jaxtro.env import joker_events as ev
from jaxtro.env import owned
from jaxtro.env.phases.round_end import interest_cap
from jaxtro.env.phases.shop import reroll_price
from jaxtro.env.scoring.book import BOOK, JokerBook
from jaxtro.env.scoring.card_features import RANKS
from jaxtro.env.state import BlindStatus, Phase, State
from jaxtro.tables import (
    BLINDS,
    EDITIONS,
    ENHANCEMENTS,
    HANDS,
    ITEMS,
    JOKERS,
    PACKS,
    SEALS,
    TAGS,
    VOUCHERS,
)
from jaxtro.tables.pools import FRONTS, SUITS

ON_DECK = ("Small", "Big", "Boss")
_STATUS = {
    BlindStatus.UPCOMING: "Upcoming", BlindStatus.SELECT: "Select", BlindStatus.CURRENT: "Current",
    BlindStatus.SKIPPED: "Skipped", BlindStatus.DEFEATED: "Defeated",
}  # fmt: skip
_ROUND_PHASES = ("SELECTING_HAND", "ROUND_EVAL", "GAME_OVER")
# Where the number that a joker stores stands among the game's ability values, by joker or by kind of number;
# and the value that is left out.
_NUM_OF_JOKER = {
    "j_runner": "extra.chips", "j_square": "extra.chips", "j_wee": "extra.chips", "j_castle": "extra.chips",
    "j_ice_cream": "extra.chips", "j_selzer": "extra", "j_rocket": "extra.dollars", "j_turtle_bean": "extra.h_size",
    "j_invisible": "invis_rounds", "j_caino": "caino_xmult", "j_loyalty_card": "hands_played_at_create",
    "j_todo_list": "to_do_poker_hand",
}  # fmt: skip
_NUM_OF_STATE = {"mult": ("mult", 0.0), "xmult": ("x_mult", 1.0)}
YORICK = "j_yorick"


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Derived:
    """Facts of a state that a trace writes down and the run computes: limits, prices, sell values.

    Attributes:
      hand_size, joker_slots, consumable_slots: int32[], limits with all that adds to them.
      joker_sells: int32[16], consumable_sells: int32[16], dollars by place.
      card_prices: int32[4], of the shop's cards. pack_card_prices: int32[5], that cards of the open pack would cost.
      pack_prices: int32[4]. voucher_price, reroll_price: int32[].
      interest_cap: int32[], dollars of interest at most. probability: float64[], what chances are multiplied with.
      exists: uint8[235], by item id: how many cards of it there are, as `generation.Situation` counts them.
    """

    hand_size: jax.Array
    joker_slots: jax.Array
    consumable_slots: jax.Array
    joker_sells: jax.Array
    consumable_sells: jax.Array
    card_prices: jax.Array
    pack_card_prices: jax.Array
    pack_prices: jax.Array
    voucher_price: jax.Array
    reroll_price: jax.Array
    interest_cap: jax.Array
    probability: jax.Array
    exists: jax.Array


def derive(state: State, book: JokerBook = BOOK) -> Derived:
    """Computes the derived facts."""
    events = ev.events_of(book)
    return Derived(
        hand_size=owned.hand_size(state, events),
        joker_slots=owned.joker_slots(state),
        consumable_slots=owned.consumable_slots(state),
        joker_sells=owned.joker_sell_values(state),
        consumable_sells=owned.consumable_sell_values(state, events),
        card_prices=owned.offer_prices(state, events, state.shop.cards),
        pack_card_prices=owned.offer_prices(state, events, state.pack.cards),
        pack_prices=owned.pack_prices(state, events),
        voucher_price=owned.voucher_price(state),
        reroll_price=reroll_price(state),
        interest_cap=interest_cap(state),
        probability=ev.probability(book, state.jokers),
        exists=owned.situation(state, events).exists,
    )


def short(kind: Any, number: Any) -> str:
    """The short name of an enhancement, edition or seal."""
    key = kind.keys[number]
    return key.split("_", 1)[1] if "_" in key else key.lower()


def num_name(key: str) -> tuple[str, float] | None:
    """Name and left-out value of the number that a joker stores, None if it stores none."""
    if key in _NUM_OF_JOKER:
        return _NUM_OF_JOKER[key], 0.0
    state = BOOK.state_name(JOKERS.find(key))
    return _NUM_OF_STATE.get(state or "")


def _stored(key: str, stored: Any) -> Any:
    return HANDS.keys[int(stored)] if key == "j_todo_list" else float(stored)


def card_view(deck: Any, place: int) -> dict[str, Any]:
    """A playing card: `c` and what is special about it."""
    cards = deck.cards
    view: dict[str, Any] = {"c": f"{SUITS[cards.suit[place]]}_{RANKS[cards.rank[place] - 2]}"}
    for name, kind, values in (
        ("enh", ENHANCEMENTS, cards.enhancement), ("ed", EDITIONS, cards.edition), ("seal", SEALS, cards.seal),
    ):  # fmt: skip
        if values[place]:
            view[name] = short(kind, values[place])
    if cards.bonus[place]:
        view["perma"] = int(cards.bonus[place])
    if cards.debuffed[place]:
        view["debuff"] = True
    return view


def offer_view(offers: Any, place: int) -> dict[str, Any] | None:
    """Something on offer, None for an empty place."""
    front, number = int(offers.front[place]), int(offers.id[place])
    if front < 0 and number == 0:
        return None
    view: dict[str, Any] = {"c": FRONTS[front]} if front >= 0 else {"key": ITEMS.keys[number]}
    for name, kind, values in (
        ("enh", ENHANCEMENTS, offers.enhancement), ("ed", EDITIONS, offers.edition), ("seal", SEALS, offers.seal),
    ):  # fmt: skip
        if values[place]:
            view[name] = short(kind, values[place])
    for name, values in (("eternal", offers.eternal), ("rental", offers.rental)):
        if values[place]:
            view[name] = True
    if offers.perishable[place]:
        view["perish"] = owned.PERISH_ROUNDS
    if number and number < len(JOKERS.keys) and num_name(view["key"]) is not None:
        name, empty = num_name(view["key"])  # type: ignore[misc]
        value = _stored(view["key"], offers.stored[place])
        view["num"] = {name: value} if value != empty else {}
    return view


def _jokers(state: State, sells: np.ndarray) -> list[dict[str, Any]]:
    jokers, views = state.jokers, []
    for place in range(int(np.sum(jokers.id > 0))):
        key = JOKERS.keys[jokers.id[place]]
        view: dict[str, Any] = {"key": key, "sell": int(sells[place])}
        if jokers.edition[place]:
            view["ed"] = short(EDITIONS, jokers.edition[place])
        flags = (
            ("eternal", jokers.eternal), ("rental", jokers.rental), ("pinned", jokers.pinned),
            ("debuff", jokers.debuffed), ("down", jokers.face_down),
        )  # fmt: skip
        view |= {name: True for name, values in flags if values[place]}
        if jokers.perish[place] >= 0:
            view["perish"] = int(jokers.perish[place])
        num: dict[str, Any] = {}
        named = num_name(key)
        if named and named[0]:
            value = _stored(key, jokers.stored[place])
            if value != named[1]:
                num[named[0]] = value
        if key == YORICK:
            num["yorick_discards"] = int(jokers.counter[place])
        if jokers.sell_bonus[place]:
            num["extra_value"] = int(jokers.sell_bonus[place])
        view["num"] = num
        views.append(view)
    return views


def state_view(state: State, derived: Any) -> dict[str, Any]:
    """Every field of state_v1 that the run has.

    Args:
      state: of one game, as numpy arrays.
      derived: limits, prices and the like.
    """
    phase = Phase(int(state.phase)).name
    run, now, deck, piles = state.run, state.round, state.deck, state.piles
    in_round = phase in _ROUND_PHASES
    playing = phase == "SELECTING_HAND"
    number = lambda value, when=in_round: _number(value) if when else None  # noqa: E731
    boss_screen = phase in ("BLIND_SELECT", "SELECTING_HAND")
    on_deck = int(state.blinds.on_deck)
    blinds = {}
    for which, name in enumerate(ON_DECK):
        key = ("bl_small", "bl_big", BLINDS.keys[int(state.blinds.boss)])[which]
        tag = TAGS.keys[int(state.blinds.tags[which])] if which < 2 else None
        blinds[name] = {
            "key": key,
            "status": _STATUS[BlindStatus(int(state.blinds.status[which]))],
            "tag": tag,
        }
    hand = []
    for place in piles.hand[: int(piles.n_hand)]:
        view = card_view(deck, place)
        if deck.face_down[place]:
            view["down"] = True
        if place == now.forced:
            view["forced"] = True
        hand.append(view)
    in_shop = phase == "SHOP" or (phase == "PACK" and not bool(state.pack.by_tag))
    owned = state.consumables
    consumables = []
    for place in range(int(np.sum(owned.id > 0))):
        view = {"key": ITEMS.keys[owned.id[place]], "sell": int(derived.consumable_sells[place])}
        if owned.negative[place]:
            view["ed"] = "negative"
        consumables.append(view)
    levels = {}
    for number_of, name in enumerate(HANDS.keys):
        row, level = HANDS.row(number_of), int(state.poker_hands.level[number_of])
        levels[name] = [
            level,
            int(state.poker_hands.played[number_of]),
            int(state.poker_hands.played_this_round[number_of]),
            row["base_chips"] + row["chips_per_level"] * (level - 1),
            row["base_mult"] + row["mult_per_level"] * (level - 1),
        ]
    return {
        "phase": phase,
        "ante": int(run.ante),
        "round": int(run.round),
        "money": int(run.money),
        "won": bool(run.won),
        "chips": number(now.chips),
        "hands_left": number(now.hands_left),
        "discards_left": number(now.discards_left),
        "hands_played": number(now.hands_played),
        "discards_used": number(now.discards_used),
        "hand_size": int(derived.hand_size),
        "joker_slots": int(derived.joker_slots),
        "consumable_slots": int(derived.consumable_slots),
        "blind": {
            "on_deck": ON_DECK[on_deck] if boss_screen or phase == "GAME_OVER" else None,
            "key": BLINDS.keys[int(now.blind)] if playing else None,
            "name": BLINDS.names[int(now.blind)] if playing else None,
            "target": number(now.target, playing),
            "disabled": bool(now.disabled) if playing else None,
        },
        "blinds": blinds if boss_screen else None,
        "hand": hand,
        "deck": [card_view(deck, place) for place in piles.draw[: int(piles.n_draw)][::-1]],
        "discard": [card_view(deck, place) for place in piles.discard[: int(piles.n_discard)]],
        "jokers": _jokers(state, derived.joker_sells),
        "consumables": consumables,
        "shop": _shop(state, derived) if in_shop else None,
        "pack": _pack(state, derived) if phase == "PACK" else None,
        "tags": [TAGS.keys[tag] for tag in state.tags if tag],
        "levels": levels,
        "vouchers": sorted(VOUCHERS.keys[n] for n in np.flatnonzero(run.redeemed)),
        "last_tarot_planet": ITEMS.keys[int(run.last_tarot_planet)] or None,
        "targets": {
            "idol": f"{SUITS[int(state.targets.idol_suit)]}_{RANKS[int(state.targets.idol_rank) - 2]}",
            "mail": RANKS[int(state.targets.mail_rank) - 2],
            "ancient": SUITS[int(state.targets.ancient_suit)],
            "castle": SUITS[int(state.targets.castle_suit)],
        },
        "counters": {
            "skips": int(run.skips),
            "hands_played": int(run.hands_played),
            "unused_discards": int(run.unused_discards),
            "interest_cap": int(derived.interest_cap),
            "next_voucher": ITEMS.keys[int(run.next_voucher)] or None,
        },
        "probability": float(derived.probability),
        "bosses_used": {BLINDS.keys[n]: int(count) for n, count in enumerate(run.bosses_used) if count},
    }


def _number(value: Any) -> int | float:
    number = float(value)
    return int(number) if number.is_integer() else number


def _shop(state: State, derived: Any) -> dict[str, Any]:
    shop = state.shop
    cards = []
    for place in range(len(shop.cards.id)):
        view = offer_view(shop.cards, place)
        if view is not None:
            cards.append(view | {"cost": int(derived.card_prices[place])})
    price = int(derived.voucher_price)
    return {
        "cards": cards,
        "vouchers": [{"key": ITEMS.keys[voucher], "cost": price} for voucher in shop.vouchers if voucher],
        "packs": [
            {"key": PACKS.keys[pack], "cost": int(derived.pack_prices[place])}
            for place, pack in enumerate(shop.packs)
            if pack
        ],
        "reroll_cost": int(derived.reroll_price),
        "free_rerolls": int(shop.free_rerolls),
    }


def _pack(state: State, derived: Any) -> dict[str, Any]:
    cards, views = state.pack.cards, []
    for place in range(len(cards.id)):
        view = offer_view(cards, place)
        if view is not None:
            views.append(view if "c" in view else view | {"cost": int(derived.pack_card_prices[place])})
    return {"choices_left": int(state.pack.picks_left), "cards": views}


def one_game(states: Any, number: int) -> Any:
    """The state of one game of a batch."""
    return jax.tree.map(lambda values: np.asarray(values)[number], states)
