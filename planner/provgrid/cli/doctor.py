"""`provgrid doctor`: what is installed, and whether each solver gets a small problem right."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provgrid import exits
from provgrid.cli.console import Reporter, note, print_json
from provgrid_models.errors import SolverError

if TYPE_CHECKING:
    from provgrid_models.problem import Problem

NEEDED = "lp"  # HiGHS by arrays; CBC is needed by pulp-cbc alone
SOLVERS = {"lp": "HiGHS by arrays", "pulp-highs": "HiGHS through PuLP", "pulp-cbc": "CBC through PuLP"}
GOLDEN_YUAN = 3.8
EXTRA = re.compile(r"""(?P<package>[A-Za-z0-9._-]+).*;.*\bextra\s*==\s*["'](?P<extra>[^"']+)["']""")
OF_DEVELOPERS = ("dev", "browser", "docs")


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print one record as JSON.")] = False) -> int:
    """Report versions and extras, solve a small LP with each solver, and look at Numba's cache and PuLP's CBC."""
    from provgrid_optimizer.runs import versions

    solvers = {}
    with Reporter() as reporter:
        for name, says in SOLVERS.items():
            reporter.stage(f"trying {says}")
            solvers[name] = _try(name)
        reporter.stage("looking for CBC and compiled kernels")
        cache, cbc, optional = _numba_cache(), _cbc_path(), extras()
    if as_json:
        print_json(
            {"versions": versions(), "solvers": solvers, "cbc_path": cbc, "numba_cache": cache, "extras": optional}
        )
    else:
        for name, number in versions().items():
            print(f"{name:<12}{number}")
        for name, result in solvers.items():
            print(f"{name:<12}{'ok' if result['ok'] else 'FAILED'}  {SOLVERS[name]}: {result['says']}")
        print(f"{'cbc':<12}{cbc or 'not found; engine pulp-cbc is not available'}")
        state = f"{cache['kernels']} compiled kernels" if cache["kernels"] else "empty, so the first solve compiles"
        for extra, packages in optional.items():
            missing = [name for name, number in packages.items() if number is None]
            print(f"{extra:<12}{_extra_in_words(packages, missing)}")
        print(f"{'numba cache':<12}{cache['folder'] or 'beside the code'}: {state}")
    broken = [name for name, result in solvers.items() if not result["ok"] and not result["missing"]]
    if solvers[NEEDED]["missing"]:
        note("provgrid: HiGHS is missing; install it with: python -m pip install 'highspy>=1.15.1,<2'")
        return exits.MISSING_SOLVER
    if broken:
        note(f"provgrid: {', '.join(broken)} did not solve the golden LP; reinstall it before trusting a plan")
    return SolverError.exit_code if broken else exits.SOLVED


def extras() -> dict[str, dict[str, str | None]]:
    """List optional packages by their extra, with the version that is installed, None where none is.

    Read from what provgrid itself was installed with, so that no extra is forgotten; those of its developers are not.
    """
    from importlib.metadata import PackageNotFoundError, requires, version

    found: dict[str, dict[str, str | None]] = {}
    for requirement in requires("provgrid") or ():
        named = EXTRA.match(requirement)
        if named is None or named["extra"] in OF_DEVELOPERS:
            continue
        try:
            number: str | None = version(named["package"])
        except PackageNotFoundError:
            number = None
        found.setdefault(named["extra"], {})[named["package"]] = number
    return dict(sorted(found.items()))


def _extra_in_words(packages: dict[str, str | None], missing: list[str]) -> str:
    """Say what of an extra is there, and how the rest comes."""
    if missing:
        return f"not installed (optional); for it: python -m pip install {' '.join(missing)}"
    return ", ".join(f"{name} {number}" for name, number in packages.items())


def golden_problem() -> Problem:
    """One job of 10 accelerator-hours on at most 6 accelerators at 1 kW, two hours at 0.5 and 0.3 yuan/kWh.

    The cheap hour takes 6, the dear one 4: 6 * 0.3 + 4 * 0.5 = 3.8 yuan.
    """
    import numpy as np

    from provgrid_models.problem import Problem

    return Problem(
        capacity=np.array([[10.0, 10.0]]),
        kw_per_accelerator=np.array([[1.0, 1.0]]),
        block_cluster=np.array([0]),
        block_limit_kw=np.array([[100.0, 100.0]]),
        block_yuan_per_kwh=np.array([[0.5, 0.3]]),
        class_rate_pflops=np.array([[1.0]]),
        job_class=np.array([0]),
        work_pflop_h=np.array([10.0]),
        release=np.array([0]),
        deadline=np.array([2]),
        max_accelerators=np.array([6.0]),
        unserved_yuan=np.array([1000.0]),
    )


def _try(engine: str) -> dict[str, Any]:
    """Solve the golden LP."""
    from provgrid_models.errors import MissingSolverError, ProvgridError
    from provgrid_optimizer.evaluate import costs
    from provgrid_optimizer.options import SolveOptions, ignore_progress
    from provgrid_optimizer.solve import find_engine

    problem = golden_problem()
    try:
        result = find_engine(engine)(problem, SolveOptions(), ignore_progress)
    except (MissingSolverError, ImportError) as error:
        return {"ok": False, "missing": True, "says": str(error)}
    except ProvgridError as error:
        return {"ok": False, "missing": False, "says": str(error)}
    yuan = costs(problem, result.allocation).objective_yuan
    right = abs(yuan - GOLDEN_YUAN) <= 1e-6 * GOLDEN_YUAN
    return {"ok": right, "missing": False, "says": f"golden LP {yuan:.6f} yuan, {GOLDEN_YUAN} expected"}


def _cbc_path() -> str | None:
    """Where PuLP keeps the CBC that it bundles, if it does on this platform."""
    import os
    from pathlib import Path

    import pulp

    path = getattr(pulp.apis.coin_api, "pulp_cbc_path", None)
    return str(path) if path and Path(path).is_file() and os.access(path, os.X_OK) else None


def _numba_cache() -> dict[str, Any]:
    """Where compiled kernels are kept, and how many there are."""
    import os
    from pathlib import Path

    import provgrid_optimizer

    folder = os.environ.get("NUMBA_CACHE_DIR")
    place = Path(folder) if folder else Path(provgrid_optimizer.__file__).parent
    return {"folder": folder, "kernels": sum(1 for _ in place.rglob("*.nbi")) if place.is_dir() else 0}
