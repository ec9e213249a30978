"""The numbered cases of the specification's corner-case list, each a small game of its own, one file a chapter.

Cases about the arithmetic of a hand (66-69, 71, 72, 74) are in test_scoring.py; about pools and draws (2, 3, 36, 40,
87, 88's pool, 111, 112, 134, 135, 142) in test_generation.py and the parity tests; what is not settled is in
docs/known-differences.md.
"""
