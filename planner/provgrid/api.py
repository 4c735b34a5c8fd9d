"""What `import provgrid as pg` offers: from a folder to an audited plan, and back from a run folder."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from provgrid.experiments.plans import Experiment
    from provgrid.experiments.results import Claims
    from provgrid.spread import Uncertainty
    from provgrid.sweeps.results import Front, Sweep
    from provgrid.sweeps.run import Task
    from provgrid_models.findings import Finding
    from provgrid_models.problem import Problem
    from provgrid_models.provenance import Provenance
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.answers.infeasible import Infeasibility
    from provgrid_optimizer.options import Progress
    from provgrid_optimizer.plan import Plan


def load(path: str | Path, set: Sequence[str] = ()) -> Scenario:  # noqa: A002
    """Load a scenario from its folder, or a built-in one by its name.

    Parameters
    ----------
    path : folder with a `scenario.toml`, or "builtin:toy", "builtin:zhejiang", "builtin:national"; the bare name
        will do where there is no folder of that name.
    set : overrides such as "prices.carbon_price_yuan_per_t=80" or "pools.hami_yiwu/ascend_910c.accelerators=2000".

    Raises
    ------
    ScenarioError : the scenario is wrong; `findings` holds everything that is.
    """
    from provgrid_models.files import load_scenario

    _check_path("a scenario", path)
    return load_scenario(path, _overrides(set))


def check(path: str | Path, set: Sequence[str] = ()) -> list[Finding]:  # noqa: A002
    """Everything that is wrong or unlikely in a scenario, all at once; empty = nothing."""
    from provgrid_models.files import check_scenario

    _check_path("a scenario", path)
    return list(check_scenario(path, _overrides(set)))


def compile(scenario: Scenario) -> Problem:  # noqa: A001
    """Compile a scenario to arrays, the only thing that an engine reads."""
    _check_loaded("compile", scenario)
    from provgrid_models.compile import compile_scenario

    return compile_scenario(scenario)


def provenance(scenario: Scenario) -> tuple[Provenance, ...]:
    """Trace every number of a scenario to facts of the documents, rows of the tables, and named assumptions.

    One `Provenance` for each number: path, value, unit, sources, quality, low, high, facts, documents; jobs, services
    and demand have one for each column. A number without a source has quality "".
    """
    _check_loaded("provenance", scenario)
    return scenario.provenance


def solve(
    what: Scenario | Problem,
    engine: str = "heuristic",
    *,
    gap: float | None = None,
    time_limit: float | None = None,
    passes: int | None = None,
    threads: int = 2,
    seed: int = 0,
    policies: bool = True,
    on_progress: Callable[[Progress], None] | None = None,
) -> Plan:
    """Find a plan, prove how good it is, and audit it.

    Parameters
    ----------
    what : a scenario, or a problem built from arrays.
    engine : "heuristic", "lp" (the relaxation), "milp", "pulp-cbc", "pulp-highs", or a policy: "local", "cheapest",
        "greenest", "overflow", "siloed".
    gap : stop when (objective - bound) / |objective| is at most this.
    time_limit : stop after this many seconds with the best plan so far.
    passes : stop after this many improvement passes.
    threads, seed : stopped by gap or passes, the plan depends on the seed and not on the threads.
    policies : run the policies too, so that the certificate can say which share of the saving was captured.
    on_progress : called with a `Progress` while the engine works.

    Raises
    ------
    OptionError, InfeasibleError, NoPlanError, SolverError, MissingSolverError, AuditError : all `ProvgridError`.
    """
    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.options import SolveOptions, ignore_progress
    from provgrid_optimizer.solve import solve as solve_problem

    _check_loaded("solve", what, arrays=True)
    options = SolveOptions(gap=gap, time_limit_s=time_limit, passes=passes, threads=threads, seed=seed)
    started = time.perf_counter()
    scenario = what if isinstance(what, Scenario) else None
    problem = compile(what) if isinstance(what, Scenario) else what
    return solve_problem(
        problem,
        engine,
        options,
        on_progress or ignore_progress,
        scenario=scenario,
        build_s=time.perf_counter() - started,
        with_policies=policies,
    )


def _check_loaded(name: str, what: object, *, arrays: bool = False) -> None:
    """Raise `OptionError` where something else was given for a scenario, or, with `arrays`, for a problem."""
    from pathlib import Path

    from provgrid_models.arguments import check_is
    from provgrid_models.errors import OptionError
    from provgrid_models.problem import Problem
    from provgrid_models.scenario import Scenario

    if isinstance(what, str | Path):
        message = f"{name} takes a loaded scenario, and {str(what)!r} is its name"
        raise OptionError(f"{message}; load it first: pg.{name}(pg.load({str(what)!r}))")
    kinds = (Scenario, Problem) if arrays else (Scenario,)
    check_is(f"what {name} was given", what, kinds, f"give it a scenario: pg.{name}(pg.load(...))")


def _check_path(what: str, path: object) -> None:
    """Raise `OptionError` where neither a path nor a name was given."""
    from pathlib import Path

    from provgrid_models.arguments import check_is

    check_is(f"what names {what}", path, (str, Path), "give the path of its folder, as a text or a Path")


def _overrides(given: Sequence[str]) -> tuple[str, ...]:
    """Return overrides as a tuple, or raise `OptionError` where they are no list of texts."""
    from provgrid_models.arguments import checked_texts

    return checked_texts("set", given, 'give a list such as ["prices.carbon_price_yuan_per_t=80"]')


def claims(
    *ids: str,
    jobs: int = 1,
    national: bool = False,
    folder: str | Path = "runs/claims",
    on_made: Callable[[Experiment], None] | None = None,
) -> Claims:
    """Put claims of the documents to the test: verdicts on three cost bases, each from audited plans.

    Parameters
    ----------
    ids : claims to examine, all where none is named.
    jobs : plans made at the same time, each in a process of its own.
    national : the headline claims on `national`, by the heuristic, instead.
    folder : where plans are kept; those that are there are not made again.
    on_made : called after each plan that was made.

    Raises
    ------
    OptionError : there is no claim of that name.
    ProvgridError : a plan could not be made, or failed its audit.
    """
    from pathlib import Path

    from provgrid.experiments.catalogue import catalogue, chosen
    from provgrid.experiments.catalogue.national import on_national
    from provgrid.experiments.examine import examine
    from provgrid.experiments.store import Store

    picked = chosen(on_national() if national else catalogue(), ids)
    return examine(picked, Store(Path(folder)), jobs=jobs, on_made=on_made or (lambda _: None))


def uncertain(
    scenario: str | Path,
    *,
    draws: int = 50,
    seed: int = 0,
    engine: str = "heuristic",
    set: Sequence[str] = (),  # noqa: A002
    gap: float | None = None,
    time_limit: float | None = None,
    passes: int | None = None,
    jobs: int = 1,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Uncertainty:
    """Draw every assumed figure behind a scenario in its range, solve and audit each draw, and gather the spread.

    Parameters
    ----------
    scenario : as in `load`: built in, or extending one, or with ranges of its own in `[uncertain]`.
    draws, seed : draw k depends on the seed and on k, not on how many there are or on `jobs`.
    engine, set, gap, time_limit, passes : as in `load` and `solve`; each draw runs on one thread.
    jobs : processes; above 1, a script must be guarded by `if __name__ == "__main__":`.
    on_progress : called with the number of draws that are done, and of all.

    Raises
    ------
    ScenarioError : the scenario is wrong, or has no uncertain figure.
    AuditError : the plan of a draw broke a rule. A draw without a plan is counted in the result instead.
    WorkerLostError : a process was lost.
    """
    from provgrid import draws as draws_of
    from provgrid_optimizer.options import SolveOptions
    from provgrid_optimizer.solve import find_engine

    find_engine(engine)
    draws_of.check_draws(draws, seed, jobs)
    options = SolveOptions(gap=gap, time_limit_s=time_limit, passes=passes, threads=1, seed=seed)
    _check_path("a scenario", scenario)
    task = draws_of.task_of(scenario, _overrides(set), engine, options)
    return draws_of.uncertain(task, draws=draws, seed=seed, jobs=jobs, on_progress=on_progress)


def explain_infeasible(scenario: Scenario, *, time_limit: float | None = None, threads: int = 2) -> Infeasibility:
    """Name why hard work of a scenario cannot be served, irreducibly, and the smallest changes that let it.

    Parameters
    ----------
    time_limit : seconds for each search among whole jobs.

    Raises
    ------
    ScenarioError, SolverError : the scenario cannot be compiled, or HiGHS failed.
    """
    _check_loaded("explain_infeasible", scenario)
    from provgrid_optimizer.answers.infeasible import explain_infeasible as explain
    from provgrid_optimizer.options import SolveOptions

    return explain(scenario, SolveOptions(time_limit_s=time_limit, threads=threads))


def sweep(
    scenario: str | Path,
    vary: Sequence[str] | Mapping[str, Sequence[Any] | str],
    *,
    engine: str = "heuristic",
    set: Sequence[str] = (),  # noqa: A002
    gap: float | None = None,
    time_limit: float | None = None,
    passes: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    dask: str | None = None,
    folder: str | Path = "runs/points",
    hot: bool = True,
    again: bool = False,
    on_made: Callable[[int, int], None] = lambda done, total: None,
) -> Sweep:
    """Plan a scenario at every combination of varied values; what was made before is taken from `folder`.

    Parameters
    ----------
    scenario : as in `load`.
    vary : arguments such as "prices.carbon_price_yuan_per_t=0:300:50" and "pools.*/h800.accelerators*=0.5,1,2", or
        keys with their values.
    engine, set, gap, time_limit, passes, seed : as in `load` and `solve`; each plan takes one thread.
    jobs : processes; above 1, a script must be guarded by `if __name__ == "__main__":`.
    dask : address of a Dask scheduler, whose workers make the plans instead.
    hot : let the relaxation go on from a neighbour's basis; a sample is solved again from nothing.
    again : make plans anew that were made before.
    on_made : called with the number of points that are done, and of all that are known of.

    Raises
    ------
    OptionError, ScenarioError : nothing could be varied like this. A single point without a plan is a row.
    SolverError : a plan that started hot costs something else from nothing.
    MissingSolverError, WorkerLostError : what was finished is kept.
    """
    from provgrid.sweeps.run import sweep as sweep_points
    from provgrid.sweeps.vary import axes_of

    axes = axes_of(vary)
    how: dict[str, Any] = {"gap": gap, "time_limit_s": time_limit, "passes": passes, "seed": seed}
    where: dict[str, Any] = {
        "jobs": jobs,
        "dask": dask,
        "folder": folder,
        "hot": hot,
        "again": again,
        "on_made": on_made,
    }
    return sweep_points(_task(scenario, engine, set, how, where), axes)


def pareto(
    scenario: str | Path,
    objectives: Sequence[str] = ("cost", "carbon"),
    *,
    points: int = 7,
    engine: str = "lp",
    set: Sequence[str] = (),  # noqa: A002
    gap: float | None = None,
    time_limit: float | None = None,
    passes: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    dask: str | None = None,
    folder: str | Path = "runs/points",
    again: bool = False,
    on_made: Callable[[int, int], None] = lambda done, total: None,
) -> Front:
    """Plans between the cheapest and the greenest, or the nearest: cost against carbon, or against latency.

    Every point is the cheapest plan that keeps the other objective within a limit, and serves what the cheapest plan of
    all serves. Objectives: "cost", and "carbon" (CO2 of all clusters) or "latency" (the largest share of its SLO that a
    service's metric takes). `points` counts the two ends; latency has fewer where fewer limits change anything. Other
    keywords as in `sweep`; raises as `sweep` does, and `InfeasibleError` or `NoPlanError` where the front has no end.
    """
    from provgrid.sweeps.pareto import front

    how: dict[str, Any] = {"gap": gap, "time_limit_s": time_limit, "passes": passes, "seed": seed}
    where: dict[str, Any] = {"jobs": jobs, "dask": dask, "folder": folder, "again": again, "on_made": on_made}
    return front(_task(scenario, engine, set, how, where), objectives, points)


def _task(
    scenario: str | Path, engine: str, overrides: Sequence[str], how: dict[str, Any], where: dict[str, Any]
) -> Task:
    """Say how the points of a sweep or a front are made."""
    from pathlib import Path

    from provgrid.sweeps.run import Task
    from provgrid_optimizer.options import SolveOptions

    _check_path("a scenario", scenario)
    options = SolveOptions(threads=1, **how)
    where = {**where, "folder": Path(where["folder"])}
    return Task(scenario=str(scenario), engine=engine, options=options, overrides=_overrides(overrides), **where)


def open(run: str | Path) -> Plan:  # noqa: A001
    """Read a run folder back as a plan, and audit it again.

    Raises
    ------
    ScenarioError : a file of the run is missing or damaged.
    AuditError : the tables no longer pass the audit.
    """
    from provgrid_optimizer.runs import open_run

    _check_path("a run", run)
    return open_run(run)
