"""What a boss says to a whole hand (scoring.md 3, step 2), and The Flint."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxtro.env.lookups import look_up
from jaxtro.env.scoring.hands import PokerHand
from jaxtro.env.state import Cards, ScoringState
from jaxtro.tables import BLINDS

_PSYCHIC, _EYE, _MOUTH, _ARM, _OX, _FLINT = (
    BLINDS.keys.index(key) for key in ("bl_psychic", "bl_eye", "bl_mouth", "bl_arm", "bl_ox", "bl_flint")
)
_PSYCHIC_CARDS = BLINDS.row(_PSYCHIC)["debuff"]["h_size_ge"]
_DEBUFFS_CARDS = np.array([False] + [row.get("debuffs_cards", False) for row in BLINDS.rows])


@dataclass(frozen=True)
class Judgement:
    """The boss's part in a hand.

    Attributes:
      blocked: bool[], the hand scores nothing. triggered: bool[], the boss acted (Matador).
      level: int32[], of the hand after The Arm. money: int32[], dollars after The Ox; lost: <= 0, to The Ox.
      eye_used: bool[12], mouth_hand: int32[], what The Eye and The Mouth remember. flint: bool[].
    """

    blocked: Array
    triggered: Array
    level: Array
    money: Array
    lost: Array
    eye_used: Array
    mouth_hand: Array
    flint: Array


def judge(state: ScoringState, poker_hand: PokerHand, cards_played: Array, played: Cards) -> Judgement:
    """Checks a hand against the boss; `state.boss` is 0 where none acts."""
    hand, boss = poker_hand.hand, state.boss
    level = state.poker_hands.level[hand]
    eye, mouth = boss == _EYE, boss == _MOUTH
    blocked = (boss == _PSYCHIC) & (cards_played < _PSYCHIC_CARDS)
    blocked |= eye & state.eye_used[hand]
    blocked |= mouth & (state.mouth_hand >= 0) & (state.mouth_hand != hand)
    arm = (boss == _ARM) & (level > 1)
    ox = (boss == _OX) & (state.most_played == hand)
    flint = boss == _FLINT
    # Matador beyond refused hands is not settled (scoring.md 8 item 1); corner case 35 names the bosses.
    debuffed = look_up(_DEBUFFS_CARDS, boss) & jnp.any(poker_hand.scoring & played.debuffed)
    return Judgement(
        blocked=blocked,
        triggered=blocked | arm | ox | flint | debuffed,
        level=level - arm,
        money=jnp.where(ox, 0, state.money),
        lost=jnp.where(ox, -state.money, 0),
        eye_used=state.eye_used | (eye & (jnp.arange(state.eye_used.shape[0]) == hand)),
        mouth_hand=jnp.where(mouth & (state.mouth_hand < 0), hand, state.mouth_hand),
        flint=flint,
    )


def halved(value: Array | float, least: float) -> Array:
    """The Flint's half, rounded to whole numbers."""
    return jnp.maximum(jnp.floor(value / 2 + 0.5), least)
