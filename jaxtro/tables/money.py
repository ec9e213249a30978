"""Base chips of an ante."""

import numpy as np

from jaxtro.tables import _load

_ROWS = _load.read("ante_chips")["rows"]
# float64[39, 3]: antes 1..39 x scalings 1..3; inf where the game's number leaves float64.
ANTE_CHIPS = np.array([[np.inf if v is None else v for v in row[1:]] for row in _ROWS])
ANTE_CHIPS.setflags(write=False)


def ante_chips(ante: int, scaling: int = 1) -> float:
    """Chips of the Small Blind of an ante (scaling 1 White, 2 Green, 3 Purple Stake); 100 below ante 1."""
    if scaling not in (1, 2, 3):
        raise ValueError(f"scaling must be 1, 2 or 3, not {scaling!r}")
    if ante < 1:
        return 100.0
    return float(ANTE_CHIPS[min(ante, len(ANTE_CHIPS)) - 1, scaling - 1])
