"""The score calculator of the command line: `python -m jaxtro score`."""
