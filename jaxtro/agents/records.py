"""Expert decisions as JSON lines, one a decision, for other tools and back."""

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxtro.agents import policy
from jaxtro.agents.bc import Steps
from jaxtro.agents.saved_policy import empty_features
from jaxtro.env.actions import CARD_KINDS, MOVES, SLOT_MEANING, Kind
from jaxtro.env.flat import NUM_ACTIONS, flat_number
from jaxtro.env.reward import Weights
from jaxtro.env.state import HAND_CAPACITY, Phase
from jaxtro.seed_text import MAX_SEED_LENGTH, decode_seed, encode_seed

FIELDS = (
    "timestamp", "episode_id", "step_id", "instance_id", "base_url", "phase", "done", "hand_size", "legal_action_ids",
    "expert_action_id", "macro_action", "reward", "reward_info", "features",
)  # fmt: skip


class RecordError(ValueError):
    """A file of records that cannot be read; the text says which line and why."""


def _plain(tree: Any) -> dict[str, Any]:
    """A struct of arrays as nested lists."""
    if not hasattr(tree, "__dataclass_fields__"):
        return np.asarray(tree).tolist()
    return {name: _plain(getattr(tree, name)) for name in tree.__dataclass_fields__}


def _struct(like: Any, data: Any, path: str) -> Any:
    """A struct of arrays from nested lists, checked against an example."""
    if not hasattr(like, "__dataclass_fields__"):
        array = np.asarray(data, like.dtype)
        if array.shape != like.shape:
            raise RecordError(f"{path} has the shape {array.shape}, not {like.shape}")
        return array
    if not isinstance(data, dict) or set(data) != set(like.__dataclass_fields__):
        raise RecordError(f"{path} must have the fields {', '.join(like.__dataclass_fields__)}")
    return type(like)(**{name: _struct(getattr(like, name), data[name], f"{path}.{name}") for name in data})


def macro_of(taken: policy.Taken) -> dict[str, Any]:
    """An action in words: {"kind": "play", "cards": [0, 2]}."""
    kind = Kind(int(taken.kind))
    macro: dict[str, Any] = {"kind": kind.name.lower()}
    if kind in SLOT_MEANING:
        macro["slot"] = int(taken.slot)
    if kind in CARD_KINDS:
        macro["cards"] = np.flatnonzero(taken.cards).tolist()
    if kind in MOVES:
        macro["to"] = int(taken.to)
    return macro


def write_records(path: Path, steps: Steps, instance_id: str = "jaxtro", base_url: str = "") -> int:
    """Writes decisions as JSON lines; the file appears only when it is complete.

    Args:
      steps: [M], numpy arrays.

    Returns:
      how many lines were written.
    """
    part = path.with_name(path.name + ".part")
    count = len(steps.reward)
    with part.open("w") as file:
        for number in range(count):
            one = jax.tree.map(lambda values: np.asarray(values)[number], steps)  # noqa: B023
            taken, seed = one.taken, decode_seed(one.seed)
            line = {
                "timestamp": time.time(), "episode_id": seed, "step_id": int(one.step), "instance_id": instance_id,
                "base_url": base_url, "phase": Phase(int(one.phase)).name, "done": bool(one.done),
                "hand_size": int(one.hand_size), "legal_action_ids": np.flatnonzero(one.legal).tolist(),
                "expert_action_id": flat_number(int(taken.kind), int(taken.slot), int(taken.to)),
                "macro_action": macro_of(taken), "reward": float(one.reward), "reward_info": _plain(one.terms),
                "features": {"seen": _plain(one.features), "masks": _plain(taken)},
            }  # fmt: skip
            file.write(json.dumps(line) + "\n")
    part.replace(path)
    return count


def _taken_shapes() -> policy.Taken:
    """An example of `policy.Taken`."""
    zero, cards = np.int8(0), np.zeros(HAND_CAPACITY, bool)
    example: dict[str, Any] = dict(
        kind=zero, slot=zero, to=zero, cards=cards, kinds=np.zeros(len(Kind), bool), slots=cards, places=cards,
        allowed=cards, forced=cards, low=zero, high=zero,
    )  # fmt: skip
    return policy.Taken(**example)


def read_records(path: Path) -> Steps:
    """Reads what `write_records` wrote. -> `Steps`[M], numpy arrays

    Raises:
      RecordError: for a line that is no record, or one with features of another program or version.
      OSError: if the file cannot be read.
    """
    rows = list(_rows(path))
    if not rows:
        raise RecordError(f"{path}: no record in it")
    return jax.tree.map(lambda *leaves: np.stack(leaves), *rows)


def _rows(path: Path) -> Iterator[Steps]:
    seen, masks = jax.tree.map(np.asarray, empty_features()), _taken_shapes()
    with path.open() as file:
        for number, text in enumerate(file, start=1):
            try:
                line = json.loads(text)
                missing = [name for name in FIELDS if name not in line]
                if missing:
                    raise RecordError(f"the fields {', '.join(missing)} are missing")
                yield _step(line, seen, masks)
            except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
                raise RecordError(f"{path}, line {number}: {error}") from error


def _run_code(episode: str) -> np.ndarray:
    """The seed of an episode, or for other names eight bytes that tell it apart. -> uint8[8]"""
    if 0 < len(episode) <= MAX_SEED_LENGTH:
        return encode_seed(episode)
    return np.frombuffer(hashlib.blake2b(episode.encode(), digest_size=MAX_SEED_LENGTH).digest(), np.uint8)


def _step(line: dict[str, Any], seen: Any, masks: Any) -> Steps:
    parts = line["features"]
    if not isinstance(parts, dict) or set(parts) != {"seen", "masks"}:
        raise RecordError("the features are not of this program (it writes `seen` and `masks`)")
    legal = np.zeros(NUM_ACTIONS, bool)
    for number in line["legal_action_ids"]:
        if not 0 <= number < NUM_ACTIONS:
            raise RecordError(f"there is no action {number}; they go from 0 to {NUM_ACTIONS - 1}")
        legal[number] = True
    known: dict[str, Any] = {
        name: np.float32(line["reward_info"].get(name, 0)) for name in Weights.__dataclass_fields__
    }
    taken = _struct(masks, parts["masks"], "features.masks")
    if macro_of(taken) != line["macro_action"]:
        raise RecordError("`macro_action` and `features.masks` are different actions; change both alike")
    if not taken.kinds[taken.kind] or not taken.slots[taken.slot] or np.any(taken.cards & ~taken.allowed):
        raise RecordError("the action is not among those that `features.masks` allows")
    fields: dict[str, Any] = dict(
        features=_struct(seen, parts["seen"], "features.seen"), taken=taken,
        seed=_run_code(str(line["episode_id"])), step=np.int32(line["step_id"]),
        phase=np.int8(Phase[line["phase"]]),
        hand_size=np.int32(line["hand_size"]), legal=legal, reward=np.float32(line["reward"]),
        terms=Weights(**known), done=np.bool_(line["done"]),
    )  # fmt: skip
    return Steps(**fields)
