"""The start of a run (run.md 2, rng.md 5.1)."""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env import rng, run_rules
from jaxtro.env.generation import RunRules, rules_of, start_situation, starting_deck
from jaxtro.env.generation.antes import next_boss, next_tags, next_voucher, orbital_hands
from jaxtro.env.generation.deck import StartingDeck
from jaxtro.env.generation.rules import WIN_ANTE, locked_masks, make_rules
from jaxtro.env.lookups import look_up
from jaxtro.env.loops import while_loop
from jaxtro.env.owned import get_consumable, get_joker, no_consumables, no_jokers
from jaxtro.env.phases.boss_effects import empty_piles
from jaxtro.env.phases.creation import new_stored
from jaxtro.env.phases.packs import no_pack
from jaxtro.env.phases.round_end import draw_targets
from jaxtro.env.phases.shop import VOUCHER_CHANGES, no_shop
from jaxtro.env.reductions import int_sum
from jaxtro.env.scoring.book import JokerBook
from jaxtro.env.state import (
    DECK_CAPACITY,
    HAND_CAPACITY,
    TAG_CAPACITY,
    TARGETS_KEPT,
    Blinds,
    BlindStatus,
    Deck,
    Phase,
    Round,
    Run,
    State,
    Targets,
    fresh_poker_hands,
    no_cards,
)
from jaxtro.env.writes import put
from jaxtro.tables import BLINDS, CHALLENGES, DECKS, EDITIONS, HANDS, item
from jaxtro.tables.kinds import FIRST_VOUCHER
from jaxtro.tables.pools import FRONT_RANK, FRONT_SUIT

START_ANTE = 1
_NO_ANTE = -1000
HIGH_CARD = HANDS.keys.index("High Card")
_MOST_ITEMS = 5
_MOST_ANTES = 900  # the texts of the streams hold antes of three digits


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Params:
    """What a run is started with; all values, so that one program plays any mixture. `make_params` takes names.

    Attributes:
      deck, stake, challenge: int32[], ids of the tables (challenge 0 = none, else it brings its own deck).
      locked: bool[235], items that the profile has not unlocked. undiscovered_tags: bool[25], tags it closes.
      blind_scale: float64[], factor of all blind targets; 1 = the real game, 0 = every play wins.
      win_ante: int32[], the run is won when its boss falls. endless: bool[], the run goes on then.
      start_ante: int32[], 1 in the real game; a later one makes the first blinds as hard as there.
      max_steps: int32[], the episode is truncated after so many actions, 0 = never.
    """

    deck: Array
    stake: Array
    challenge: Array
    locked: Array
    undiscovered_tags: Array
    blind_scale: Array
    win_ante: Array
    endless: Array
    max_steps: Array
    start_ante: Array


def make_params(
    deck: str = "b_red",
    stake: str = "stake_white",
    challenge: str | None = None,
    locked: tuple[str, ...] = (),
    blind_scale: float = 1.0,
    win_ante: int = WIN_ANTE,
    endless: bool = False,
    max_steps: int = 0,
    start_ante: int = START_ANTE,
) -> Params:
    """Parameters of a run from keys or names.

    Args:
      deck, stake, challenge: keys or names; a challenge brings its own deck and White Stake.
      locked: keys or names of items that the profile has not unlocked, or of editions it has not discovered.
      blind_scale: factor of all blind targets. win_ante: ante of the boss that wins. endless: go on then.
      max_steps: actions after which an episode is truncated, 0 = never.
      start_ante: ante that the run begins with (for curricula; the real game's is 1).

    Raises:
      ValueError: for unknown names, and for numbers that make no game.
    """
    rules = make_rules(deck, stake, challenge, locked)
    if not blind_scale >= 0:
        raise ValueError(f"blind_scale is {blind_scale}; it must be 0 or more")
    if not 1 <= win_ante <= _MOST_ANTES:
        raise ValueError(f"win_ante is {win_ante}; it must be from 1 to {_MOST_ANTES}")
    if not 1 <= start_ante <= win_ante:
        raise ValueError(f"start_ante is {start_ante}; it must be from 1 to win_ante, {win_ante}")
    if not 0 <= max_steps < 2**31:
        raise ValueError(f"max_steps is {max_steps}; it must be 0 (no limit) or more")
    items, tags = locked_masks(tuple(locked))
    return Params(
        deck=rules.deck,
        stake=rules.stake,
        challenge=rules.challenge,
        locked=jnp.asarray(items),
        undiscovered_tags=jnp.asarray(tags),
        blind_scale=jnp.float64(blind_scale),
        win_ante=jnp.int32(win_ante),
        endless=jnp.bool_(endless),
        max_steps=jnp.int32(max_steps),
        start_ante=jnp.int32(start_ante),
    )


