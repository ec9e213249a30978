"""Golden figures of our own: hands on which at least two independent programs agree."""

import functools
import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "data" / "scoring_cases.jsonl"


@functools.cache
def scoring_cases() -> list[dict[str, Any]]:
    return [json.loads(line) for line in FILE.read_text().splitlines()]
