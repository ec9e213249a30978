"""What a blind does to the round: its start, its debuffs, and what switching it off gives back.

What a boss says to a played hand is in `scoring/boss.py`; face-down and forced cards are dealt in
`dealing.py`.
"""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env import joker_events as ev
from jaxtro.env import rng
from jaxtro.env.bits import count_before
from jaxtro.env.lookups import look_up, rows_at
from jaxtro.env.owned import by_creation, joker_count
from jaxtro.env.scoring.book import JokerBook
from jaxtro.env.scoring.hands import flush_suits, ranked
from jaxtro.env.scoring.view import JACK, KING
from jaxtro.env.state import OwnedJokers, Piles, State
from jaxtro.env.work import update
from jaxtro.env.writes import put
from jaxtro.tables import BLINDS
from jaxtro.tables.pools import SUITS

_ID = BLINDS.keys.index
WATER, NEEDLE, PLANT, PILLAR, LEAF, WALL, VESSEL, ACORN, HEART, BELL = (
    _ID(key)
    for key in (
        "bl_water", "bl_needle", "bl_plant", "bl_pillar", "bl_final_leaf", "bl_wall", "bl_final_vessel",
        "bl_final_acorn", "bl_final_heart", "bl_final_bell",
    )
)  # fmt: skip
HOUSE, WHEEL, MARK, FISH, HOOK, TOOTH, SERPENT = (
    _ID(key)
    for key in (
        "bl_house", "bl_wheel", "bl_mark", "bl_fish", "bl_hook", "bl_tooth", "bl_serpent",
    )
)  # fmt: skip
FIRST_BOSS = 3
# Suit that a boss debuffs, as a bit; 0 = none.
_DEBUFFED_SUIT = np.array(
    [0]
    + [1 << SUITS.index(row["debuff"]["suit"][0]) if row["debuff"].get("suit") else 0 for row in BLINDS.rows],
    np.uint8,
)


def boss_acts(state: State) -> Array:
    """The blind whose effect is on, 0 when there is none or it is disabled. -> int32[]"""
    return jnp.where(state.round.disabled, 0, state.round.blind).astype(jnp.int32)


def debuffed_cards(state: State, book: JokerBook) -> Array:
    """Which cards of the deck the blind debuffs; for good, if Double or Nothing did. -> bool[D]"""
    boss, cards = boss_acts(state), state.deck.cards
    plain = replace(cards, debuffed=jnp.zeros_like(cards.debuffed))
    suits = flush_suits(plain, ev.rule(book, state.jokers, "smeared"))
    by_suit = suits & look_up(_DEBUFFED_SUIT, boss) != 0
    face = ranked(cards) & (cards.rank >= JACK) & (cards.rank <= KING)
    face |= ranked(cards) & ev.rule(book, state.jokers, "pareidolia")
    found = by_suit | ((boss == PLANT) & face) | ((boss == PILLAR) & state.deck.played_this_ante)
    return (found | (boss == LEAF) | state.deck.debuffed_for_good) & (cards.rank > 0)


def with_debuffs(state: State, book: JokerBook, touched: Array) -> State:
    """The state with the debuffs of some cards found anew. touched: bool[D]"""
    cards = state.deck.cards
    debuffed = jnp.where(touched, debuffed_cards(state, book), cards.debuffed)
    cards = replace(cards, debuffed=debuffed)
    return replace(state, deck=replace(state.deck, cards=cards))


def take_hands_and_discards(state: State) -> State:
    """The Water and The Needle cut the round's discards and hands when the blind is set."""
    now, boss = state.round, boss_acts(state)
    discards_taken = jnp.where(boss == WATER, now.discards_left, 0)
    hands_taken = jnp.where(boss == NEEDLE, now.hands_left - 1, 0)
    return replace(
        state,
        round=update(
            now,
            discards_left=now.discards_left - discards_taken,
            discards_taken=discards_taken,
            hands_left=now.hands_left - hands_taken,
            hands_taken=hands_taken,
        ),
    )


def shuffle_jokers(state: State, when: Array) -> State:
    """Amber Acorn: jokers lie face down in a new order; three shuffles, of which the last decides (rng.md)."""
    jokers = state.jokers
    count = joker_count(jokers)
    shuffles = when & (count >= 2)
    number, d = rng.stream_state(state.streams, "aajk", state.run.ante), jnp.float64(0)
    for _ in range(3):
        number = jnp.where(shuffles, rng.step_stream(number), number)
        d = rng.generator_seed(number, state.streams.seed_hash)
    streams = rng.set_stream_state(state.streams, "aajk", state.run.ante, number)
    places = jnp.arange(jokers.id.shape[0], dtype=jnp.int32)
    order = rng.shuffle(jnp.minimum(by_creation(jokers.number, jokers.id > 0), places[-1]), count, d)
    order = jnp.where(shuffles & (places < count), order, places)
    mixed: OwnedJokers = _rows(jokers, order)
    mixed = replace(mixed, face_down=jnp.where(when, mixed.id > 0, mixed.face_down))
    return replace(state, jokers=pinned_first(mixed), streams=streams)


def _rows(jokers: OwnedJokers, order: Array) -> OwnedJokers:
    return rows_at(jokers, order)


def pinned_first(jokers: OwnedJokers) -> OwnedJokers:
    """Pinned jokers stand leftmost, whatever moves the others."""
    there, pinned = jokers.id > 0, jokers.pinned & (jokers.id > 0)
    before = jnp.where(pinned, count_before(pinned), jnp.sum(pinned) + count_before(there & ~pinned))
    places = jnp.arange(there.shape[0])
    target = jnp.where(there, before, places)
    return _rows(jokers, put(jnp.zeros_like(places), target, places))


def disable(state: State, when: Array, give_back: bool = True) -> State:
    """Switches the boss off (Chicot, Luchador, Verdant Leaf): what it took comes back.

    `give_back` False: the hands and discards have been given back already.
    """
    now, boss = state.round, jnp.where(when, boss_acts(state), 0)
    divisor = jnp.where(boss == WALL, 2.0, jnp.where(boss == VESSEL, 3.0, 1.0))
    hides = (boss == HOUSE) | (boss == WHEEL) | (boss == MARK) | (boss == FISH)
    jokers = state.jokers
    return replace(
        state,
        round=update(
            now,
            disabled=now.disabled | (boss > 0),
            target=now.target / divisor,
            hands_left=now.hands_left + jnp.where(give_back & (boss == NEEDLE), now.hands_taken, 0),
            discards_left=now.discards_left + jnp.where(give_back & (boss == WATER), now.discards_taken, 0),
            forced=jnp.where(boss == BELL, -1, now.forced),
            fish_armed=now.fish_armed & (boss == 0),
            heart_armed=now.heart_armed & (boss == 0),
        ),
        deck=replace(state.deck, face_down=state.deck.face_down & ~hides),
        jokers=replace(
            jokers,
            face_down=jokers.face_down & (boss != ACORN),
            debuffed=jnp.where(boss == HEART, jokers.perish == 0, jokers.debuffed),
        ),
    )


def empty_piles(size: int, hand: int) -> Piles:
    """No card anywhere."""
    nowhere, none = jnp.full(size, -1, jnp.int8), jnp.int32(0)
    return Piles(nowhere, none, jnp.full(hand, -1, jnp.int8), none, nowhere, none)
