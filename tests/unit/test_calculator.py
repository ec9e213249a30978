import json

import numpy as np
import pytest

from jaxtro.__main__ import main
from jaxtro.calculator.explain import explain
from parity import scoring_vectors
from tests.golden import scoring_cases


def test_the_steps_are_told_in_order(capsys):
    arguments = ["KH KD 5S 5C 2D", "--hold", "AS~steel", "--jokers", "Blueprint, Baron@poly, Green Joker=12"]
    assert main(["score", *arguments, "--level", "Two Pair=3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines[:8]] == [
        "Two Pair, level 3", "KH", "KD", "5S", "5C", "AS~steel held", "Baron, Polychrome", "Green Joker",
    ]  # fmt: skip
    assert lines[7].endswith("90 x 22")
    assert "Two Pair: 90 x 22 = 1,980" in lines
    assert "  Green Joker: mult 12 -> 13" in lines


def test_json(capsys):
    assert main(["score", "AH AD", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["hand"], printed["chips"], printed["mult"], printed["total"]) == ("Pair", 32, 2, 64)
    assert printed["steps"][0] == {"source": "Pair, level 1", "effect": "base", "chips": 10, "mult": 2}


def test_best(capsys):
    assert main(["score", "KH KD 5S 5C 2D 3H 4C 8D", "--best", "2"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "            100  Two Pair         KH KD 5S 5C",
        "            100  Two Pair         KH KD 5S 5C 2D",
        "best 2 of 218 plays",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["KX"], "is no card"),
        (["2H 3H 4H 5H 6H 7H"], "6 cards are played"),
        ([""], "0 cards are played"),
        (["KH", "--jokers", "Barron"], "Did you mean j_baron"),
        (["KH", "--level", "Pair=0"], "levels are 1 or more"),
        (["KH", "--level", "Pair"], "write NAME=N"),
        (["KH", "--level", "Pairs of Nothing=2"], "unknown hand"),
        (["KH", "--set", "moneyy=2"], "unknown number"),
        (["KH", "--boss", "The Cat"], "unknown blind"),
        (["KH", "--luck", "seeded"], "needs a --seed"),
        (["KH", "--best", "0"], "--best must be"),
        (["KH", "--seed", "0000"], "seed"),
    ],
)
def test_wrong_calls_say_what_to_do(arguments, message, capsys):
    assert main(["score", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_the_account_ends_where_the_engine_ends():
    for case in scoring_cases()[:60]:
        state, chosen = scoring_vectors.state_of(case)
        score, lines = explain(state, chosen)  # raises if the account ends elsewhere
        assert float(score.total) == case["expect"]["total"]
        assert lines
        if not score.blocked:
            assert (lines[-1].chips, lines[-1].mult) == (float(score.chips), float(score.mult)) or np.isnan(
                lines[-1].mult
            )
