"""The profile's names: an instruction inside of a kernel belongs to the part that calls it."""

import importlib.util
from pathlib import Path

_FILE = Path(__file__).parents[2] / "experiments" / "profile_step.py"

_PROGRAM = """
%inner (a: s32[]) -> s32[] {
  %a = s32[] parameter(0)
  ROOT %add.1 = s32[] add(%a, %a), metadata={op_name="jit(flat)/add"}
}

%body (b: s32[]) -> s32[] {
  %b = s32[] parameter(0), metadata={op_name="jit(run)/part_other_one/x"}
  ROOT %call.2 = s32[] call(%b), to_apply=%inner, metadata={op_name="jit(run)/while"}
}

ENTRY %main (c: s32[]) -> s32[] {
  %c = s32[] parameter(0), metadata={op_name="c"}
  ROOT %while.3 = s32[] while(%c), condition=%cond, body=%body, metadata={op_name="jit(run)/part_score/while"}
}
"""


def test_instructions_of_a_kernel_are_its_callers() -> None:
    spec = importlib.util.spec_from_file_location("profile_step", _FILE)
    assert spec is not None
    assert spec.loader is not None
    profile_step = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(profile_step)
    names = profile_step.names_of(_PROGRAM)
    parts = {name: profile_step.part_of(made_from) for name, made_from in names.items()}
    assert parts == {
        "a": "score", "add.1": "score", "b": "other_one", "call.2": "score", "c": "other", "while.3": "score",
    }  # fmt: skip
    assert names["c"] == "c"
