"""All cores of a CPU at work: each is a device of its own, and a batch of games is split over the devices.

XLA runs the kernels of a step one after the other, and most are too small to be split over cores. So on a CPU a batch
on one device keeps little more than one core busy; the same batch in halves on two devices is played on both.
"""

import contextlib
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

AXIS = "games"
_FLAG = "xla_force_host_platform_device_count"
# Seconds that a device waits for the others before XLA ends the program; 40 by default, little on a busy machine.
_PATIENCE = "xla_cpu_collective_call_terminate_timeout_seconds"
_LEAST = 64  # games of a device; fewer do not pay for its share of every kernel's start


def use_cores(games: int | None = None, count: int | None = None) -> int:
    """Makes devices of the CPU's cores; call it before anything is computed. Other backends are not affected.

    What the user says in `XLA_FLAGS` (xla_force_host_platform_device_count) or `JAX_NUM_CPU_DEVICES` stays.

    Args:
      games: only as many cores as split these evenly and pay. count: how many instead.

    Returns:
      how many devices there are. It warns if they are fewer than wanted, as JAX had started before.

    Raises:
      ValueError: if `count` is below 1.
    """
    if count is not None and count < 1:
        raise ValueError(f"{count} cores: give 1 or more")
    if count is None:
        count = available_cores() if games is None else _fitting(games, available_cores())
    flags = os.environ.get("XLA_FLAGS", "")
    if _PATIENCE not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} --{_PATIENCE}=3600".strip()
    told = _FLAG in flags or "JAX_NUM_CPU_DEVICES" in os.environ
    if not told:
        with contextlib.suppress(RuntimeError):  # JAX computes already
            jax.config.update("jax_num_cpu_devices", count)
    if jax.default_backend() == "cpu" and not told and jax.local_device_count() < count:
        warnings.warn(
            "JAX has started already, so the cores are not devices: call use_cores before anything else",
            stacklevel=2,
        )
    return jax.local_device_count()


def available_cores() -> int:
    """How many cores this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):  # a container's share of the machine
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        cores = min(cores, max(1, round(int(quota) / int(period))))
    return cores


def _fitting(games: int, devices: int) -> int:
    """The most devices that split the games evenly and pay."""
    return max((n for n in range(1, devices + 1) if games % n == 0 and games // n >= _LEAST), default=1)


def mesh_for(games: int, devices: int | None = None) -> Mesh:
    """The local devices that a number of games is split over evenly: as many as pay.

    Args:
      devices: how many instead.

    Raises:
      ValueError: if the games cannot be split so.
    """
    local = jax.local_devices()
    if devices is None:
        devices = _fitting(games, len(local))
    if not 1 <= devices <= len(local) or games % devices:
        raise ValueError(f"{games} games cannot be split evenly over {devices} of {len(local)} devices")
    return Mesh(np.array(local[:devices]), (AXIS,))


def over_games(
    function: Callable[..., Any], mesh: Mesh, whole: tuple[int, ...] = (), mean: bool = False
) -> Callable[..., Any]:
    """A function of a batch of games, split over devices: each computes its part of the games.

    Args:
      function: of arguments whose arrays all have a leading axis of games, but for those in `whole`, that every device
        gets as they are; its results have a leading axis of games, too (or one of length 1, which becomes one of
        the devices).
      mesh: of `mesh_for`; on one device nothing changes.
      whole: places of arguments. mean: the results are means over the games, without an axis of them.

    Returns:
      the function, to be put through `jax.jit`.
    """
    if mesh.size == 1:
        return function

    def part(*args: Any) -> Any:
        out = function(*args)
        return jax.lax.pmean(out, AXIS) if mean else out

    def run(*args: Any) -> Any:
        specs = tuple(P() if place in whole else P(AXIS) for place in range(len(args)))
        split = jax.shard_map(
            part, mesh=mesh, in_specs=specs, out_specs=P() if mean else P(AXIS), check_vma=False
        )
        return split(*args)

    return run
