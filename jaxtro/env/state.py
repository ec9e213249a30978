"""The parts of a run that lie on the table, as pytrees of fixed shape."""

from dataclasses import dataclass
from enum import IntEnum

import jax
import numpy as np
from jax import Array

from jaxtro.env import rng
from jaxtro.env.generation.rules import RunRules
from jaxtro.env.lookups import rows_at
from jaxtro.tables import HANDS

HAND_CAPACITY, JOKER_CAPACITY, CONSUMABLE_CAPACITY = 32, 16, 16


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Cards:
    """Playing cards of one area, left to right; places after the last card are empty.

    Attributes:
      rank: int8[N], 2..10, 11 jack, 12 queen, 13 king, 14 ace; 0 = no card. A Stone card keeps its rank here.
      suit: int8[N], 0 clubs, 1 diamonds, 2 hearts, 3 spades.
      enhancement, edition, seal: int8[N], ids of the tables, 0 = none.
      bonus: int32[N], chips gained for good (Hiker).
      debuffed: bool[N].
    """

    rank: Array
    suit: Array
    enhancement: Array
    edition: Array
    seal: Array
    bonus: Array
    debuffed: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Jokers:
    """The player's jokers, left to right; places after the last one are empty.

    Attributes:
      id: int16[J], id of `tables.JOKERS`, 0 = none.
      edition: int8[J].
      debuffed: bool[J].
      sell: int32[J], sell value in dollars.
      stored: float64[J], the number that the joker keeps; what it means is `scoring.state` of its row in
        `tables.JOKERS` (mult, chips, xmult, uses ...), for To Do List the id of the listed poker hand.
    """

    id: Array
    edition: Array
    debuffed: Array
    sell: Array
    stored: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PokerHands:
    """Levels and counters of the 12 poker hands, in the order of `tables.HANDS`.

    Attributes:
      level: int32[12]. played, played_this_round: int32[12]. visible: bool[12], listed in the run info.
    """

    level: Array
    played: Array
    played_this_round: Array
    visible: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ScoringState:
    """All that the score of a hand depends on. Scalars are int32 where nothing else is said.

    Attributes:
      hand: `Cards` with `HAND_CAPACITY` places. jokers: `Jokers`. poker_hands: `PokerHands`.
      consumables: int16[C], item ids, 0 = none.
      boss: id of the blind in `tables.BLINDS`, 0 when none is fought or its effect is switched off.
      money: dollars held before the hand.
      hands_left: hands left after this one is played. discards_left.
      hands_played_this_round, hands_played: without this hand.
      deck_size: cards of the full deck. starting_deck_size: at the start of the run.
      cards_in_draw_pile.
      steel_in_deck, stone_in_deck, enhanced_in_deck: cards of the full deck before the hand.
      tarots_used, blinds_skipped: in this run.
      target_suit: Ancient Joker's. idol_rank, idol_suit: The Idol's card.
      most_played: poker hand that The Ox looks for. -1 = none
      eye_used: bool[12], poker hands that The Eye has seen. mouth_hand: that The Mouth allows, -1 = any.
      consumable_slots, joker_slots: limits, with those that negative cards add.
      plasma, observatory: bool, Plasma Deck and the voucher Observatory.
      debuffed_if_changed: bool[H], cards of the hand that the boss would debuff as soon as their enhancement is
        changed (Vampire, Midas Mask): debuffs of a card are found anew then (run.md 10).
      chips_cap: float64, chips of a hand never exceed it (challenge Rich get Richer); inf = no cap.
      streams: the random streams; those of `SCORING_STREAMS` must have been started.
    """

    hand: Cards
    jokers: Jokers
    poker_hands: PokerHands
    consumables: Array
    boss: Array
    money: Array
    hands_left: Array
    discards_left: Array
    hands_played_this_round: Array
    hands_played: Array
    deck_size: Array
    starting_deck_size: Array
    cards_in_draw_pile: Array
    steel_in_deck: Array
    stone_in_deck: Array
    enhanced_in_deck: Array
    tarots_used: Array
    blinds_skipped: Array
    target_suit: Array
    idol_rank: Array
    idol_suit: Array
    most_played: Array
    eye_used: Array
    mouth_hand: Array
    consumable_slots: Array
    joker_slots: Array
    plasma: Array
    observatory: Array
    debuffed_if_changed: Array
    chips_cap: Array
    streams: rng.Streams


