"""The phases of the game: one subject a file."""
