"""A terminal game over the same functions, to check a rule by hand."""
