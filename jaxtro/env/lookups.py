"""Looking things up in ways that suit CPUs: columns of tables, rows of structs of arrays.

XLA's CPU backend reads what a traced index points to one element after the other, and in a kernel of its own.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from numpy.typing import ArrayLike

Tree = TypeVar("Tree")
_FEW = 8  # up to so many rows of a column are looked up by comparing
_WORD = 64


def element(values: ArrayLike, places: Array | int) -> Array:
    """values[places] of places from 0 to N - 1; for others a value that means nothing (on CPUs the first or the last).

    Plain indexing counts negative places from the end, which costs three operations each time.
    """
    return jnp.asarray(values).at[places].get(mode="promise_in_bounds", wrap_negative_indices=False)


def look_up(column: ArrayLike, rows: Array) -> Array:
    """A column's values at some rows. column: [N], known when tracing. rows: int[...] -> [...], of the column's type

    Most columns say something of a few rows only. Comparing with these is fused with what is made of the answer and
    takes a fraction of the time of a gather.

    Args:
      rows: from 0 to N - 1; what is found for others means nothing.
    """
    column = np.asarray(column)
    if column.ndim != 1:
        raise ValueError(f"look_up reads a column, not an array of shape {column.shape}")
    values, counts = np.unique(column, return_counts=True)
    usual = values[np.argmax(counts)]
    others = np.flatnonzero(column != usual)
    rows = jnp.asarray(rows)
    if len(others) > _FEW:
        return element(jnp.asarray(column), rows.astype(jnp.int32))
    # Plain `lax`, as there are thousands of these to trace.
    same: dict[bytes, list[int]] = {}  # rows of each value, by its bits: NaN and -0.0 are values, too
    for row in others.tolist():
        same.setdefault(column[row].tobytes(), []).append(row)
    its = [
        (column[equal[0]], joined([lax.eq(rows, lax.full_like(rows, row)) for row in equal]))
        for equal in same.values()
    ]
    found = lax.full(rows.shape, usual, column.dtype)
    if len(its) > 2 and column.dtype.kind in "iu":
        # The bits in which they differ.
        none = lax.full(rows.shape, 0, column.dtype)
        differ = [lax.select(here, lax.full_like(none, value ^ usual), none) for value, here in its]
        return lax.bitwise_xor(found, joined(differ))
    for value, here in its:
        found = lax.select(here, lax.full_like(found, value), found)
    return found


def joined(parts: list[Array]) -> Array:
    """The union of sets, or whether any of some conditions holds. [...] each -> [...]

    In pairs: XLA moves a reshape down a chain by one operation in each round of its simplification, and each round goes
    through the whole program (docs/performance.md).
    """
    while len(parts) > 1:
        pairs = [lax.bitwise_or(a, b) for a, b in zip(parts[::2], parts[1::2], strict=False)]
        parts = pairs + parts[len(pairs) * 2 :]
    return parts[0]


class Columns:
    """Columns of a table as the bits of few numbers a row, so that a row is read with few gathers."""

    def __init__(self, columns: Mapping[str, np.ndarray]) -> None:
        """columns: whole numbers or truth values [N] each.

        Raises:
          TypeError: for a column of other numbers. ValueError: for one with values further apart than 2**62.
        """
        self._places: dict[str, tuple[int, int, int, int, np.dtype]] = {}
        used: list[int] = []
        parts: list[list[np.ndarray]] = []
        for name, column in columns.items():
            if column.dtype != np.bool_ and not np.issubdtype(column.dtype, np.integer):
                raise TypeError(f"column {name!r} holds {column.dtype}, not whole numbers")
            least = int(column.min())
            width = (int(column.max()) - least).bit_length()
            if width >= _WORD - 1:
                raise ValueError(f"the values of column {name!r} do not fit into {_WORD - 2} bits")
            word = next((n for n, bits in enumerate(used) if bits + width < _WORD), len(used))
            if word == len(used):
                used.append(0)
                parts.append([])
            self._places[name] = (word, used[word], width, least, column.dtype)
            parts[word].append((column.astype(np.int64) - least) << used[word])
            used[word] += width
        self._words = [np.bitwise_or.reduce(part) for part in parts]

    def at(self, rows: Array) -> "TableRow":
        """The row or rows (int[...], from 0 to N - 1)."""
        return TableRow(
            self._places, [element(jnp.asarray(word), rows.astype(jnp.int32)) for word in self._words]
        )


class TableRow:
    """A row of `Columns`, or several: `row["targets_min"]` is a column's value there, of the column's type."""

    def __init__(self, places: Mapping[str, tuple[int, int, int, int, np.dtype]], words: list[Array]) -> None:
        self._places, self._words = places, words

    def __getitem__(self, name: str) -> Array:
        word, first, width, least, dtype = self._places[name]
        value = ((self._words[word] >> first) & ((1 << width) - 1)) + least
        return value != 0 if np.issubdtype(dtype, np.bool_) else value.astype(dtype)


class PackedRows:
    """The rows of a struct of arrays as few numbers each, to be moved as these and not field by field.

    Attributes:
      words: uint64[N] of several fields each; fields [N, ...] of more than a number as they are.
    """

    def __init__(self, tree: Any) -> None:
        leaves, self._tree = jax.tree.flatten(tree)
        self._dtypes = [jnp.asarray(leaf).dtype for leaf in leaves]
        widths = [1 if dtype == jnp.bool_ else dtype.itemsize * 8 for dtype in self._dtypes]
        self._alone = [jnp.ndim(leaf) > 1 for leaf in leaves]
        # The widest first, each where it still fits: word and lowest bit of each field.
        self._places: list[tuple[int, int]] = [(0, 0)] * len(leaves)
        used: list[int] = []
        for field in sorted(range(len(leaves)), key=lambda field: -widths[field]):
            width = _WORD if self._alone[field] else widths[field]
            word = next((n for n, bits in enumerate(used) if bits + width <= _WORD), len(used))
            if word == len(used):
                used.append(0)
            self._places[field] = (word, used[word])
            used[word] += width
        self.words: list[Array] = [self._joined(leaves, word) for word in range(len(used))]

    def _joined(self, leaves: list[Any], word: int) -> Array:
        parts: list[Array] = []
        for leaf, dtype, alone, (its, first) in zip(
            leaves, self._dtypes, self._alone, self._places, strict=True
        ):
            if its != word:
                continue
            if alone:
                return jnp.asarray(leaf)
            value = jnp.asarray(leaf)
            if dtype != jnp.bool_ and not jnp.issubdtype(dtype, jnp.unsignedinteger):
                value = lax.bitcast_convert_type(value, f"uint{dtype.itemsize * 8}")
            parts.append(value.astype(jnp.uint64) << first)
        return joined(parts)

    def fields(self, words: list[Array]) -> Any:
        """The struct of other words that were made from `words`, of any shape."""
        fields = []
        for dtype, alone, (word, first) in zip(self._dtypes, self._alone, self._places, strict=True):
            if alone:
                fields.append(words[word])
                continue
            value = words[word] >> first
            if dtype == jnp.bool_:
                fields.append((value & 1) != 0)
                continue
            value = value.astype(f"uint{dtype.itemsize * 8}")
            is_plain = jnp.issubdtype(dtype, jnp.unsignedinteger)
            fields.append(value if is_plain else lax.bitcast_convert_type(value, dtype))
        return jax.tree.unflatten(self._tree, fields)


def rows_at(tree: Tree, places: Array) -> Tree:
    """The rows of a struct of arrays [N] at some places (int[...], from 0 to N - 1). -> the struct, arrays [...]"""
    words = PackedRows(tree)
    return words.fields([element(word, places) for word in words.words])
