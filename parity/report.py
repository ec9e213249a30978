"""Results of a comparison, and how they are printed."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Mismatch:
    """One difference: where, which field, what was expected and what came out."""

    where: str
    field: str
    expected: Any
    got: Any

    def __str__(self) -> str:
        return f"{self.where}: {self.field}: expected {self.expected!r}, got {self.got!r}"


@dataclass
class FileResult:
    """Result of one file.

    Attributes:
      path: the file. kind: what it was found to be. unit: what is counted.
      total, matched: numbers of compared units. mismatches: the differences.
      sections: for each part of the file, (matched, total).
    """

    path: str
    kind: str
    unit: str
    total: int = 0
    matched: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)
    sections: dict[str, list[int]] = field(default_factory=dict)

    def count(self, section: str, differences: list[Mismatch]) -> None:
        """Counts one compared unit; it matches if it has no differences."""
        counts = self.sections.setdefault(section, [0, 0])
        good = not differences
        counts[0] += good
        counts[1] += 1
        self.matched += good
        self.total += 1
        self.mismatches.extend(differences)

    @property
    def ok(self) -> bool:
        """Whether nothing differs. A trace may have nothing to compare; vectors must (parity.check)."""
        return self.matched == self.total and not self.mismatches

    def lines(self, shown: int = 5) -> list[str]:
        """The lines of the report for people."""
        head = "ok  " if self.ok else "DIFF"
        if self.total:
            parts = ", ".join(f"{name} {good}/{all_}" for name, (good, all_) in self.sections.items())
            what = f"matched {self.matched} of {self.total} {self.unit} ({parts})"
        else:
            what = f"nothing to compare: no {self.unit} that are known and not suspect"
        lines = [f"{head} {self.path}: {self.kind}, {what}"]
        lines += [f"     {mismatch}" for mismatch in self.mismatches[:shown]]
        if len(self.mismatches) > shown:
            lines.append(f"     ... and {len(self.mismatches) - shown} more differences")
        return lines

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data for `--json`."""
        return {
            "path": self.path,
            "kind": self.kind,
            "unit": self.unit,
            "matched": self.matched,
            "total": self.total,
            "sections": {
                name: {"matched": good, "total": all_} for name, (good, all_) in self.sections.items()
            },
            "mismatches": [vars(mismatch) for mismatch in self.mismatches],
        }
