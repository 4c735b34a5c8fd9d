"""The run folder, a plan's form on disk: written whole or not at all, read back equal, audited from its files alone.

manifest.json     status, certificate, versions, options, seed, hash of the resolved scenario, timings, history
scenario/         the resolved scenario; problem.npz instead, where the problem was built from arrays
*.parquet         training, jobs, inference, energy, peaks, traffic, prices
costs.csv         cost by component, and the constants beside it
marginal_prices.parquet   where asked for: prices at this plan, which nothing reads back
solver.log        what the engine printed

The tables hold nothing but the plan, so that equal plans are equal bytes; times and versions stand in the manifest.
"""

from __future__ import annotations

import csv
import json
import math
import platform
import zipfile
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import pandas as pd

from provgrid_models.compile import compile_scenario
from provgrid_models.errors import AuditError, OptionError, ScenarioError
from provgrid_models.files import load_scenario, save_scenario
from provgrid_models.overlay import builtin_names
from provgrid_optimizer.audit import audit, case_from_arrays, case_from_scenario
from provgrid_optimizer.audit.plan import Claims, from_allocation
from provgrid_optimizer.certificate import Certificate
from provgrid_optimizer.evaluate import COMPONENTS, Costs, usage
from provgrid_optimizer.options import SolveOptions
from provgrid_optimizer.plan import Plan, Timings
from provgrid_optimizer.problem_file import load_problem, save_problem
from provgrid_optimizer.run_folder import content_hash, whole_or_absent
from provgrid_optimizer.run_tables import COLUMNS, PARQUET, to_allocation, to_audited_plan, to_multipliers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provgrid_models.problem import Problem
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.audit import AuditReport
    from provgrid_optimizer.audit.plan import AuditedPlan

FORMAT = 1
DAMAGE = (
    *(OSError, ValueError, KeyError, IndexError, TypeError, AttributeError),
    *(ArithmeticError, RecursionError, zipfile.BadZipFile, OptionError),
)
PACKAGES = ("provgrid", "highspy", "numba", "numpy", "pandas", "pulp", "pyarrow")


def save_plan(plan: Plan, folder: str | Path, *, marginal_prices: bool = False) -> Path:
    """Write a plan as a run folder, its marginal prices too if asked. An existing folder is an `OptionError`."""
    final = Path(folder)
    with whole_or_absent(final) as partial:
        if plan.scenario is None:
            save_problem(plan.problem, partial / "problem.npz")
        else:
            save_scenario(plan.scenario, partial / "scenario")
        for name in PARQUET:
            getattr(plan, name).to_parquet(partial / f"{name}.parquet", index=False)
        if marginal_prices:
            plan.marginal_prices.to_parquet(partial / "marginal_prices.parquet", index=False)
        plan.costs.to_csv(partial / "costs.csv", index=False, lineterminator="\n")
        (partial / "solver.log").write_text(plan.log, encoding="utf-8")
        manifest = _manifest(plan, partial)
        text = json.dumps(_jsonable(manifest), indent=2, ensure_ascii=False, allow_nan=False)
        (partial / "manifest.json").write_text(text + "\n", encoding="utf-8")
    return final


def open_run(folder: str | Path) -> Plan:
    """Read a run folder back as the plan that was saved, and audit it again.

    Raises
    ------
    ScenarioError : a file is missing or damaged.
    AuditError : the tables no longer pass the audit.
    """
    run = _Run(Path(folder))
    report = _passed(run)
    manifest = run.manifest
    scenario = None if run.from_arrays else run.scenario
    problem = run.problem() if scenario is None else compile_scenario(scenario)
    with _reading(run.folder):
        certificate = Certificate(**_certificate_fields(manifest["certificate"]))
        allocation = to_allocation(problem, run.tables, certificate.divisible)
        return Plan(
            problem=problem,
            allocation=allocation,
            multipliers=to_multipliers(problem, run.tables["prices"]),
            certificate=certificate,
            component_costs=Costs(**run.costs_by_component(), **manifest["cost_details"]),
            usage=usage(problem, allocation),
            audit=report,
            options=SolveOptions(**manifest["options"]),
            timings=Timings(**manifest["timings"]),
            scenario=scenario,
            log=(run.folder / "solver.log").read_text(encoding="utf-8"),
            history=tuple((float(s), float(objective), float(bound)) for s, objective, bound in manifest["history"]),
        )


