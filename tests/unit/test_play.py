"""The terminal game: its menu, its questions, its files."""

import argparse
import shutil
from dataclasses import replace

import jax
import numpy as np
import pytest

import jaxtro
from jaxtro.__main__ import main
from jaxtro.env.actions import Kind
from jaxtro.env.save import SaveError
from jaxtro.play.cli import Game, choices, play
from jaxtro.tables import EDITIONS, ENHANCEMENTS
from jaxtro.view import derive, state_view
from tests.run_tools import (
    ENV,
    act,
    consumables,
    fight,
    jokers,
    put,
    redeemed,
    resets,
    shop,
    step_all,
    upcoming,
)
from tests.shared_env import SharedEnv

DERIVE = jax.jit(derive)


@pytest.fixture(scope="module")
def fresh():  # type: ignore[no-untyped-def]
    return resets(["OOOO155"], [jaxtro.make_params()])[0]


@pytest.fixture(scope="module")
def selected(fresh):  # type: ignore[no-untyped-def]
    ((_, state, _),) = step_all([fresh], [act(Kind.SELECT)])
    return state


def menu_of(state):  # type: ignore[no-untyped-def]
    view = state_view(state, jax.device_get(DERIVE(state)))
    return choices(jax.device_get(ENV.legal_actions(state)), view)


def arguments(**fields):  # type: ignore[no-untyped-def]
    base = dict.fromkeys(("seed", "deck", "stake", "challenge", "endless", "file"))
    return argparse.Namespace(**(base | fields))


def talk(state, *answers, file=None):  # type: ignore[no-untyped-def]
    """Plays in the terminal; a choice is answered by its text, what follows it as typed. -> the game, what was said"""
    said: list[str] = []
    waiting = list(answers)

    def ask(question: str) -> str:
        answer = waiting.pop(0) if waiting else "q"
        if callable(answer):
            answer = answer()
        numbers = [line.split(".")[0] for line in said if line.endswith(f". {answer}")]
        return numbers[-1] if question == "> " and numbers else answer

    game = Game(state, file, ask, said.append)
    game.env, game._derive = SharedEnv(), DERIVE  # type: ignore[assignment]
    game.run()
    assert not waiting
    return game, "\n".join(said)


# --- the menu and the questions ---------------------------------------------------------------------------


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
    rerolling = put(redeemed(fresh, "v_retcon"), run__money=20)
    assert "reroll the boss ($10)" in [choice.text for choice in menu_of(rerolling)]


def test_questions(fresh):  # type: ignore[no-untyped-def]
    _, text = talk(fresh, "nonsense", "²", "?", "i")
    assert text.count("none of the choices") == 2
    assert "Type the number" in text
    assert "High Card: level 1, 5 x 1" in text
    assert "52 cards not seen, 52 of them in the draw pile: 13 S, 13 H, 13 C, 13 D" in text


def test_cards_are_asked_for_until_they_fit(selected):  # type: ignore[no-untyped-def]
    tries = ("1 2 3 4 5 6", "9", "1 1", "one", "0", "")
    game, text = talk(selected, *(word for given in tries for word in ("play cards", given)))
    assert text.count("1 to 5 needed, 6 given") == 1
    assert text.count("Give different numbers from 1 to 8") == 4
    assert "not allowed" not in text
    assert int(game.state.run.steps) == 1  # nothing was done
    game, text = talk(selected, "play cards", "1 2 3 4", "n", "play cards", "4, 3, 2, 1", "y")
    assert text.count("Four of a Kind, 100 x 7 = 700") == 2
    assert "Four of a Kind: 700 chips" in text
    assert int(game.state.run.steps) == 2
    # A card that needs two: The Hanged Man takes one or two, Death exactly two.
    game, text = talk(consumables(selected, "c_death"), "use Death", "1", "use Death", "1 8")
    assert "2 needed, 1 given" in text
    assert int(game.state.run.steps) == 2


def test_moves_need_two_places(fresh):  # type: ignore[no-untyped-def]
    three = jokers(fresh, "j_joker", "j_egg", ("j_gros_michel", {"pinned": True}))
    game, text = talk(
        three, "move a joker", "1", "move a joker", "", "move a joker", "3 1", "move a joker", "1 2"
    )
    assert text.count("2 needed, 1 given") == 1
    assert text.count("A pinned joker stays") == 1
    assert "jokers: Gros Michel (pinned), Egg, Joker" in text
    assert int(game.state.run.steps) == 1


