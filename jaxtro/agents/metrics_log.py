"""Where training writes its figures: `metrics.jsonl`, TensorBoard events, and curves as pictures."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import jax

CURVES = (
    "blinds_per_game",
    "mean_ante",
    "win_rate",
    "reward",
    "entropy",
    "kl",
    "value_loss",
    "steps_per_second",
)


class MetricsLog:
    """Appends one line of figures for each update; a resumed run drops lines behind its checkpoint."""

    _file: TextIO | None
    _writer: Any

    def __init__(self, folder: Path, resume_at: int | None = None, tensorboard: bool = True) -> None:
        """Opens the files of a folder. resume_at: steps of the checkpoint that training goes on from, None = it is new.

        With several hosts only the first one writes.
        """
        self.path, self._file, self._writer = folder / "metrics.jsonl", None, None
        if jax.process_index() != 0:
            return
        if resume_at is not None and self.path.exists():
            kept = [line for line in read_lines(self.path) if line.get("steps", 0) <= resume_at]
            part = self.path.with_name(self.path.name + ".part")
            part.write_text("".join(json.dumps(line) + "\n" for line in kept))
            part.replace(self.path)
        self._file = self.path.open("w" if resume_at is None else "a")
        if tensorboard:
            from tensorboardX import SummaryWriter

            self._writer = SummaryWriter(
                str(folder / "tensorboard"), purge_step=None if resume_at is None else resume_at + 1
            )

    def write(self, figures: dict[str, Any]) -> None:
        """Writes figures; `steps` is their place on the axis."""
        if self._file is None:
            return
        self._file.write(json.dumps(figures) + "\n")
        self._file.flush()
        if self._writer is not None:
            for name, value in figures.items():
                if isinstance(value, (int, float)) and name != "steps":
                    self._writer.add_scalar(name, value, figures["steps"])

    def close(self) -> None:
        """Closes the files."""
        if self._file is not None:
            self._file.close()
        if self._writer is not None:
            self._writer.close()


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The figures of a metrics file; a last line that a kill cut off is left out."""
    lines = []
    for text in path.read_text().splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            continue
    return lines


def draw_curves(folders: Sequence[Path], title: str, path: Path) -> Path:
    """Draws the learning curves of some folders' `metrics.jsonl` into one picture, a colour for each folder.

    Lines are what was seen in training, dots the evaluation seeds.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    runs = {folder.name: read_lines(folder / "metrics.jsonl") for folder in folders}
    names = [name for name in CURVES if any(name in line for lines in runs.values() for line in lines)]
    rows = max(1, -(-len(names) // 2))
    figure, axes = plt.subplots(rows, 2, figsize=(10, 2.2 * rows), squeeze=False)
    for axis, name in zip(axes.flat, names, strict=False):
        for number, (run, lines) in enumerate(runs.items()):
            for key, style in ((name, "-"), (f"eval_{name}", "o")):
                points = [(line["steps"], line[key]) for line in lines if line.get(key) is not None]
                if not points:
                    continue
                label = run if style == "-" else None
                axis.plot(*zip(*points, strict=True), style, color=f"C{number}", ms=3, lw=1, label=label)
        axis.set_title(name.replace("_", " "), fontsize=9)
        axis.tick_params(labelsize=7)
    if len(runs) > 1:
        axes.flat[0].legend(fontsize=7)
    for axis in axes.flat[len(names) :]:
        axis.axis("off")
    figure.suptitle(title, fontsize=10)
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)
    return path
