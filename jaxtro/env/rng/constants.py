"""Numbers of the game's random generator (rng.md 1)."""

C1 = 1.1239285023
C2 = 1.72431234
C3 = 2.134453429141
PI = 3.141592653589793
E = 2.718281828459045
TEN13 = 1e13

# Bits that each of the four generator words drops, and its three shifts (rng.md 1.3).
WORDS = ((1, 31, 45, 18), (6, 19, 30, 28), (9, 24, 48, 7), (17, 21, 39, 8))
WARM_UP = 10
NAN_WORD = 0x7FF8000000000000  # all four words of a NaN stream (rng.md 1.5)