def no_cards(places: int) -> Cards:
    """An empty area, as numpy arrays."""
    small = {name: np.zeros(places, np.int8) for name in ("rank", "suit", "enhancement", "edition", "seal")}
    return Cards(**small, bonus=np.zeros(places, np.int32), debuffed=np.zeros(places, bool))  # type: ignore[arg-type]


def no_jokers(places: int) -> Jokers:
    """No jokers, as numpy arrays."""
    return Jokers(
        id=np.zeros(places, np.int16),  # type: ignore[arg-type]
        edition=np.zeros(places, np.int8),  # type: ignore[arg-type]
        debuffed=np.zeros(places, bool),  # type: ignore[arg-type]
        sell=np.zeros(places, np.int32),  # type: ignore[arg-type]
        stored=np.zeros(places, np.float64),  # type: ignore[arg-type]
    )


def fresh_poker_hands() -> PokerHands:
    """Every poker hand at level 1 and never played; the secret ones not visible."""
    zeros = np.zeros(len(HANDS), np.int32)
    visible = np.array([not row["secret"] for row in HANDS.rows])
    return PokerHands(level=zeros + 1, played=zeros, played_this_round=zeros.copy(), visible=visible)  # type: ignore[arg-type]


def take(cards: Cards, places: Array) -> Cards:
    """The cards at some places."""
    return rows_at(cards, places)


# --- the whole run --------------------------------------------------------------------------------------

DECK_CAPACITY, TAG_CAPACITY = 128, 16
SHOP_SLOTS, SHOP_VOUCHERS, SHOP_PACKS, PACK_CARDS = 4, 6, 4, 5
TARGETS_KEPT = 3  # antes whose Orbital hands are kept


class Phase(IntEnum):
    """What the player is asked (trace_v1: the same names)."""

    BLIND_SELECT = 0
    SELECTING_HAND = 1
    ROUND_EVAL = 2
    SHOP = 3
    PACK = 4
    GAME_OVER = 5


