"""Reads the data files of this folder once, into frozen rows."""

import json
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any


def _freeze(value: Any) -> Any:
    """Turns JSON containers into read-only ones, so that no caller can change a fact."""
    if isinstance(value, dict):
        return MappingProxyType({key: _freeze(item) for key, item in value.items()})
    if isinstance(value, list):
        return tuple(_freeze(item) for item in value)
    return value


def read(name: str) -> Mapping[str, Any]:
    """Returns the table `data/<name>.json` as a read-only mapping with its `rows`."""
    text = resources.files(__package__).joinpath("data", f"{name}.json").read_text("utf-8")
    return _freeze(json.loads(text))
