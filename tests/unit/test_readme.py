"""The README says what the code says."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_the_coverage_table_is_that_of_the_code():  # type: ignore[no-untyped-def]
    sys.path.insert(0, str(ROOT / "experiments"))
    try:
        import readme_table as covered
    finally:
        sys.path.pop(0)
    assert covered.table() in (ROOT / "README.md").read_text()