class BlindStatus(IntEnum):
    """State of the Small, Big or Boss Blind of the ante."""

    UPCOMING = 0
    SELECT = 1
    CURRENT = 2
    SKIPPED = 3
    DEFEATED = 4


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Deck:
    """Every playing card of the run in creation order; a destroyed card's place closes up.

    Attributes:
      cards: `Cards` with `DECK_CAPACITY` places.
      printed_suit: int8[D], the suit at creation; breaks ties when the hand is sorted.
      played_this_ante: bool[D], was in a play area this ante (The Pillar).
      face_down: bool[D]. debuffed_for_good: bool[D], played cards of Double or Nothing.
      number: int16[D], creation number, rising; random picks and shuffles walk the cards in this order.
    """

    cards: Cards
    printed_suit: Array
    played_this_ante: Array
    face_down: Array
    debuffed_for_good: Array
    number: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Piles:
    """Where the cards are: lists of places in `Deck`, -1 after the last one.

    Attributes:
      draw: int8[D], bottom to top; cards are dealt from the end. n_draw: int32[].
      hand: int8[H], left to right. n_hand: int32[].
      discard: int8[D], oldest first. n_discard: int32[].
    """

    draw: Array
    n_draw: Array
    hand: Array
    n_hand: Array
    discard: Array
    n_discard: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class OwnedJokers:
    """The player's jokers, left to right; id 0 after the last one.

    Attributes:
      id: int16[J], of `tables.JOKERS`. edition: int8[J].
      stored: float64[J], as in `Jokers`. counter: int32[J], Yorick's cards until the next gain.
      sell_bonus: int32[J], dollars that Egg and Gift Card added to the sell value.
      eternal, rental, pinned, face_down: bool[J].
      perish: int8[J], rounds until the joker perishes, 0 = perished, -1 = does not perish.
      debuffed: bool[J], perished, or by Crimson Heart.
      number: int16[J], creation number: random picks walk the jokers in this order.
    """

    id: Array
    edition: Array
    stored: Array
    counter: Array
    sell_bonus: Array
    eternal: Array
    rental: Array
    pinned: Array
    face_down: Array
    perish: Array
    debuffed: Array
    number: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class OwnedConsumables:
    """The player's consumables, left to right; id 0 after the last one.

    Attributes:
      id: int16[C], of `tables.ITEMS`. negative: bool[C], has its own slot (Perkeo).
      sell_bonus: int32[C], Gift Card's dollars. number: int16[C], creation number.
    """

    id: Array
    negative: Array
    sell_bonus: Array
    number: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Offers:
    """Cards in the shop or in an open pack; places without an offer have id 0 and front -1.

    Attributes:
      id: int16[N], of `tables.ITEMS`, 0 for a playing card. front: int8[N], of `pools.FRONTS`, -1 for an item.
      enhancement, edition, seal: int8[N]. eternal, perishable, rental: bool[N].
      stored: float64[N], what a joker's number starts with. free: bool[N], costs nothing (tags).
      number: int16[N], creation number: a card has it from the moment that it is offered.
    """

    id: Array
    front: Array
    enhancement: Array
    edition: Array
    seal: Array
    eternal: Array
    perishable: Array
    rental: Array
    stored: Array
    free: Array
    number: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Shop:
    """The shop; empty outside of the phases SHOP and PACK.

    Attributes:
      cards: `Offers` with 4 places.
      vouchers: int16[6], item ids: that of the ante, then those of Voucher Tags; 0 = none.
      packs: int8[4], pack ids, 0 = none (a shop opens with two). packs_free: bool[4], by a Coupon Tag.
      rerolls_paid: int32[], in this round: each makes the next one dearer by $1.
      free_rerolls: int32[], left (Chaos the Clown). reroll_base_free: bool[], D6 Tag.
    """

    cards: Offers
    vouchers: Array
    packs: Array
    packs_free: Array
    rerolls_paid: Array
    free_rerolls: Array
    reroll_base_free: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Pack:
    """The open booster pack; id 0 = none.

    Attributes:
      id: int8[], of `tables.PACKS`. by_tag: bool[], opened in blind select.
      picks_left: int32[]. cards: `Offers` with 5 places.
    """

    id: Array
    by_tag: Array
    picks_left: Array
    cards: Offers


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Blinds:
    """The three blinds of the ante.

    Attributes:
      on_deck: int8[], 0 Small, 1 Big, 2 Boss: the next one, or the one being fought.
      status: int8[3], `BlindStatus`. boss: int8[], of `tables.BLINDS`. tags: int8[2], for skipping Small, Big.
    """

    on_deck: Array
    status: Array
    boss: Array
    tags: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Round:
    """The blind that is or was last fought.

    Attributes:
      blind: int8[], of `tables.BLINDS`, 0 when none is fought. disabled: bool[], its effect is off.
      target, chips: float64[].
      hands_left, discards_left, hands_played, discards_used: int32[].
      hands_taken, discards_taken: int32[], by The Needle and The Water, given back when they are disabled.
      hand_size_bonus: int32[], of Juggle Tags.
      eye_used: bool[12]. mouth_hand: int8[], -1 = any. last_hand: int8[], poker hand last played, -1 = none.
      fish_armed, heart_armed: bool[], The Fish and Crimson Heart act at the next draw.
      forced: int8[], place in the deck of the card that Cerulean Bell holds selected, -1 = none.
      payout: int32[], dollars of the coming cash-out.
    """

    blind: Array
    disabled: Array
    target: Array
    chips: Array
    hands_left: Array
    discards_left: Array
    hands_played: Array
    discards_used: Array
    hands_taken: Array
    discards_taken: Array
    hand_size_bonus: Array
    eye_used: Array
    mouth_hand: Array
    last_hand: Array
    fish_armed: Array
    heart_armed: Array
    forced: Array
    payout: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Targets:
    """What jokers ask for this round: The Idol's card, Mail-In Rebate's rank, suits of Ancient and Castle.

    All int8[]; ranks 2..14, suits as in `Cards`.
    """

    idol_rank: Array
    idol_suit: Array
    mail_rank: Array
    ancient_suit: Array
    castle_suit: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Run:
    """Numbers of the whole run.

    Attributes:
      ante, round, money: int32[]; round counts the blinds selected. won: bool[].
      skips, hands_played, unused_discards, tarots_used: int32[], counters of the run.
      planets_used: bool[12], by poker hand. last_tarot_planet: int16[], item id, what The Fool copies.
      hands, discards, hand_size, joker_slots, consumable_slots: int32[], limits without what jokers add.
      redeemed: bool[33], vouchers. replaced: bool[33], second-tier vouchers whose number a first-tier one has set back:
        only debug tools can redeem the first one later.
      next_voucher: int16[], item id, on offer this ante, 0 = redeemed.
      inflation: int32[], dollars on every price. ectoplasm_cost: int32[], hand size that the next one costs.
      gros_michel_extinct: bool[]. ox_hand: int8[], poker hand that The Ox looks for.
      starting_deck_size: int32[]. bosses_used: int8[31], how often each was drawn.
      boss_rerolled: bool[], in this ante.
      orbital: int8[3, 3], hands of Orbital Tags (row = ante mod 3; Small, Big, Boss); orbital_ante: int32[3].
      next_number: int32[], creation number of the next card, joker or consumable.
      sort_mode: int8[], 0 rank, 1 suit, 2 rank ascending, 3 suit ascending.
      shop_visited: bool[], the first shop of the run was built.
      blind_scale: float64[], factor of all targets. endless: bool[], the run goes on after the win.
      steps: int32[], legal actions so far. max_steps: int32[], the episode is cut off there, 0 = never.
    """

    ante: Array
    round: Array
    money: Array
    won: Array
    skips: Array
    hands_played: Array
    unused_discards: Array
    tarots_used: Array
    planets_used: Array
    last_tarot_planet: Array
    hands: Array
    discards: Array
    hand_size: Array
    joker_slots: Array
    consumable_slots: Array
    redeemed: Array
    replaced: Array
    next_voucher: Array
    inflation: Array
    ectoplasm_cost: Array
    gros_michel_extinct: Array
    ox_hand: Array
    starting_deck_size: Array
    bosses_used: Array
    boss_rerolled: Array
    orbital: Array
    orbital_ante: Array
    next_number: Array
    sort_mode: Array
    shop_visited: Array
    blind_scale: Array
    endless: Array
    steps: Array
    max_steps: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class State:
    """A run of the game.

    Attributes:
      phase: int8[], `Phase`.
      rules: deck, stake, challenge and what they and the profile close. run, blinds, round, targets: see there.
      deck, piles: the playing cards and where they are. jokers, consumables: what the player owns.
      poker_hands: levels and counters. shop, pack: what is on offer.
      tags: int8[T], held tags, oldest first, 0 after the last one.
      streams: all randomness of the run.
      overflow: bool[], sticky: a capacity of this program, not the game, decided something.
    """

    phase: Array
    rules: RunRules
    run: Run
    blinds: Blinds
    round: Round
    targets: Targets
    deck: Deck
    piles: Piles
    jokers: OwnedJokers
    consumables: OwnedConsumables
    poker_hands: PokerHands
    shop: Shop
    pack: Pack
    tags: Array
    streams: rng.Streams
    overflow: Array


def no_offers(places: int) -> Offers:
    """No cards on offer, as numpy arrays."""
    flags = {name: np.zeros(places, bool) for name in ("eternal", "perishable", "rental", "free")}
    return Offers(
        id=np.zeros(places, np.int16),  # type: ignore[arg-type]
        front=np.full(places, -1, np.int8),  # type: ignore[arg-type]
        **{name: np.zeros(places, np.int8) for name in ("enhancement", "edition", "seal")},  # type: ignore[arg-type]
        stored=np.zeros(places, np.float64),  # type: ignore[arg-type]
        number=np.zeros(places, np.int16),  # type: ignore[arg-type]
        **flags,  # type: ignore[arg-type]
    )
