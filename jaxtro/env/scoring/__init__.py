"""Scoring a hand, exactly: poker hands, the order of a hand, jokers as table rows and small functions."""

from jaxtro.env.scoring.book import BOOK, SCORING_STREAMS, JokerBook, JokerRowError, make_book
from jaxtro.env.scoring.hands import PokerHand
from jaxtro.env.scoring.score import Breakdown, HandScore, score_hand

__all__ = [
    "BOOK",
    "SCORING_STREAMS",
    "Breakdown",
    "HandScore",
    "JokerBook",
    "JokerRowError",
    "PokerHand",
    "make_book",
    "score_hand",
]