def audit_run(folder: str | Path) -> AuditReport:
    """Audit plan and bound again, from the files of a run alone. A missing or damaged file is a `ScenarioError`."""
    return _Run(Path(folder)).audit()


def passed_audit(folder: str | Path) -> AuditReport:
    """Audit a run as `audit_run` does, and raise `AuditError` where it fails."""
    return _passed(_Run(Path(folder)))


def _passed(run: _Run) -> AuditReport:
    """Audit a run that has been read; raise where it fails."""
    report = run.audit()
    if report.violations:
        folder = run.folder
        raise AuditError(f"{folder} fails its audit: {report.violations[0]}; see all with: provgrid audit {folder}")
    return report


class _Run:
    """The files of a run, read."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir() and str(folder) in builtin_names():
            raise ScenarioError(f"{folder} is a built-in scenario, not a run; solve it first: provgrid solve {folder}")
        if not folder.is_dir():
            raise ScenarioError(f"{folder} is no folder; give a run that solve or demo has written")
        self.folder = folder
        if (folder / "scenario.toml").is_file() and not (folder / "manifest.json").exists():
            raise ScenarioError(
                f"{folder} is a scenario, not a run; solve it first: provgrid solve {quote(str(folder))}"
            )
        with _reading(folder / "manifest.json"):
            self.manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            if self.manifest["format"] != FORMAT:
                raise ScenarioError(f"{folder} has run format {self.manifest['format']}; this version reads {FORMAT}")
            self.from_arrays = self.manifest["source"] == "problem.npz"
            self.divisible = bool(self.manifest["certificate"]["divisible"])
        self.tables = {name: self._table(name) for name in PARQUET}
        with _reading(folder / "costs.csv"):
            with (folder / "costs.csv").open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            self.costs = {row["component"]: float(row["cost_yuan"]) for row in rows}
            self.constants = {r["component"]: float(r["cost_yuan"]) for r in rows if r["in_objective"] == "False"}

    def _table(self, name: str) -> pd.DataFrame:
        path = self.folder / f"{name}.parquet"
        with _reading(path):
            table = pd.read_parquet(path)
            missing = [column for column in COLUMNS[name] if column not in table.columns]
            if missing:
                raise ScenarioError(f"{path} lacks the column {missing[0]}; solve again")
            return table

    def _source(self) -> Path:
        """Where the run keeps what was solved, as long as it still is that."""
        path = self.folder / str(self.manifest["source"])
        with _reading(path):
            if not path.exists():
                raise FileNotFoundError(None, "missing", path)
            if content_hash(path) != self.manifest["source_sha256"]:
                raise ScenarioError(
                    f"{path} is not what was solved (its hash differs from the manifest's); solve again"
                )
        return path

    @cached_property
    def scenario(self) -> Scenario:
        """The resolved scenario."""
        return load_scenario(self._source())

    def problem(self) -> Problem:
        """Load the problem of a run that came from arrays."""
        with _reading(self._source()):
            return load_problem(self._source())

    def costs_by_component(self) -> dict[str, float]:
        """Claimed cost of each component."""
        return {name: self.costs[name] for name in COMPONENTS}

    def audit(self) -> AuditReport:
        """Judge the tables as they stand."""
        if self.from_arrays:
            problem = self.problem()
            with _reading(self.folder):
                plan = self._plan_of_arrays(problem)
            return audit(case_from_arrays(problem), plan)
        with _reading(self.folder):
            plan = to_audited_plan(self.tables, self._claims(), self.divisible)
        return audit(case_from_scenario(self.scenario), plan)

    def _claims(self) -> dict[str, Any]:
        """Gather what the run says of its plan, for the audit to check."""
        certificate = _certificate_fields(self.manifest["certificate"])
        return {
            "costs": self.costs_by_component(),
            "objective_yuan": certificate["objective_yuan"],
            "constants_yuan": certificate["constants_yuan"],
            "bound_yuan": _missing(certificate["bound_yuan"]),
            "bound_method": str(certificate["bound_method"]),
            "bound_prices_yuan": _missing(certificate["bound_prices_yuan"]),
            "claims": self._derived(certificate),
        }

    def _derived(self, certificate: dict[str, Any]) -> Claims:
        """Gather what follows from the rest, for the audit to work out again."""
        jobs, best = self.tables["jobs"], certificate["best_policy"]
        figures = {name: certificate[name] for name in ("gap", "gap_jobs")}
        figures |= {"unserved_share": self.manifest["unserved_share"], **self.manifest["cost_details"]}
        return Claims(
            engine=str(certificate["engine"]),
            figures={name: float(value) for name, value in figures.items()},
            constants=self.constants,
            captured=None if certificate["captured"] is None else float(certificate["captured"]),
            best_policy_yuan=None if best is None else best[1],
            placement_accelerator_h=jobs.loc[jobs["served"], "accelerator_h"].to_numpy(float),
            serve_accelerators=self.tables["inference"]["accelerators"].to_numpy(float),
        )

    def _plan_of_arrays(self, problem: Problem) -> AuditedPlan:
        """Rows of the tables under the problem's integers."""
        traffic = self.tables["traffic"]["traffic_gbps"].to_numpy(float)
        return from_allocation(
            problem.labels,
            problem.block_cluster,
            to_allocation(problem, self.tables, self.divisible),
            traffic_gbps=traffic.reshape(problem.n_links, problem.n_periods),
            multipliers=to_multipliers(problem, self.tables["prices"]),
            **self._claims(),
        )


