"""Saving runs to a file and going on with them exactly: versioned, checked when loaded."""

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxtro.env.phases.start import make_params, new_run
from jaxtro.env.scoring import BOOK
from jaxtro.env.state import State

FORMAT = "jaxtro states"
VERSION = 1  # raised when a field of `State` changes its meaning, shape or type
_META = "meta"
_ZIP = b"PK\x03\x04"  # how the files of numpy.savez start


class SaveError(ValueError):
    """A file that does not hold states of this version; the text says why."""


@functools.cache
def _template() -> Any:
    """The shapes and types of a run (kept: tracing a reset takes a second)."""
    shape = jax.ShapeDtypeStruct((8,), np.uint8)
    return jax.eval_shape(lambda seed: new_run(seed, make_params(), BOOK), shape)


def _names(tree: Any) -> list[str]:
    return [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_flatten_with_path(tree)[0]]


def _checksum(arrays: list[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def save_states(path: str | Path, states: State) -> None:
    """Writes one run or a batch of runs to a file (compressed numpy arrays; it appears only when complete).

    Args:
      path: of the file. states: `State`, with any leading axes.
    """
    path = Path(path)
    arrays = [np.asarray(leaf) for leaf in jax.tree.leaves(jax.device_get(states))]
    names = _names(_template())
    if len(arrays) != len(names):
        raise SaveError(f"{len(arrays)} fields, but a State has {len(names)}; give a State of this version")
    meta = {"format": FORMAT, "version": VERSION, "sha256": _checksum(arrays)}
    fields: dict[str, Any] = dict(zip(names, arrays, strict=True))
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        fields[_META] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
        np.savez_compressed(file, **fields)
    part.replace(path)


def load_states(path: str | Path) -> State:
    """Reads what `save_states` wrote; the runs go on exactly where they were.

    Raises:
      SaveError: for a file of another kind or version, a damaged one, or one whose fields do not fit.
      OSError: if it cannot be read.
    """
    path = Path(path)
    wrong = f"{path}: no file of saved states; give one that save_states or `play --file` wrote"
    with path.open("rb") as file:
        if file.read(len(_ZIP)) != _ZIP:  # numpy would advise to load it as a pickle
            raise SaveError(wrong)
    try:
        with np.load(path) as arrays:
            stored = {name: arrays[name] for name in arrays.files}
    except Exception as error:
        raise SaveError(f"{path}: a damaged file, or none of saved states") from error
    try:
        meta = json.loads(stored.pop(_META).tobytes())
    except (KeyError, ValueError, AttributeError) as error:
        raise SaveError(wrong) from error
    if not isinstance(meta, dict):
        raise SaveError(wrong)
    if meta.get("format") != FORMAT:
        raise SaveError(f"{path}: the format is {meta.get('format')!r}, not {FORMAT!r}")
    if meta.get("version") != VERSION:
        raise SaveError(f"{path}: version {meta.get('version')}, this program reads version {VERSION}")
    template = _template()
    leaves, names, lead = [], _names(template), None
    for name, shape in zip(names, jax.tree.leaves(template), strict=True):
        if name not in stored:
            raise SaveError(f"{path}: the field {name} is missing")
        array = stored[name]
        axes = array.ndim - len(shape.shape)
        if axes < 0 or array.dtype != shape.dtype or array.shape[axes:] != shape.shape:
            raise SaveError(
                f"{path}: {name} is {array.dtype}{list(array.shape)}, not {shape.dtype}{list(shape.shape)}"
            )
        lead = array.shape[:axes] if lead is None else lead
        if array.shape[:axes] != lead:
            raise SaveError(f"{path}: {name} holds {array.shape[:axes]} runs, others {lead}")
        leaves.append(array)
    if _checksum(leaves) != meta.get("sha256"):
        raise SaveError(f"{path}: the checksum is wrong; the file is damaged")
    return jax.tree.unflatten(jax.tree.structure(template), [jax.numpy.asarray(leaf) for leaf in leaves])