def _starting(rows: tuple, columns: tuple[str, ...]) -> dict[str, np.ndarray]:
    size = 1 + len(rows)
    found = {name: np.zeros((size, _MOST_ITEMS), np.int32) for name in ("id", "edition", "eternal", "pinned")}
    for number, row in enumerate(rows, start=1):
        entries = [entry for column in columns for entry in row.get(column, ())]
        for place, entry in enumerate(entries):
            entry = {"key": entry} if isinstance(entry, str) else entry
            found["id"][number, place] = item(entry["key"])
            found["edition"][number, place] = EDITIONS.find(entry["edition"]) if "edition" in entry else 0
            found["eternal"][number, place] = entry.get("eternal", False)
            found["pinned"][number, place] = entry.get("pinned", False)
    return found


_DECK_CONSUMABLES = _starting(DECKS.rows, ("consumables",))
_CHALLENGE_CONSUMABLES = _starting(CHALLENGES.rows, ("consumables",))
_CHALLENGE_JOKERS = _starting(CHALLENGES.rows, ("jokers",))


def new_run(seed: Array, params: Params, book: JokerBook) -> State:
    """A run before its first blind.

    Args:
      seed: uint8[8] of `jaxtro.encode_seed`. params: see there. book: the jokers.
    """
    rules = rules_of(
        params.deck, params.stake, params.challenge, params.locked, params.undiscovered_tags, params.win_ante
    )
    return run_of(seed, rules, params.blind_scale, params.endless, book, params.max_steps, params.start_ante)


def run_of(
    seed: Array,
    rules: RunRules,
    blind_scale: Array,
    endless: Array,
    book: JokerBook,
    max_steps: Array | int = 0,
    start_ante: Array | int = START_ANTE,
) -> State:
    """A run from ready rules (a replay may set its own boss and To Do List orders)."""
    ante = jnp.asarray(start_ante, jnp.int32)
    streams = rng.start_streams(seed, ante)
    cards, streams = starting_deck(streams, rules)
    situation = start_situation(rules, cards.enhancements())
    boss, used, streams = next_boss(streams, rules, jnp.zeros(len(BLINDS), jnp.int32), ante)
    voucher, streams = next_voucher(streams, situation, ante)
    tags, streams = next_tags(streams, rules, ante)

    deck = _deck(cards)
    d, streams = rng.step(streams, "shuffle", ante)
    places = jnp.arange(DECK_CAPACITY, dtype=jnp.int32)
    order = rng.shuffle(places.astype(jnp.int8), cards.count, d)
    piles = empty_piles(DECK_CAPACITY, HAND_CAPACITY)
    draw = jnp.where(places < cards.count, order, -1).astype(jnp.int8)
    hands = jax.tree.map(jnp.asarray, fresh_poker_hands())
    orbital, streams = orbital_hands(streams, hands.played, ante)

    zero, no = jnp.int32(0), jnp.bool_(False)
    redeemed = put(situation.redeemed[FIRST_VOUCHER - 1 :], 0, False)
    changed = {
        name: run_rules.starting_value(rules, name)
        + int_sum(jnp.where(redeemed, jnp.asarray(VOUCHER_CHANGES[name]), 0))
        for name in ("hands", "discards", "hand_size", "joker_slots", "consumable_slots")
    }
    row = ante % TARGETS_KEPT
    run = Run(
        ante=ante,
        round=zero,
        money=run_rules.starting_value(rules, "dollars"),
        won=no,
        skips=zero,
        hands_played=zero,
        unused_discards=zero,
        tarots_used=zero,
        planets_used=jnp.zeros(len(HANDS), bool),
        last_tarot_planet=jnp.int16(0),
        redeemed=redeemed,
        replaced=jnp.zeros_like(redeemed),
        next_voucher=voucher.astype(jnp.int16),
        inflation=zero,
        ectoplasm_cost=jnp.int32(1),
        gros_michel_extinct=no,
        ox_hand=jnp.int8(HIGH_CARD),
        starting_deck_size=cards.count,
        bosses_used=used.astype(jnp.int8),
        boss_rerolled=no,
        orbital=put(jnp.zeros((TARGETS_KEPT, 3), jnp.int8), row, orbital),
        orbital_ante=put(jnp.full(TARGETS_KEPT, _NO_ANTE, jnp.int32), row, ante),
        next_number=1 + cards.count,
        sort_mode=jnp.int8(0),
        shop_visited=no,
        blind_scale=jnp.asarray(blind_scale, jnp.float64),
        endless=jnp.asarray(endless, bool),
        steps=zero,
        max_steps=jnp.asarray(max_steps, jnp.int32),
        **changed,
    )
    status = jnp.array([BlindStatus.SELECT, BlindStatus.UPCOMING, BlindStatus.UPCOMING], jnp.int8)
    state = State(
        phase=jnp.int8(Phase.BLIND_SELECT),
        rules=rules,
        run=run,
        blinds=Blinds(jnp.int8(0), status, boss.astype(jnp.int8), tags.astype(jnp.int8)),
        round=_no_round(),
        targets=Targets(*(jnp.int8(0) for _ in range(5))),
        deck=deck,
        piles=replace(piles, draw=draw, n_draw=cards.count),
        jokers=jax.tree.map(jnp.asarray, no_jokers()),
        consumables=jax.tree.map(jnp.asarray, no_consumables()),
        poker_hands=hands,
        shop=no_shop(),
        pack=no_pack(),
        tags=jnp.zeros(TAG_CAPACITY, jnp.int8),
        streams=streams,
        overflow=no,
    )
    state = draw_targets(state, first=True)
    return _with_starting_items(state, book)


