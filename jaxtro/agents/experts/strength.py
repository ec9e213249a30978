"""Scores of many sampled hands with several sets of jokers and levels: the one place where samples are scored.

The planner compares variants: what it could buy or sell, or which cards it could keep. All of them are scored by one
compiled instance of `score_hand`.
"""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
from jax import Array, lax

from jaxtro.agents.plays import HAND_OF_PLAY, plays_of
from jaxtro.env.scoring import BOOK, amounts, score_hand
from jaxtro.env.scoring.hands import STONE, WILD
from jaxtro.env.scoring.rolls import NUM_PLAYED
from jaxtro.env.state import Cards, Jokers, ScoringState
from jaxtro.tables import BLINDS

VARIANTS, SAMPLES, PLACES, PLAYED, JOKERS = 12, 12, 12, 3, 8
_PSYCHIC = BLINDS.keys.index("bl_psychic")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Variants:
    """What is compared; V variants, S samples, H = 12 hand places, J = 8 jokers.

    Attributes:
      jokers: `Jokers`[V, J]. level: int32[V, 12]. hand: `Cards`[V, S, H].
      held: int32[], unplayed cards that stay in the hand; the others were only choice.
      hands_left, discards_left, hands_played, earlier: int32[V, S]; earlier: how often each poker hand was played
        this round.
    """

    jokers: Jokers
    level: Array
    hand: Cards
    held: Array
    hands_left: Array
    discards_left: Array
    hands_played: Array
    earlier: Array


def card_worth(cards: Cards) -> Array:
    """How much a card is worth keeping, about its chips. -> float32[N]"""
    kinds = jnp.asarray([0.0, 6.0, 6.0, 3.0, 12.0, 8.0, 1.0, 3.0, 8.0], jnp.float32)
    rank = cards.rank.astype(jnp.float32)
    chips = jnp.where(rank == 14, 11.5, jnp.where(rank > 10, 10.0 + (rank - 10) * 0.1, rank))
    worth = chips + kinds[cards.enhancement.astype(jnp.int32)]
    worth += 8.0 * (cards.edition > 0) + 5.0 * (cards.seal > 0) + cards.bonus.astype(jnp.float32)
    return jnp.where(cards.rank > 0, jnp.where(cards.debuffed, 1.0, worth), 0.0)


def best_totals(state: ScoringState, variants: Variants) -> Array:
    """The best sure score of each sampled hand. -> float64[V, S]

    Args:
      state: what is the same for all. variants: see there.
    """
    held = jnp.broadcast_to(variants.held, variants.level.shape[:1])

    def of_variant(variant: Variants) -> Array:
        sampled = (
            variant.hand, variant.hands_left, variant.discards_left, variant.hands_played, variant.earlier
        )  # fmt: skip
        return jax.vmap(lambda sample: _best(state, variant, sample))(sampled)

    return jax.vmap(of_variant)(replace(variants, held=held))


def _best(state: ScoringState, variant: Variants, sample: tuple[Cards, Array, Array, Array, Array]) -> Array:
    """The best of a few plays of one hand. -> float64[]"""
    hand, hands_left, discards_left, hands_played, earlier = sample
    level = variant.level
    there = hand.rank > 0
    ranked = there & (hand.enhancement != STONE)
    plays = plays_of(
        jnp.where(ranked, hand.rank, 0).astype(jnp.int32),
        hand.suit.astype(jnp.int32) + 1,
        (hand.enhancement == WILD) & ~hand.debuffed,
        card_worth(hand),
    )
    kinds = jnp.asarray(HAND_OF_PLAY)
    chips = jnp.where(hand.debuffed, 0.0, amounts.card_chips(hand))
    base = jax.vmap(amounts.base_chips)(kinds, level[kinds])
    base += jnp.sum(jnp.where(plays, chips[None], 0.0), axis=1)
    estimate = base * jax.vmap(amounts.base_mult)(kinds, level[kinds])
    _, best = lax.top_k(jnp.where(jnp.any(plays, axis=1), estimate, -1.0).astype(jnp.float32), PLAYED)
    psychic = state.boss == _PSYCHIC
    hands = state.poker_hands
    state = replace(
        state,
        jokers=variant.jokers,
        poker_hands=replace(hands, level=level, played_this_round=hands.played_this_round + earlier),
        hands_left=hands_left,
        discards_left=discards_left,
        hands_played=state.hands_played + hands_played,
        debuffed_if_changed=jnp.zeros(there.shape, bool),
    )

    def total(chosen: Array) -> Array:
        spare = there & ~chosen
        extra = spare & (jnp.cumsum(spare) <= NUM_PLAYED - jnp.sum(chosen)) & psychic
        played = chosen | extra
        spare &= ~extra
        stays = played | (spare & (jnp.cumsum(spare) <= variant.held))
        cards = replace(hand, rank=jnp.where(stays, hand.rank, 0).astype(jnp.int8))
        score, _ = score_hand(replace(state, hand=cards), played, BOOK, "never")
        return jnp.where(jnp.any(chosen), score.total, 0.0)

    return jnp.max(jax.vmap(total)(plays[best]))
