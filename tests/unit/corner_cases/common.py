"""What the chapters of the corner-case list share."""

from jaxtro.env.actions import Kind
from jaxtro.tables import HANDS, TAGS
from tests.run_tools import (
    Case,
    act,
    fight,
    hand,
    jokers,
    put,
)

K = Kind
FULL = "S_K S_Q S_9 H_8 C_7 D_5 C_4 D_2"


class Cases:
    """The cases of one file, in order."""

    def __init__(self) -> None:
        self.all: list[Case] = []

    def add(self, name, setup, actions, check, **options):  # type: ignore[no-untyped-def]
        self.all.append(Case(name, setup, actions, check, **options))


def true(*values):  # type: ignore[no-untyped-def]
    for value in values:
        assert value


def money(states):  # type: ignore[no-untyped-def]
    return [int(s.run.money) for s in states]


SELECT, PLAY1, CASH = [act(K.SELECT)], [act(K.PLAY, cards=[0])], [act(K.CASH_OUT)]


def winning(s, blind="bl_small", text=FULL, **fields):  # type: ignore[no-untyped-def]
    """A round that the next play wins."""
    return fight(hand(s, text), blind, target=1, **fields)


def last_hand(s, blind="bl_small", share=0.0, text=FULL):  # type: ignore[no-untyped-def]
    """A round that the next play loses, with a share of the target scored."""
    return fight(hand(s, text), blind, target=1e6, chips=1e6 * share, hands_left=1)


def hidden(s):  # type: ignore[no-untyped-def]
    return int(s.deck.face_down[s.piles.hand[: int(s.piles.n_hand)]].sum())


def level(s, name):  # type: ignore[no-untyped-def]
    return int(s.poker_hands.level[HANDS.keys.index(name)])


def won_with(*owned, dollars=20, text=FULL, blind="bl_small", **fields):  # type: ignore[no-untyped-def]
    """A round won by the next play, with no hands and no discards left over, so that only interest is paid."""
    base = {"hands_left": 1, "discards_left": 0} | fields
    return lambda s: put(jokers(winning(s, blind, text, **base), *owned), run__money=dollars)


def paid(amount):  # type: ignore[no-untyped-def]
    return lambda s, i: true(int(s[1].round.payout) == amount)


def skipping(key, **fields):  # type: ignore[no-untyped-def]
    return lambda s: put(s, blinds__tags=TAGS.keys.index(key), **fields)


SKIP = [act(K.SKIP)]
