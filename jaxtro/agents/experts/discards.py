"""A round: which cards to keep, and what a redraw from the unseen cards is worth."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from jaxtro.agents.experts.priors import Priors
from jaxtro.agents.experts.strength import JOKERS, PLACES, SAMPLES, VARIANTS, Variants, card_worth
from jaxtro.agents.experts.view import SEEN, Seen, row, to_hand
from jaxtro.env.actions import MOST_CARDS
from jaxtro.env.phases import boss_effects
from jaxtro.env.scoring.hands import STONE, WILD
from jaxtro.env.state import HAND_CAPACITY, Cards, Jokers, State
from jaxtro.tables import BLINDS

KEEPS = VARIANTS - 1  # the first variant is to play the hand as it is
_RANKS, _ACE = 15, 14
_SERPENT_DRAWS = BLINDS.row(boss_effects.SERPENT)["draws"]
_MOST_DRAWN = MOST_CARDS + 1  # The Serpent never draws more


def by_worth(worth: Array, member: Array) -> Array:
    """Place of each card among the members, the best first; equal ones from left to right. -> int32[N]"""
    places = jnp.arange(worth.shape[0])
    value = jnp.where(member, worth, -1.0)
    ahead = (value[None] > value[:, None]) | (
        (value[None] == value[:, None]) & (places[None] < places[:, None])
    )
    return jnp.sum(ahead, axis=1)


def keeps(cards: Cards, best: Array) -> Array:
    """Sets of visible cards that could be worth keeping. -> bool[11, 16]

    Args:
      best: bool[16], the best play now.
    """
    there = cards.rank > 0
    ranked = there & (cards.enhancement != STONE)
    rank = jnp.where(ranked, cards.rank, 0).astype(jnp.int32)
    worth = card_worth(cards)
    wild = ranked & (cards.enhancement == WILD) & ~cards.debuffed
    in_suit = ranked[None] & ((cards.suit[None] == jnp.arange(4)[:, None]) | wild[None])
    in_suit &= jnp.stack([by_worth(worth, one) < MOST_CARDS for one in in_suit])
    ranks = jnp.arange(_RANKS)
    of_rank = (rank[None] == ranks[:, None]) & ranked[None]
    count = jnp.sum(of_rank, axis=1).at[0].set(0)
    mine = count[rank]
    nth = jnp.sum(
        (rank[None] == rank[:, None]) & ranked[None] & (jnp.arange(SEEN)[None] < jnp.arange(SEEN)[:, None]),
        axis=1,
    )
    # Straights: the two windows with the most ranks.
    have = (count > 0).at[1].set(count[_ACE] > 0)
    tops = jnp.arange(5, _RANKS)
    filled = jnp.sum(jnp.stack([have[n : n + tops.shape[0]] for n in range(1, 6)]), axis=0)
    _, windows = lax.top_k(filled * _RANKS + tops, 2)
    top = tops[windows]
    window = (rank[None] <= top[:, None]) & (rank[None] > top[:, None] - 5)
    window |= (rank[None] == _ACE) & (top[:, None] == 5)
    window &= (ranked & (nth == 0))[None]
    group = jnp.argmax(count * _RANKS + ranks)
    order = by_worth(worth, there)
    sets = [
        best, *in_suit, *window, ranked & (mine >= 2), ranked & (rank == group), there & (order < 3),
        (ranked & (mine >= 2)) | (there & (order < 1)),
    ]  # fmt: skip
    return jnp.stack(sets)


def discards_of(kept: Array, cards: Array, worth: Array, forced: Array, down: Array) -> tuple[Array, Array]:
    """What is discarded to keep some cards: up to five others, the worst first, then face-down ones.

    Args:
      kept, cards, forced: bool[16]. worth: float32[16]. down: bool[32].

    Returns:
      bool[16], visible cards; bool[32], face-down ones.
    """
    gone = cards & (~kept | forced)
    order = by_worth(jnp.where(forced, 1e6, 1e4 - worth), gone)
    gone &= order < MOST_CARDS
    room = MOST_CARDS - jnp.sum(gone)
    return gone, down & (jnp.cumsum(down) <= room)


def draw(key: Array, member: Array, samples: int, count: int) -> Array:
    """Places in the deck of sampled cards, without order. -> int32[S, count], D = none"""
    u = jax.random.uniform(key, (samples, member.shape[0]), jnp.float32)
    value, places = lax.top_k(jnp.where(member[None], u, -1.0), count)
    return jnp.where(value >= 0, places, member.shape[0])


def eight_jokers(jokers: Jokers) -> Jokers:
    """The first places; more jokers than that are rare."""
    first: Jokers = jax.tree.map(lambda values: values[:JOKERS], jokers)
    return first


def round_variants(state: State, seen: Seen, best: Array, key: Array) -> tuple[Variants, Array, Array]:
    """What could be kept, with sampled hands.

    Returns:
      the variants, bool[12, 32]: the cards to discard, bool[12]: which variants there are.
    """
    cards, now = seen.scoring.hand, state.round
    there = cards.rank > 0
    worth = card_worth(cards)
    sets = keeps(cards, best)
    gone, hidden = jax.vmap(lambda kept: discards_of(kept, there, worth, seen.forced, seen.down))(sets)
    discarded = jnp.sum(gone, axis=1) + jnp.sum(hidden, axis=1)
    drawn = draw(key, seen.unseen, SAMPLES, _MOST_DRAWN)
    serpent = boss_effects.boss_acts(state) == boss_effects.SERPENT
    new = jnp.where(serpent, _SERPENT_DRAWS, discarded)
    new = jnp.minimum(new, jnp.sum(seen.unseen))
    deck = state.deck.cards

    def hands(kept: Array, gone: Array, new: Array) -> Cards:
        # The kept cards first: if there are too many for the sampled hand, the others fall off.
        left = there & ~gone
        rank = by_worth(worth + 100.0 * kept, left)
        order = (
            jnp.full(SEEN, SEEN).at[jnp.where(left, rank, SEEN)].set(jnp.arange(SEEN), mode="drop")[:PLACES]
        )
        count = jnp.minimum(jnp.sum(left), PLACES - 1)
        number = jnp.arange(PLACES) - count
        take = (number >= 0) & (number < new)
        at = jnp.where(take[None], drawn[:, jnp.clip(number, 0, _MOST_DRAWN - 1)], deck.rank.shape[0])

        def field(name: str) -> Array:
            old = jnp.where(number < 0, row(getattr(cards, name), order), 0)
            return jnp.where(take[None], row(getattr(deck, name), at), old[None])

        return Cards(*(field(name).astype(getattr(cards, name).dtype) for name in Cards.__dataclass_fields__))

    hand = jax.vmap(hands)(sets, gone, new)
    jokers = eight_jokers(seen.scoring.jokers)
    shape = (VARIANTS, SAMPLES)
    first = jax.tree.map(
        lambda values: jnp.concatenate([values[:1], values]), hand
    )  # not used: known exactly
    return (
        Variants(
            jokers=jax.tree.map(lambda values: jnp.broadcast_to(values, (VARIANTS, *values.shape)), jokers),
            level=jnp.broadcast_to(state.poker_hands.level, (VARIANTS, state.poker_hands.level.shape[0])),
            hand=first,
            held=jnp.int32(HAND_CAPACITY),
            hands_left=jnp.broadcast_to(now.hands_left - 1, shape),
            discards_left=jnp.broadcast_to(now.discards_left - 1, shape),
            hands_played=jnp.zeros(shape, jnp.int32),
            earlier=jnp.zeros((*shape, state.poker_hands.level.shape[0]), jnp.int32),
        ),
        jnp.concatenate(
            [
                jnp.zeros((1, HAND_CAPACITY), bool),
                jax.vmap(lambda one: to_hand(one, seen.place))(gone) | hidden,
            ]
        ),
        jnp.concatenate([jnp.ones(1, bool), (discarded > 0) & (new > 0)]),
    )


def best_discard(
    state: State, totals: Array, there: Array, best_total: Array, priors: Priors
) -> tuple[Array, Array]:
    """The variant that is worth most: 0 to play now, else a discard. -> int32[], its gain float32[]"""
    needed = jnp.maximum(state.round.target - state.round.chips, 1.0)
    number: dict[str, Any] = priors.number
    share = jnp.minimum(totals / needed, 1.0).astype(jnp.float32)
    share = share.at[0].set(jnp.minimum(best_total / needed, 1.0).astype(jnp.float32))
    last = state.round.hands_left <= 1
    wins = jnp.mean(share >= 1.0, axis=1)
    value = jnp.where(
        last, wins + 0.3 * jnp.mean(share, axis=1), jnp.mean(share, axis=1) + number["win_bonus"] * wins
    )
    value = jnp.where(there, value, -1.0)
    # Hands share the discards: the fewer there are for each, the more one must gain.
    each = (state.round.hands_left - 1) / jnp.maximum(state.round.discards_left, 1)
    value = value.at[0].add(number["discard_gain"] * each.astype(jnp.float32) * value[0] + 1e-5)
    choice = jnp.argmax(value)
    return choice.astype(jnp.int32), value[choice] - value[0]


def with_filler(cards: Cards, plays: Array, totals: Array, at: Array, there: Array) -> Array:
    """Of the plays that score as much as one of them, the one that also gets rid of most worthless cards.

    Args:
      cards: the visible hand. plays: bool[K, 16], best first. totals: float64[K]. at: int32[], the play.
      there: bool[16], visible cards.

    Returns:
      bool[16].
    """
    best = plays[at]
    sets = keeps(cards, best)
    # Cards of the longest suit or rank group are still worth something.
    useful = jnp.sum(jnp.where(jnp.sum(sets, axis=1, keepdims=True) >= 3, sets, False), axis=0)
    loss = 0.3 + 0.02 * card_worth(cards) + 0.25 * useful
    gain = jnp.sum(jnp.where(plays & ~best[None] & there[None], 1.0 - loss[None], 0.0), axis=1)
    same = totals == jnp.maximum(totals[at], 0.0)
    return plays[jnp.argmax(jnp.where(same, gain, -jnp.inf))]
