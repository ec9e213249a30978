"""Plays the cases of a file together."""

import pytest

from tests.run_tools import run_cases


@pytest.fixture(scope="module")
def played(request):  # type: ignore[no-untyped-def]
    """name of a case: (states, infos)"""
    cases = request.module.CASES.all
    names = [entry.name for entry in cases]
    assert len(set(names)) == len(names)
    return run_cases(cases)
