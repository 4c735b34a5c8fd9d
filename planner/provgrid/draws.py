"""What a plan's headline numbers would be if the assumed figures were others: draws, each built, solved and audited.

A scenario that is built in, or extends one, is built again from the tables with every assumed figure drawn in its
range (see `provgrid_seeds.ranges`); ranges of a planner's own stand in `[uncertain]` of `scenario.toml`. Draw k depends
on the seed and on k alone, so that the same draws are made whatever the number of processes.
"""

from __future__ import annotations

import tempfile
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from provgrid.spread import Uncertainty, spread_of
from provgrid.workers import processes
from provgrid_models.errors import InfeasibleError, NoPlanError, OptionError, ScenarioError
from provgrid_models.files import load_scenario
from provgrid_models.findings import Findings
from provgrid_models.overlay import builtin_folder, read_layers, rebuilt_in
from provgrid_models.provenance import drawn_from
from provgrid_models.uncertain import own_range
from provgrid_seeds import build, loader
from provgrid_seeds.ranges import UncertainFigure, consistent, uncertain_figures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.options import SolveOptions
    from provgrid_optimizer.plan import Plan

Numbers = dict[str, float]
FEWEST_DRAWS, MOST_JOBS = 2, 256
JOBS, MORE_JOBS, MOST_STEPS = "generate.training.jobs", 1.5, 8
REASONS: dict[type[Exception], str] = {
    InfeasibleError: "infeasible",
    ScenarioError: "cannot be built",
    NoPlanError: "no plan in time",
}


@dataclass(frozen=True)
class Task:
    """What every draw shares; small enough to be sent to a process of its own."""

    name: str
    scenario: str  # folder, or built-in name
    overrides: tuple[str, ...]
    engine: str
    options: SolveOptions
    rebuilt: tuple[str, ...]  # built-in scenarios that the scenario is, or is laid over
    figures: tuple[UncertainFigure, ...]
    own: tuple[tuple[str, float, float, float], ...]  # path, value, low, high of a planner's own ranges
    jobs: int | None  # training jobs that are drawn
    held: tuple[str, ...]  # assumed figures without a range, and choices of the scenario


@dataclass(frozen=True)
class Draw:
    """One draw: what was drawn, and the headline numbers of its plan or the reason why there is none."""

    number: int
    drawn: Numbers
    headline: Numbers
    reason: str = ""
    message: str = ""


