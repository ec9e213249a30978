import json

import pytest

from parity.__main__ import main
from tests.golden import FILE, scoring_cases


@pytest.mark.parametrize("name", ["rng_vectors.json", "seed_shops.json", "scoring_vectors.jsonl"])
def test_oracle_file_matches(shared, capsys, name):
    assert main(["check", str(shared / "oracle" / name), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["ok"]
    assert printed["matched"] == printed["total"] > 400


# A small golden file of our own: ante 1 of two seeds (values that two programs agree on).
GOLDEN = {
    "seeds": [
        {
            "seed": "OOOO155",
            "antes": [
                {
                    "ante": 1,
                    "boss": "bl_manacle",
                    "voucher": "v_hone",
                    "tag_small": "tag_foil",
                    "tag_big": "tag_economy",
                    "shop": [
                        "j_burglar", "c_jupiter", "j_juggler", "j_hanging_chad", "j_green_joker",
                        "j_drunkard", "j_onyx_agate", "c_moon", "j_egg", "j_vampire",
                    ],
                    "queue_packs": [
                        ["p_buffoon_normal_1", "j_greedy_joker", "j_diet_cola"],
                        ["p_buffoon_jumbo_1", "j_crazy", "j_seeing_double", "j_square", "j_credit_card"],
                        [
                            "p_arcana_jumbo_2", "c_high_priestess", "c_devil", "c_sun", "c_tower",
                            "c_heirophant",
                        ],
                        ["p_celestial_jumbo_1", "c_earth", "c_saturn", "c_mars", "c_uranus", "c_mercury"],
                    ],
                    "orbital": ["Three of a Kind", "Pair", "Flush"],
                },
                {
                    "ante": 2,
                    "boss": "bl_water",
                    "packs": [
                        ["p_spectral_mega_1", "c_incantation", "c_cryptid", "c_talisman", "c_familiar"],
                        ["p_standard_jumbo_2", "C_5", "H_9", "S_Q~m_lucky", "S_T~m_bonus@foil", "C_4#Purple"],
                        ["p_arcana_normal_1", "c_tower", "c_magician", "c_sun"],
                        ["p_buffoon_mega_1", "j_diet_cola", "j_misprint", "j_runner", "j_red_card"],
                    ],
                    "deal": [
                        ["D_T", "S_2", "S_Q", "H_7", "D_5", "S_T", "D_A", "D_6", "H_5", "D_2"],
                        ["S_4", "C_7", "S_2", "D_K", "H_T", "D_A", "D_7", "H_Q", "C_Q", "D_8"],
                        ["C_K", "D_6", "H_J", "H_4", "H_5", "S_2", "C_Q", "C_4", "S_J", "S_5"],
                    ],
                },
            ],
        }
    ]
}  # fmt: skip


def test_golden_shops_match_and_a_wrong_value_is_named(tmp_path, capsys):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(GOLDEN))
    assert main(["check", str(good)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "TOTAL matched 2 of 2 antes; files 1 of 1"
    bad.write_text(json.dumps(GOLDEN).replace("bl_water", "bl_hook"))
    assert main(["check", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "seed OOOO155 ante 2: boss: expected 'bl_hook', got 'bl_water'" in out
    assert out.splitlines()[-1] == "TOTAL matched 3 of 4 antes; files 1 of 2"


def test_inputs_that_cannot_be_read(tmp_path, capsys):
    broken, other = tmp_path / "broken.json", tmp_path / "other.json"
    broken.write_text("{")
    other.write_text("[1]")
    for path, message in (
        (broken, "cannot be read as JSON"),
        (other, "not a known format"),
        (tmp_path / "missing.json", "no such file"),
    ):
        assert main(["check", str(path)]) == 2
        assert message in capsys.readouterr().err


def test_golden_hands_match_and_a_wrong_value_is_named(tmp_path, capsys):
    assert main(["check", str(FILE)]) == 0
    count = len(scoring_cases())
    assert capsys.readouterr().out.splitlines()[-1] == f"TOTAL matched {count} of {count} cases; files 1 of 1"
    wrong = json.loads(json.dumps(scoring_cases()[0]))
    wrong["expect"]["total"] += 1
    wrong["expect"]["weather"] = "rain"
    (tmp_path / "wrong.jsonl").write_text(json.dumps(wrong) + "\n")
    assert main(["check", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert f"{wrong['id']}: total: expected {wrong['expect']['total']}, got" in out
    assert "weather: expected 'rain', got '(unknown field)'" in out
    # A field that is left out is unknown.
    del wrong["expect"]["total"], wrong["expect"]["weather"]
    (tmp_path / "wrong.jsonl").write_text(json.dumps(wrong) + "\n")
    assert main(["check", str(tmp_path)]) == 0
    capsys.readouterr()
    # A case that cannot be scored is named, and does not hide the others.
    cases = [dict(wrong, played=wrong["played"] * 9), dict(wrong, jokers=[{"k": "j_weather"}]), wrong]
    cases.append(
        {
            "id": "least",
            "played": [{"c": "10H"}],
            "jokers": [{"k": "j_joker"}],
            "ctx": {},
            "expect": {"mult": 5},
        }
    )
    (tmp_path / "wrong.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
    assert main(["check", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "a hand is 1 to 5 cards" in out
    assert "unknown joker 'j_weather'" in out
    assert out.splitlines()[-1] == "TOTAL matched 2 of 4 cases; files 0 of 1"
