"""The terminal game: its menu, its questions, its files."""

import argparse

import jax
import numpy as np
import pytest

import jaxtro
from jaxtro.env.actions import Kind
from jaxtro.play.cli import Game, choices, play
from jaxtro.view import derive, state_view
from tests.run_tools import ENV, act, jokers, put, resets, shop, step_all, upcoming


@pytest.fixture(scope="module")
def fresh():  # type: ignore[no-untyped-def]
    return resets(["OOOO155"], [jaxtro.make_params()])[0]


def menu_of(state):  # type: ignore[no-untyped-def]
    view = state_view(state, jax.device_get(jax.jit(derive)(state)))
    return choices(jax.device_get(ENV.legal_actions(state)), view)


def arguments(**fields):  # type: ignore[no-untyped-def]
    base = dict(seed="OOOO155", deck="b_red", stake="stake_white", challenge=None, endless=False, file=None)
    return argparse.Namespace(**(base | fields))


def test_menus(fresh):  # type: ignore[no-untyped-def]
    assert [choice.text for choice in menu_of(fresh)] == ["play this blind", "skip this blind"]
    counter = shop(
        put(jokers(fresh, "j_egg"), run__money=20), ["c_pluto"], ["p_arcana_mega_1"], ["", "v_hone"][1:]
    )
    texts = [choice.text for choice in menu_of(counter)]
    assert "buy Pluto $3" in texts
    assert "buy and use Pluto $3" in texts
    assert "buy Hone $10" in texts
    assert "open Mega Arcana Pack $8" in texts
    assert "sell Egg for $2" in texts
    assert "next round" in texts


def test_questions(fresh):  # type: ignore[no-untyped-def]
    said: list[str] = []
    answers = iter(["nonsense", "?", "i", "q"])
    Game(fresh, None, lambda _: next(answers), said.append).run()
    text = "\n".join(said)
    assert "none of the choices" in text
    assert "Type the number" in text
    assert "High Card: level 1, 5 x 1" in text
    assert "52 cards in the draw pile" in text


def test_hidden_cards_are_not_shown(fresh):  # type: ignore[no-untyped-def]
    ((_, state, _),) = step_all([upcoming(fresh, "bl_house")], [act(Kind.SELECT)])
    said: list[str] = []
    Game(state, None, lambda _: "q", said.append).run()
    assert "hand: " + " ".join(["??"] * 8) in "\n".join(said)


def test_files(tmp_path, fresh):  # type: ignore[no-untyped-def]
    path = tmp_path / "run.npz"
    assert play(arguments(file=path), ask=lambda _: "q", say=lambda _: None) == 0
    said: list[str] = []
    assert play(arguments(file=path, seed=None), ask=lambda _: "q", say=said.append) == 0
    assert "Going on with the run" in said[0]
    jaxtro.save_states(path, jax.tree.map(lambda values: np.stack([values] * 2), fresh))
    with pytest.raises(ValueError, match="batch of runs"):
        play(arguments(file=path), ask=lambda _: "q", say=said.append)
    with pytest.raises(ValueError, match="unknown deck"):
        play(arguments(deck="nobody"), say=said.append)
    assert play(arguments(file=tmp_path / "no" / "run.npz"), ask=lambda _: "q", say=said.append) == 2
