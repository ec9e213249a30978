"""Compiled programs on disk: what our command lines switch on, so that only the first start of a command compiles.

JAX's own cache spares compiling but not tracing, which for the whole game takes longer than a user wants to wait.
`keep` therefore stores the finished program; a later start loads it without tracing anything.
"""

import contextlib
import functools
import gc
import hashlib
import os
import pickle
import platform
import zlib
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
from jax.experimental import serialize_executable

from jaxtro.compiling import compiler_options

_CONFIG: Any = jax.config
_FOLDER = "programs"
# Settings of JAX that change what is traced or compiled.
_SETTINGS = (
    "jax_enable_x64", "jax_default_prng_impl", "jax_threefry_partitionable", "jax_default_matmul_precision",
    "jax_debug_nans", "jax_debug_infs", "jax_numpy_dtype_promotion",
)  # fmt: skip
# How object files begin (Linux, macOS). XLA's CPU backend writes a program that JAX's cache had loaded without its
# kernels; such a file would be found and not run.
_OBJECT_FILES = (b"\x7fELF", b"\xcf\xfa\xed\xfe")
_MOST_BYTES = 2 * 1024**3  # of kept programs; beyond that the ones that were not used for longest go


def enable_compile_cache() -> None:
    """Keeps compiled programs on disk, so that the second start of a command is fast.

    The folder is JAX's own setting (`JAX_COMPILATION_CACHE_DIR`) if there is one, else `~/.cache/jaxtro`; a folder
    that cannot be written costs only the speed-up.
    """
    # A second folder in one process would compile everything again: JAX's keys depend on the folder.
    if not _CONFIG.jax_compilation_cache_dir:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        jax.config.update("jax_compilation_cache_dir", str(Path(base) / "jaxtro"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)


def keep(
    function: Any, name: str, *about: Any, options: Mapping[str, Any] | None = None
) -> Callable[..., Any]:
    """A jitted function whose compiled program is kept on disk, for calls outside of other transformations.

    Nothing is kept while no cache folder is set (`enable_compile_cache`), with several hosts, and where arguments are
    split over devices and the function does not say so itself (`shard_map`). Else arguments may be on any device:
    they go to those of the program.

    Args:
      function: of `jax.jit`; a call must not depend on anything but its arguments, this package's source and `about`.
      name: of the program, for its file. about: everything else that the program was made from, by its `repr`
        (configurations). None among it: nothing is kept.
      options: for XLA, here instead of as `compiler_options` of `jax.jit`; None: those of `jaxtro.compiler_options`.
        Where nothing is kept because of hosts or split arguments, `function` runs as it is.

    Returns:
      a function of the same arguments, arrays all of them. Its `programs` are those that it has made or loaded, by the
      arguments' structure and shapes.
    """
    programs: dict[Any, Any] = {}

    @functools.wraps(function)
    def run(*args: Any) -> Any:
        leaves, tree = jax.tree.flatten(args)
        shapes = tuple((*_shape(leaf),) for leaf in leaves)
        if (tree, shapes) not in programs:
            programs[tree, shapes] = _program(function, name, about, args, (tree, shapes), options)
        return programs[tree, shapes](*args)

    run.programs = programs  # type: ignore[attr-defined]
    return run


def _shape(leaf: Any) -> tuple[Any, ...]:
    aval = jax.typeof(leaf)
    return aval.shape, str(aval.dtype), getattr(aval, "weak_type", False)


def _program(
    function: Any,
    name: str,
    about: tuple[Any, ...],
    args: tuple[Any, ...],
    shapes: Any,
    options: Mapping[str, Any] | None,
) -> Any:
    """The compiled program: from its file, else made and kept where it can be."""
    if jax.process_count() > 1:
        return function
    # Without the devices that the arguments happen to be on.
    structs = jax.tree.map(_struct, args)
    options = compiler_options() if options is None else dict(options)
    folder = _CONFIG.jax_compilation_cache_dir
    if folder is None or None in about:
        return _moving(_compiled(function, structs, options), function)
    device = jax.devices()[0]
    machine = (device.client.platform_version, device.device_kind, jax.device_count())
    told = (_source(), _versions(), *machine, _processor(), sorted(options.items()))
    flags = (os.environ.get("XLA_FLAGS", ""), *[getattr(_CONFIG, name, None) for name in _SETTINGS])
    text = repr((told, flags, name, about, str(shapes[0]), shapes[1]))
    path = (
        Path(folder) / _FOLDER / f"{name.replace(' ', '_')}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    )
    with contextlib.suppress(Exception):  # whatever is wrong with a file, the program can be made again
        stored = pickle.loads(zlib.decompress(path.read_bytes()))
        os.utime(path)
        code, takes, gives, count = stored
        devices = jax.local_devices()[:count]
        found = serialize_executable.deserialize_and_load(code, takes, gives, execution_devices=devices)
        return _moving(found, function)
    compiled = _compiled(function, structs, options)
    # A full disk, a folder of someone else, a backend that cannot write programs: only slower.
    with contextlib.suppress(Exception):
        count = len(compiled.runtime_executable().local_devices())
        stored = pickle.dumps((*serialize_executable.serialize(compiled), count))
        if device.platform != "cpu" or any(mark in stored for mark in _OBJECT_FILES):
            _store(path, zlib.compress(stored, 1))
    return _moving(compiled, function)


def _compiled(function: Any, structs: Any, options: dict[str, Any]) -> Any:
    """The traced and compiled program.

    Tracing makes millions of objects that stay, so looking for garbage meanwhile only costs time
    (a seventh of it).
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        lowered = function.lower(*structs)
    finally:
        if collects:
            gc.enable()
    return lowered.compile(compiler_options=options)


def _struct(leaf: Any) -> jax.ShapeDtypeStruct:
    aval = jax.typeof(leaf)
    return jax.ShapeDtypeStruct(aval.shape, aval.dtype, weak_type=getattr(aval, "weak_type", False))


def _moving(compiled: Any, function: Any) -> Callable[..., Any]:
    """A compiled program that moves its arguments to its devices; `function` itself for what would lose a split."""
    alone = len(compiled.runtime_executable().local_devices()) == 1

    def run(*args: Any) -> Any:
        if alone and any(
            isinstance(leaf, jax.Array) and not leaf.is_fully_replicated for leaf in jax.tree.leaves(args)
        ):
            return function(*args)
        return compiled(*jax.device_put(args, compiled.input_shardings[0]))

    return run


def _store(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    files = sorted(path.parent.iterdir(), key=lambda one: -one.stat().st_mtime)
    total = 0
    for file in files:
        total += file.stat().st_size
        if total > _MOST_BYTES:
            file.unlink(missing_ok=True)


@functools.cache
def _versions() -> tuple[str, ...]:
    """Of the libraries whose code becomes part of programs; empty for one that is not installed."""
    found = []
    for name in ("jax", "jaxlib", "flax", "optax", "mctx"):
        try:
            found.append(metadata.version(name))
        except metadata.PackageNotFoundError:
            found.append("")
    return tuple(found)


@functools.cache
def _source() -> str:
    """A digest of this package: any change of it makes new programs."""
    digest = hashlib.sha256()
    root = Path(__file__).parent
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@functools.cache
def _processor() -> str:
    """What the processor can do: a program for another one may not run."""
    try:
        flags = [
            line
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith(("flags", "Features"))
        ]
    except OSError:
        flags = []
    return platform.machine() + hashlib.sha256("".join(flags[:1]).encode()).hexdigest()
