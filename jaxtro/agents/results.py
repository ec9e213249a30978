"""What became of runs: read from the final states, never from rewards."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxtro.env.state import Phase
from jaxtro.tables import BLINDS

_Z = 1.959963984540054  # 95 %


@dataclass(frozen=True)
class Runs:
    """Results of runs, one entry each.

    Attributes:
      seed: texts. won: bool. finished: bool, the run had ended when it was looked at. ante: int, the last one reached.
      blinds: int, blinds beaten, those that only Mr. Bones survived among them. actions: int.
      lost_to: key of the blind that ended the run, "" if none did.
      money: int, dollars at the end.
    """

    seed: tuple[str, ...]
    won: np.ndarray
    finished: np.ndarray
    ante: np.ndarray
    blinds: np.ndarray
    actions: np.ndarray
    lost_to: tuple[str, ...]
    money: np.ndarray

    def __len__(self) -> int:
        return len(self.seed)


def blinds_beaten(states: Any) -> Any:
    """Blinds that runs have beaten: their rounds but the one being fought, or lost. Numpy or traced arrays."""
    return states.run.round - ((states.phase == Phase.SELECTING_HAND) | (states.phase == Phase.GAME_OVER))


def last_ante(states: Any) -> Any:
    """The antes that runs have reached; a won run ends at the ante of its last boss. Numpy or traced arrays."""
    return states.run.ante - (states.run.won & ~states.run.endless)


def runs_of(states: Any, seeds: list[str]) -> Runs:
    """The results of a batch of final states (numpy or device arrays)."""
    run, phase = states.run, np.asarray(states.phase)
    won, lost = np.asarray(run.won), phase == Phase.GAME_OVER
    over = lost | (won & ~np.asarray(run.endless))
    blind = np.asarray(states.round.blind)
    return Runs(
        seed=tuple(seeds),
        won=won,
        finished=over,
        ante=np.asarray(last_ante(states)),
        blinds=np.asarray(blinds_beaten(states)),
        actions=np.asarray(run.steps),
        lost_to=tuple(BLINDS.keys[b] if is_lost else "" for b, is_lost in zip(blind, lost, strict=True)),
        money=np.asarray(run.money),
    )


def wilson(successes: int, total: int) -> tuple[float, float]:
    """The 95 % Wilson interval of a share."""
    if total == 0:
        return 0.0, 1.0
    share, z2 = successes / total, _Z * _Z
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z * math.sqrt(share * (1 - share) / total + z2 / (4 * total * total)) / (1 + z2 / total)
    # Exact at the ends, where the difference leaves a rounding error.
    low = 0.0 if successes == 0 else middle - half
    return low, 1.0 if successes == total else middle + half


def summary(runs: Runs) -> dict[str, Any]:
    """The figures of a table."""
    wins = int(runs.won.sum())
    low, high = wilson(wins, len(runs))
    failures: dict[str, int] = {}
    for key in runs.lost_to:
        if key:
            failures[key] = failures.get(key, 0) + 1
    return {
        "runs": len(runs), "finished": int(runs.finished.sum()), "wins": wins, "win_rate": wins / len(runs),
        "win_rate_low": low, "win_rate_high": high, "mean_ante": float(runs.ante.mean()),
        "median_ante": float(np.median(runs.ante)), "blinds_beaten": float(runs.blinds.mean()),
        "actions": float(runs.actions.mean()),
        "lost_to": dict(sorted(failures.items(), key=lambda item: -item[1])),
    }  # fmt: skip
