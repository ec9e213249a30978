"""Seeds as text and as arrays of bytes."""

import numpy as np

MAX_SEED_LENGTH = 8
# What a player can type. The seeds that the game makes itself leave out O, and no seed has a 0.
SEED_CHARACTERS = "123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
RANDOM_SEED_CHARACTERS = SEED_CHARACTERS.replace("O", "")


def encode_seed(text: str) -> np.ndarray:
    """Turns a seed text into the array that `reset_to_seed` and the generation functions take.

    Lower case is read as upper case, as in the game's own input field.

    Args:
      text: 1 to 8 of the characters 1-9 and A-Z.

    Returns:
      uint8[8]: the ASCII codes, filled up with 0.

    Raises:
      ValueError: if the text is empty, too long, or has another character; says what is allowed.
    """
    allowed = "a seed has 1 to 8 of the characters 1-9 and A-Z"
    if not isinstance(text, str):
        raise ValueError(f"the seed must be a text, not {type(text).__name__}; {allowed}")
    if not text:
        raise ValueError(f"the seed is empty; {allowed}")
    upper = text.upper()
    if len(upper) > MAX_SEED_LENGTH:
        raise ValueError(f"the seed {text!r} has {len(upper)} characters; {allowed}")
    wrong = "".join(sorted(set(upper) - set(SEED_CHARACTERS)))
    if wrong:
        zero = " (the game has no 0 in seeds: use the letter O)" if "0" in wrong else ""
        raise ValueError(f"the seed {text!r} has the characters {wrong!r}; {allowed}{zero}")
    seed = np.zeros(MAX_SEED_LENGTH, np.uint8)
    seed[: len(upper)] = np.frombuffer(upper.encode("ascii"), np.uint8)
    return seed


def decode_seed(seed: np.ndarray) -> str:
    """The text of an encoded seed (uint8[8])."""
    return bytes(np.asarray(seed, np.uint8)).rstrip(b"\0").decode("ascii")


def random_seeds(first: int, count: int) -> np.ndarray:
    """The 8-character seeds number `first`, `first + 1`, ... of the 34**8 that the game can make.

    Returns:
      uint8[count, 8]. Numbers wrap around after 34**8.
    """
    base = len(RANDOM_SEED_CHARACTERS)
    codes = np.frombuffer(RANDOM_SEED_CHARACTERS.encode("ascii"), np.uint8)
    number = (np.arange(count, dtype=np.int64) + first) % base**MAX_SEED_LENGTH
    digits = [(number // base**place) % base for place in reversed(range(MAX_SEED_LENGTH))]
    return codes[np.stack(digits, axis=-1)]


def seed_number(text: str) -> int:
    """The number of an 8-character seed without O in the order of `random_seeds`.

    Raises:
      ValueError: for a shorter seed or one with the letter O, which that order does not have.
    """
    seed = decode_seed(encode_seed(text))
    if len(seed) != MAX_SEED_LENGTH or "O" in seed:
        raise ValueError(f"the seed {text!r} is not one the game makes: 8 characters of 1-9, A-N, P-Z")
    number = 0
    for character in seed:
        number = number * len(RANDOM_SEED_CHARACTERS) + RANDOM_SEED_CHARACTERS.index(character)
    return number