def uncertain(
    task: Task,
    *,
    draws: int,
    seed: int,
    jobs: int,
    named: Plan | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Uncertainty:
    """Draw, build, solve and audit; see `provgrid.uncertain`. `named` is the plan at the figures as they are."""
    check_draws(draws, seed, jobs)
    on_progress(0, draws)
    at_figures = headline(_solved(task, {}) if named is None else named)
    made = {}
    for draw in _all(task, range(draws), seed, jobs):
        made[draw.number] = draw
        on_progress(len(made), draws)
    return spread_of(task, seed, at_figures, [made[k] for k in range(draws)])


def check_draws(draws: int, seed: int, jobs: int) -> None:
    """Raise `OptionError` where draws cannot be made like this."""
    if draws < FEWEST_DRAWS or not 1 <= jobs <= MOST_JOBS or seed < 0:
        raise OptionError(
            f"draws is {draws}, jobs {jobs}, seed {seed}; give at least {FEWEST_DRAWS} draws, 1 to {MOST_JOBS} jobs, "
            "and a seed of at least 0"
        )


def headline(plan: Plan) -> Numbers:
    """Return the numbers of a plan that a reader looks at first; NaN where one does not exist for it."""
    from provgrid_optimizer.savings import saving
    from provgrid_optimizer.solve import solve as solve_problem

    used = plan.usage.job_accelerators + plan.usage.service_accelerators
    hours = float((used @ plan.problem.hours).sum())
    saved: float | None = None
    if not plan.certificate.divisible:
        baseline = (
            plan
            if plan.engine == "local"
            else solve_problem(plan.problem, "local", plan.options, scenario=plan.scenario, with_policies=False)
        )
        saved = saving(plan, baseline).share
    return {
        "objective_yuan": plan.objective_yuan,
        **{f"{name}_yuan": yuan for name, yuan in plan.component_costs.by_component().items()},
        "unserved_share": plan.unserved_share,
        "carbon_t": plan.component_costs.carbon_kg / 1000.0,
        "gap": plan.certificate.gap,
        "accelerator_h": hours,
        "yuan_per_accelerator_h": (plan.objective_yuan - plan.component_costs.unserved) / hours
        if hours
        else float("nan"),
        "saving_against_local": float("nan") if saved is None else saved,
    }


# What is drawn -------------------------------------------------------------------------------------------------


def task_of(
    scenario: str | Path, overrides: Sequence[str], engine: str, options: SolveOptions, loaded: Scenario | None = None
) -> Task:
    """Find the figures that a scenario rests on and that have a range.

    Raises
    ------
    ScenarioError : there are none, or `[uncertain]` names something else than numbers inside their ranges.
    """
    loaded = load_scenario(scenario, overrides) if loaded is None else loaded
    layers = read_layers(scenario, Findings())
    rebuilt = tuple(name for name in build.SCENARIOS if any(one.folder == builtin_folder(name) for one in layers))
    names = [name for one in loaded.provenance for name in one.sources] if rebuilt else []
    figures, held = uncertain_figures(name for name in names if name.partition("/")[0] in loader.table_names())
    own = tuple(own_range(path, low, high, loaded) for path, (low, high) in loaded.settings.uncertain.items())
    if not figures and not own:
        raise ScenarioError(
            f"scenario {loaded.name} has no uncertain figure: it extends no built-in scenario (a copy of one stands "
            'alone), and gives no range; add [uncertain] to scenario.toml, e.g. "clusters.mine.pue" = [1.1, 1.4], or '
            'keep only what you change, under extends = "builtin:toy"'
        )
    drawn_jobs = drawn_from(loaded).get("training", {}).get("jobs")
    jobs = int(drawn_jobs) if drawn_jobs is not None else None
    one_thread = replace(options, threads=1)
    return Task(loaded.name, str(scenario), tuple(overrides), engine, one_thread, rebuilt, figures, own, jobs, held)


def drawn_numbers(task: Task, number: int, seed: int) -> Numbers:
    """Draw every figure once: triangular in its range, with the peak at the figure."""
    rng = np.random.default_rng([seed, number])
    numbers = {}
    for one in task.figures:
        value = rng.triangular(one.low, one.value, one.high)
        numbers[one.id] = float(round(value)) if one.whole else value
    numbers = consistent(numbers)
    return numbers | {
        path: rng.triangular(low, value, high) if low < high else value for path, value, low, high in task.own
    }


# One draw, and all ---------------------------------------------------------------------------------------------


def _all(task: Task, numbers: Sequence[int], seed: int, jobs: int) -> Iterator[Draw]:
    """Make every draw, in processes of one thread each; in the order in which they are done."""
    if jobs == 1:
        for number in numbers:
            yield make(task, number, seed)
        return
    with processes(min(jobs, len(numbers))) as pool:
        for done in as_completed([pool.submit(make, task, number, seed) for number in numbers]):
            yield done.result()


def make(task: Task, number: int, seed: int) -> Draw:
    """Draw, build the scenario again, solve and audit it; a draw that has no plan says why."""
    drawn = drawn_numbers(task, number, seed)
    try:
        plan = _solved(task, drawn)
    except (InfeasibleError, ScenarioError, NoPlanError) as error:
        return Draw(number, drawn, {}, REASONS[type(error)], str(error))
    return Draw(number, drawn, headline(plan))


def _solved(task: Task, drawn: Numbers) -> Plan:
    """Solve and audit the scenario with these numbers in place of its own; with none, as it is."""
    from provgrid_models.compile import compile_scenario
    from provgrid_optimizer.solve import solve as solve_problem

    scenario = _rebuilt(task, drawn)
    problem = compile_scenario(scenario)
    return solve_problem(problem, task.engine, task.options, scenario=scenario, with_policies=False)


def _rebuilt(task: Task, drawn: Numbers) -> Scenario:
    """Build and load the scenario with these numbers."""
    cells = {c: n for one in task.figures if one.id in drawn for c, n in one.drawn(drawn[one.id]).items()}
    overrides = (*task.overrides, *(f"{path}={drawn[path]!r}" for path, *_ in task.own if path in drawn))
    with tempfile.TemporaryDirectory(prefix="provgrid.") as folder, loader.redrawn(cells), rebuilt_in(Path(folder)):
        try:
            build.build(Path(folder), task.rebuilt if cells else ())
        except (ArithmeticError, LookupError, ValueError) as error:
            raise ScenarioError(
                f"{task.name} cannot be made of these figures: {error or type(error).__name__}; "
                f"narrow the ranges in [uncertain]"
            ) from error
        return _loaded(task, overrides)


def _loaded(task: Task, overrides: tuple[str, ...]) -> Scenario:
    """Load the scenario; where its drawn work is more than its jobs can hold, with as many more jobs as it takes.

    How many jobs work is cut into is a choice; drawn capacity, and with it the work, may be several times that of the
    figures as they are.
    """
    for step in range(MOST_STEPS):
        more = () if step == 0 or task.jobs is None else (f"{JOBS}={round(task.jobs * MORE_JOBS**step)}",)
        try:
            return load_scenario(task.scenario, (*overrides, *more))
        except ScenarioError as error:
            if task.jobs is None or {one.code for one in error.findings} != {"generate-too-much"}:
                raise
            last = error
    raise last