def test_a_refusal_says_why(selected):  # type: ignore[no-untyped-def]
    held = fight(selected, "bl_final_bell", forced=int(selected.piles.hand[2]))
    game, text = talk(held, "play cards", "1 2", "play cards", "1 3", "n")
    assert text.count("Cerulean Bell holds card 3") == 1
    assert int(game.state.run.steps) == 1
    deck = jax.tree.map(np.array, selected.deck)
    deck.cards.edition[selected.piles.hand[0]] = EDITIONS.keys.index("e_foil")
    aura = consumables(replace(selected, deck=deck), "c_aura")
    game, text = talk(aura, "use Aura", "1", "use Aura", "2")
    assert text.count("Aura takes a card without an edition") == 1
    assert int(game.state.run.steps) == 2


# --- what is hidden ---------------------------------------------------------------------------------------


def test_hidden_cards_are_not_shown(fresh):  # type: ignore[no-untyped-def]
    ((observation, state, _),) = step_all([upcoming(fresh, "bl_house")], [act(Kind.SELECT)])
    game, text = talk(state, "i", "play cards", "1 2", "n")
    assert "hand: " + " ".join(["??"] * 8) in text
    # What lies face down counts with the draw pile, as in the observation.
    assert "52 cards not seen, 44 of them in the draw pile: 13 S, 13 H, 13 C, 13 D" in text
    assert len(game.view()["unseen"]) == observation.unseen.sum()
    assert "the score is not known" in text
    assert " = " not in text


def test_a_score_does_not_tell_what_lies_face_down(selected):  # type: ignore[no-untyped-def]
    _, text = talk(jokers(selected, ("j_joker", {"face_down": True})), "play cards", "1", "n")
    assert "jokers: a joker (face down)" in text
    assert "the score is not known" in text
    deck = jax.tree.map(np.array, selected.deck)
    deck.face_down[selected.piles.hand[7]] = True
    _, text = talk(replace(selected, deck=deck), "play cards", "1", "n")
    assert "the score is not known" in text


def test_stone_cards_have_no_suit(selected):  # type: ignore[no-untyped-def]
    deck = jax.tree.map(np.array, selected.deck)
    deck.cards.enhancement[selected.piles.draw[:2]] = ENHANCEMENTS.keys.index("m_stone")
    _, text = talk(replace(selected, deck=deck), "i")
    assert ", 2 stone" in text
    assert "44 cards not seen" in text


# --- files and options ------------------------------------------------------------------------------------


def test_files(tmp_path, fresh):  # type: ignore[no-untyped-def]
    path = tmp_path / "run.npz"
    assert play(arguments(file=path, seed="OOOO155"), ask=lambda _: "q", say=lambda _: None) == 0
    said: list[str] = []
    assert play(arguments(file=path), ask=lambda _: "q", say=said.append) == 0
    assert "Going on with the run" in said[0]
    for given in (
        {"seed": "OOOO155"},
        {"deck": "b_red"},
        {"stake": "gold"},
        {"challenge": "c"},
        {"endless": True},
    ):
        with pytest.raises(ValueError, match=f"holds a run already.*--{next(iter(given))}"):
            play(arguments(file=path, **given))
    jaxtro.save_states(path, jax.tree.map(lambda values: np.stack([values] * 2), fresh))
    with pytest.raises(ValueError, match="batch of runs"):
        play(arguments(file=path), ask=lambda _: "q", say=said.append)
    with pytest.raises(ValueError, match="unknown deck"):
        play(arguments(deck="nobody"), say=said.append)


def test_wrong_files_are_found_before_anything_is_compiled(tmp_path, monkeypatch, capsys):  # type: ignore[no-untyped-def]
    monkeypatch.setattr(jaxtro, "make", lambda: pytest.fail("compiled first"), raising=False)
    missing = tmp_path / "no" / "run.npz"
    with pytest.raises(ValueError, match=r"there is no folder .*no; make it"):
        play(arguments(file=missing))
    text = tmp_path / "notes.txt"
    text.write_text("money = 4\n")
    with pytest.raises(SaveError, match="no file of saved states"):
        play(arguments(file=text))
    assert main(["play", "--file", str(text), "--seed", "OOOO155", "--endless"]) == 2
    assert "leave out --seed, --endless" in capsys.readouterr().err
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(ValueError, match="cannot be written to"):
        play(arguments(file=tmp_path / "run.npz"))


def test_a_failed_save_does_not_end_the_game(tmp_path, fresh):  # type: ignore[no-untyped-def]
    folder = tmp_path / "runs"
    folder.mkdir()

    def gone() -> str:
        shutil.rmtree(folder)
        return "play this blind"

    def back() -> str:
        folder.mkdir()
        return "sort by suit ascending"

    game, text = talk(fresh, gone, back, file=folder / "run.npz")
    assert text.count("Note: the run was not kept") == 1
    assert int(jaxtro.load_states(folder / "run.npz").run.steps) == int(game.state.run.steps) == 2