def _manifest(plan: Plan, partial: Path) -> dict[str, Any]:
    """Everything about a plan that is not in its tables."""
    source = "problem.npz" if plan.scenario is None else "scenario"
    costs = asdict(plan.component_costs)
    return {
        "format": FORMAT,
        "scenario": None if plan.scenario is None else plan.scenario.name,
        "engine": plan.engine,
        "status": plan.certificate.status,
        "certificate": plan.certificate.to_dict(),
        "unserved_share": plan.unserved_share,
        "never_served_yuan": plan.problem.never_served_yuan,
        "cost_details": {name: yuan for name, yuan in costs.items() if name not in COMPONENTS},
        "provenance": {"shares": plan.quality_shares, "costs": plan.provenance.to_dict("records")},
        "audit": {"violations": len(plan.audit.violations), "rules": list(plan.audit.checks)},
        "options": asdict(plan.options),
        "source": source,
        "source_sha256": content_hash(partial / source),
        "timings": asdict(plan.timings),
        "history": plan.history,
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a plan depends on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def _jsonable(value: Any) -> Any:
    """Spell out infinities, which JSON lacks: "inf", "-inf", "nan"."""
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(float(value))
    return value


def _certificate_fields(saved: dict[str, Any]) -> dict[str, Any]:
    """Turn a saved certificate's lists and spelled-out infinities back into what they were."""
    missing = {"bound_yuan": -math.inf, "bound_prices_yuan": -math.inf, "gap": math.inf, "gap_jobs": math.inf}
    numbers = {
        name: missing[name] if value is None and name in missing else float(value)
        for name, value in saved.items()
        if name.endswith("_yuan") or name in missing
    }
    best = saved["best_policy"]
    return {
        **saved,
        **numbers,
        "bound_drops": tuple(saved["bound_drops"]),
        "best_policy": None if best is None else (best[0], float(best[1])),
    }


def _missing(bound_yuan: float) -> float:
    """Translate a bound that is not there into the audit's word for it, NaN."""
    return math.nan if bound_yuan == -math.inf else bound_yuan


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn whatever a missing or damaged file raises into one line that names it."""
    try:
        yield
    except FileNotFoundError as error:
        raise ScenarioError(f"{error.filename or path} is missing from the run; solve again") from error
    except DAMAGE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ScenarioError(f"{path} cannot be read ({reason}); the run is damaged, solve again") from error
