"""The error of the parity checks' command line."""


class InputError(ValueError):
    """An input that cannot be used; the text says which part of it and what would be right."""
