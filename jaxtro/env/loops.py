"""Loops that turn as long as any game of a batch needs them, once, or never."""

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir

from jaxtro.env.reductions import any_of

Values = TypeVar("Values")

_of_batch_p = Primitive("of_batch")
_of_batch_p.def_impl(lambda value, first: value)
_of_batch_p.def_abstract_eval(lambda value, first: value)
mlir.register_lowering(_of_batch_p, lambda _, value, first: [value])


def _batch(operands: Any, dims: Any, first: bool) -> Any:
    games = jnp.moveaxis(operands[0], dims[0], -1)
    one = games[..., 0] if first and games.shape[-1] else any_of(games)
    return _of_batch_p.bind(one, first=first), batching.not_mapped


batching.primitive_batchers[_of_batch_p] = _batch


def any_game(needed: Array) -> Array:
    """Whether a game needs something; in a batch whether any of its games does, one answer for all. bool[] -> bool[]"""
    return _of_batch_p.bind(needed, first=False)


def while_loop(
    condition: Callable[[Values], Array], body: Callable[[Values], Values], start: Values
) -> Values:
    """As `lax.while_loop`: in a batch it turns until the last game is through, and games that are keep their values.

    `lax.while_loop` asks all games of a batch with a reduction that costs three kernels a turn (`reductions.py`).

    Raises:
      TypeError: if the body changes the shape or the type of a value.
    """

    def turn(now: Values) -> Values:
        going = condition(now)

        def kept(new: Array, old: Array) -> Array:
            new, old = jnp.asarray(new), jnp.asarray(old)
            if new.shape != old.shape or new.dtype != old.dtype:
                raise TypeError(
                    f"the body of a loop turns {old.dtype}{old.shape} into {new.dtype}{new.shape}"
                )
            return jnp.where(going, new, old)

        return jax.tree.map(kept, body(now), now)

    return lax.while_loop(lambda now: any_game(condition(now)), turn, start)


def once_where(needed: Array, function: Callable[[Values], Values], values: Values) -> Values:
    """`function(values)` where needed, else `values`; a batch in which no game needs it does not compute it at all.

    Args:
      needed: bool[]. function: what it works on has to be in `values`: XLA moves what stays the same out of a loop, and
        then computes it for every batch.
    """
    _, after = while_loop(
        lambda now: now[0], lambda now: (jnp.bool_(False), function(now[1])), (needed, values)
    )
    return after
