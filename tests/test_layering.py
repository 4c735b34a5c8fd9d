"""Imports point one way, and what a package exports is what it says."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import provgrid as pg

ROOT = Path(__file__).parent.parent
LAYERS = {  # in order: each may import those before it
    "provgrid_seeds": "seeds",
    "provgrid_models": "models",
    "provgrid_optimizer": "optimizer",
    "provgrid": "planner",
    "provgrid_bench": "benchmarks",
}
# The command line loads the benchmarks for `bench`, inside the command.
BENCH = ("bench", "bench_gap", "bench_peers", "bench_records", "bench_results", "bench_scale", "bench_scenario")
EXCEPTIONS = {(f"provgrid/cli/{module}.py", "provgrid_bench") for module in BENCH}


def imported_layers(path: Path) -> set[str]:
    """Layers that a module imports anywhere in its code."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names.add(node.module or "")
    return {name.split(".")[0] for name in names} & set(LAYERS)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_imports_only_the_layers_before_it(layer: str) -> None:
    order = list(LAYERS)
    allowed = set(order[: order.index(layer) + 1])
    source = ROOT / LAYERS[layer]
    modules = sorted((source / layer).rglob("*.py"))
    assert modules
    for module in modules:
        name = module.relative_to(source).as_posix()
        beyond = {found for found in imported_layers(module) - allowed if (name, found) not in EXCEPTIONS}
        assert not beyond, f"{name} imports {sorted(beyond)}"


@pytest.mark.parametrize("package", ["provgrid_optimizer/engines", "provgrid_optimizer/heuristic"])
def test_engines_read_the_problem_and_nothing_of_the_scenario(package: str) -> None:
    for module in sorted((ROOT / "optimizer" / package).rglob("*.py")):
        text = module.read_text(encoding="utf-8")
        for forbidden in ("provgrid_models.scenario", "provgrid_models.compile", "provgrid_models.files"):
            assert forbidden not in text, f"{module.name} imports {forbidden}"


def test_the_audit_uses_nothing_of_compile_matrix_or_heuristic() -> None:
    forbidden = ("provgrid_models.compile", "provgrid_optimizer.matrix", "provgrid_optimizer.heuristic")
    forbidden += ("provgrid_optimizer.lagrangian", "provgrid_optimizer.evaluate")
    modules = sorted((ROOT / "optimizer/provgrid_optimizer/audit").rglob("*.py"))
    assert modules
    for module in modules:
        text = module.read_text(encoding="utf-8")
        assert not [name for name in forbidden if f"import {name}" in text or f"from {name}" in text], module.name


def test_every_exported_name_is_there_and_the_list_is_sorted() -> None:
    assert pg.__all__ == sorted(pg.__all__)
    assert len(set(pg.__all__)) == len(pg.__all__)
    for name in pg.__all__:
        assert getattr(pg, name) is not None
    assert set(pg.__all__) == {name for name in dir(pg) if not name.startswith("__")}


def test_what_type_checkers_see_is_what_is_exported() -> None:
    tree = ast.parse(Path(pg.__file__).read_text(encoding="utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING")
    seen = [alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(seen) == pg.__all__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'sovle'"):
        pg.sovle  # noqa: B018


def test_importing_provgrid_loads_nothing_heavy() -> None:
    heavy = ("numpy", "pandas", "numba", "highspy", "pydantic")
    code = f"import sys, provgrid; print([m for m in {heavy} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
