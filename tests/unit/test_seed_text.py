import chex
import numpy as np
import pytest

import jaxtro
from jaxtro.seed_text import seed_number


def test_round_trip_and_case():
    assert jaxtro.decode_seed(jaxtro.encode_seed("oooo155")) == "OOOO155"
    chex.assert_shape(jaxtro.encode_seed("A"), (8,))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("ABCDEFGHI", "9 characters"),
        ("AB 1", "' '"),
        ("A-1", "'-'"),
        ("0ABC", "use the letter O"),
        ("ÄB", "Ä"),
        (5, "must be a text"),
    ],
)
def test_wrong_seeds_say_what_is_allowed(text, message):
    with pytest.raises(ValueError, match="1 to 8 of the characters 1-9 and A-Z") as error:
        jaxtro.encode_seed(text)
    assert message in str(error.value)


def test_random_seeds_count_up():
    seeds = [jaxtro.decode_seed(seed) for seed in jaxtro.random_seeds(33, 3)]
    assert seeds == ["1111111Z", "11111121", "11111122"]
    assert [seed_number(seed) for seed in seeds] == [33, 34, 35]
    far = jaxtro.random_seeds(34**8 - 1, 2)
    assert jaxtro.decode_seed(far[0]) == "ZZZZZZZZ"
    assert jaxtro.decode_seed(far[1]) == "11111111"
    assert far.dtype == np.uint8


def test_seed_number_refuses_other_seeds():
    with pytest.raises(ValueError, match="not one the game makes"):
        seed_number("OOOO155")