def _deck(start: StartingDeck) -> Deck:
    blank, front = no_cards(DECK_CAPACITY), start.front
    there, count = front >= 0, front.shape[0]
    at = jnp.maximum(front, 0).astype(jnp.int32)

    def put(empty: Array, values: Array) -> Array:
        return jnp.pad(jnp.where(there, values, 0).astype(empty.dtype), (0, DECK_CAPACITY - count))

    suit = look_up(FRONT_SUIT, at)
    cards = replace(
        jax.tree.map(jnp.asarray, blank),
        rank=put(blank.rank, look_up(FRONT_RANK, at)),
        suit=put(blank.suit, suit),
        enhancement=put(blank.enhancement, start.enhancement),
        seal=put(blank.seal, start.seal),
    )
    printed_suit = put(blank.suit, look_up(FRONT_SUIT, jnp.maximum(start.printed, 0).astype(jnp.int32)))
    no = jnp.zeros(DECK_CAPACITY, bool)
    number = jnp.where(cards.rank > 0, 1 + jnp.arange(DECK_CAPACITY), 0).astype(jnp.int16)
    return Deck(cards, printed_suit, no, no, no, number)


def _no_round() -> Round:
    zero, small, no = jnp.int32(0), jnp.int8(-1), jnp.bool_(False)
    return Round(
        blind=jnp.int8(0), disabled=no, target=jnp.float64(0), chips=jnp.float64(0), hands_left=zero,
        discards_left=zero, hands_played=zero, discards_used=zero, hands_taken=zero, discards_taken=zero,
        hand_size_bonus=zero, eye_used=jnp.zeros(len(HANDS), bool), mouth_hand=small, last_hand=small,
        fish_armed=no, heart_armed=no, forced=small, payout=zero,
    )  # fmt: skip


def _with_starting_items(state: State, book: JokerBook) -> State:
    """Consumables of deck and challenge, jokers of the challenge; only a To Do List would draw."""
    deck, challenge = state.rules.deck, state.rules.challenge
    for rows, number in ((_DECK_CONSUMABLES, deck), (_CHALLENGE_CONSUMABLES, challenge)):
        ids = jnp.asarray(rows["id"])[number]
        for place in range(2):
            state = get_consumable(state, ids[place], when=ids[place] > 0)
    owned = {name: jnp.asarray(values)[challenge] for name, values in _CHALLENGE_JOKERS.items()}

    # Only what can change goes through the loop, which does not turn at all without a challenge.
    def one(carry: tuple[Array, Any]) -> tuple[Array, Any]:
        place, (jokers, streams, next_number) = carry
        now = replace(state, jokers=jokers, run=replace(state.run, next_number=next_number))
        joker = owned["id"][place]
        stored, streams = new_stored(book, now, streams, joker, jnp.bool_(True))
        now = get_joker(
            now, joker, stored, owned["edition"][place],
            eternal=(owned["eternal"][place] > 0) | state.rules.all_eternal, pinned=owned["pinned"][place] > 0,
        )  # fmt: skip
        return place + 1, (now.jokers, streams, now.run.next_number)

    count = jnp.sum(owned["id"] > 0, dtype=jnp.int32)
    start = jnp.int32(0), (state.jokers, state.streams, state.run.next_number)
    _, (jokers, streams, number) = while_loop(lambda carry: carry[0] < count, one, start)
    return replace(state, jokers=jokers, streams=streams, run=replace(state.run, next_number=number))
