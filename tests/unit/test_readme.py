"""The README says what the code says, and its examples run."""

import ast
import re
import sys
from pathlib import Path

import jax
import pytest

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_coverage_table_is_that_of_the_code():  # type: ignore[no-untyped-def]
    sys.path.insert(0, str(ROOT / "experiments"))
    try:
        import readme_table as covered
    finally:
        sys.path.pop(0)
    assert covered.table() in README


def test_there_are_examples():  # type: ignore[no-untyped-def]
    assert len(EXAMPLES) == 4
    assert len(EXAMPLES[0].strip().splitlines()) <= 10  # a random agent in ten lines


@pytest.mark.parametrize("code", EXAMPLES[:3])
@pytest.mark.filterwarnings("ignore:JAX has started already")
def test_examples_run(code, capsys, monkeypatch):  # type: ignore[no-untyped-def]
    # Traced, not compiled: every line runs, on shapes and types instead of numbers. JAX takes options of the compiler
    # only where a program is compiled.
    jit = jax.jit
    monkeypatch.setattr(jax, "jit", lambda function, compiler_options=None, **others: jit(function, **others))

    def example() -> None:
        exec(compile(code, "README.md", "exec"), {})

    jax.eval_shape(example)
    assert capsys.readouterr().out.count("\n") == code.count("print(")


@pytest.mark.parametrize("code", EXAMPLES)
def test_names_in_examples_exist(code):  # type: ignore[no-untyped-def]
    tree = ast.parse(code)
    names: dict[str, object] = {}
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module(imports, []), "README.md", "exec"), names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node).split(".")[0] in names:
            eval(ast.unparse(node), names)  # raises where a module has no such name


def test_names_in_the_text_exist():  # type: ignore[no-untyped-def]
    import jaxtro
    import jaxtro.compile_cache  # (the text names it in full)

    named = re.findall(r"`[^`]*?\bjaxtro\.(\w+)(?:\.(\w+))?\(", README)
    assert len(named) > 4
    for name, inner in named:
        found = getattr(jaxtro, name)
        assert not inner or hasattr(found, inner), f"{name}.{inner}"
