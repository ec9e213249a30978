"""The generator of rng.md in plain Python, written for the tests: slow, obvious, no XLA."""

import math
import struct
from decimal import ROUND_HALF_EVEN, Decimal

MASK = 2**64 - 1


def hash_text(text: str) -> float:
    value = 1.0
    for index in range(len(text), 0, -1):
        if value == 0 or math.isnan(value):
            return math.nan
        t = 1.1239285023 / value
        t = t * ord(text[index - 1])
        t = t * math.pi
        v = t + math.pi * index
        value = v - math.floor(v)
    return value


def step(state: float) -> float:
    v = 2.134453429141 + state * 1.72431234
    x = v - math.floor(v)
    # Rounded as text is: through exact decimals, not through floats.
    return float(Decimal(x).quantize(Decimal("1e-13"), rounding=ROUND_HALF_EVEN))


def floats(d: float, count: int) -> list[float]:
    table = ((1, 31, 45, 18), (6, 19, 30, 28), (9, 24, 48, 7), (17, 21, 39, 8))
    words = []
    for drop, *_ in table:
        d = d * math.pi
        d = d + math.e
        word = struct.unpack("<Q", struct.pack("<d", d))[0]
        words.append(word + 2**drop if word < 2**drop else word)
    out = []
    for n in range(10 + count):
        for i, (drop, a, b, c) in enumerate(table):
            w = words[i]
            words[i] = ((((w << a) & MASK) ^ w) >> b) ^ ((((w >> drop) << drop) << c) & MASK)
        if n >= 10:
            bits = (words[0] ^ words[1] ^ words[2] ^ words[3]) & (2**52 - 1)
            out.append(struct.unpack("<d", struct.pack("<Q", bits | 0x3FF0000000000000))[0] - 1.0)
    return out


class Run:
    """Streams of one seed by their full texts."""

    def __init__(self, seed: str) -> None:
        self.seed, self.states, self.hash = seed, {}, hash_text(seed)

    def u(self, key: str) -> float:
        state = step(self.states.get(key, hash_text(key + self.seed)))
        self.states[key] = state
        return floats((state + self.hash) / 2, 1)[0]

    def pool(self, key: str, is_open: list[bool]) -> int:
        if not any(is_open):
            self.u(key)
            return -1
        slot, level = int(self.u(key) * len(is_open)), 1
        while not is_open[slot]:
            level += 1
            slot = int(self.u(f"{key}_resample{level}") * len(is_open))
        return slot
