"""Checkpoints with Orbax: a folder for each kept step, written aside and renamed, so a killed run loses only what came
after the last one.
"""

import json
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp

FORMAT = 1
_META, _STATE = "meta", "state"


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the text says why and what to do."""


def save_checkpoint(folder: Path, step: int, state: Any, meta: dict[str, Any], keep: int = 2) -> None:
    """Writes a checkpoint; older ones than the last `keep` are removed.

    Args:
      folder: of the checkpoints. step: their number, rising. state: a pytree of arrays. meta: plain data beside it.

    Raises:
      CheckpointError: if it cannot be written (full disk, no permission); those before it stay as they are.
    """
    options = ocp.CheckpointManagerOptions(max_to_keep=keep, enable_async_checkpointing=False)
    try:
        with ocp.CheckpointManager(folder.absolute(), options=options) as manager:
            # A run that goes on from an earlier checkpoint comes to the same steps again.
            for old in [number for number in manager.all_steps() if number >= step]:
                manager.delete(old)
            manager.save(
                step,
                args=ocp.args.Composite(
                    **{
                        _STATE: ocp.args.PyTreeSave(state),
                        _META: ocp.args.JsonSave(meta | {"format": FORMAT}),
                    }
                ),
                force=True,
            )
            manager.wait_until_finished()
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{folder}: the checkpoint of step {step} could not be written ({error}); earlier ones are kept. Free some "
            "space or give another --out-dir, then go on with --resume"
        ) from error


def latest_step(folder: Path) -> int | None:
    """The number of the last complete checkpoint of a folder, None if there is none."""
    if not folder.is_dir():
        return None
    with ocp.CheckpointManager(folder.absolute()) as manager:
        step = manager.latest_step()
    return None if step is None else int(step)


def read_meta(folder: Path, step: int | None = None) -> tuple[int, dict[str, Any]]:
    """The number and the plain data of a checkpoint; step None = the last one.

    Raises:
      CheckpointError: if there is none, or one of another version.
    """
    number = latest_step(folder) if step is None else step
    if number is None:
        raise CheckpointError(f"{folder}: no checkpoint there")
    try:
        with ocp.CheckpointManager(folder.absolute()) as manager:
            meta = dict(
                manager.restore(number, args=ocp.args.Composite(**{_META: ocp.args.JsonRestore()}))[_META]
            )
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(f"{folder}: step {number} cannot be read ({error})") from error
    if meta.get("format") != FORMAT:
        raise CheckpointError(f"{folder}: format {meta.get('format')}, this program reads format {FORMAT}")
    return number, meta


def load_checkpoint(
    folder: Path, like: Any, step: int | None = None, partial: bool = False
) -> tuple[Any, dict[str, Any]]:
    """A checkpoint's state and plain data.

    Args:
      like: a pytree of arrays (or shapes with dtypes and shardings) that the state must fit.
      partial: `like` names only some parts of the state.

    Raises:
      CheckpointError: if it is missing, damaged, or has another structure.
    """
    number, meta = read_meta(folder, step)
    try:
        target = jax.tree.map(ocp.utils.to_shape_dtype_struct, like)
        how = ocp.args.StandardRestore(target)
        if partial:
            how = ocp.args.PyTreeRestore(
                item=target,
                restore_args=ocp.checkpoint_utils.construct_restore_args(target),
                partial_restore=True,
            )
        with ocp.CheckpointManager(folder.absolute()) as manager:
            state = manager.restore(number, args=ocp.args.Composite(**{_STATE: how}))[_STATE]
    except Exception as error:  # Orbax raises many kinds for a structure or a shape that differs
        raise CheckpointError(
            f"{folder}: step {number} does not fit these settings ({type(error).__name__}: {str(error)[:300]})"
        ) from error
    return state, meta


def write_json(path: Path, data: Any) -> None:
    """Writes a JSON file that appears only when it is complete; with several hosts the first one writes it."""
    if jax.process_index() != 0:
        return
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(data, indent=1) + "\n")
    part.replace(path)
