"""The first plan: jobs and services one by one, each where it is cheapest at the dual prices; hard work first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.errors import ASK_WHY, NoPlanError
from provgrid_optimizer.heuristic.arrays import by_depth
from provgrid_optimizer.heuristic.kernels.curves import refresh_all
from provgrid_optimizer.heuristic.kernels.place import place_earliest
from provgrid_optimizer.heuristic.kernels.respond import respond_jobs
from provgrid_optimizer.heuristic.kernels.shift import respond_services
from provgrid_optimizer.heuristic.pricing import pricing, scratch
from provgrid_optimizer.heuristic.state import State, empty_state, served_units

if TYPE_CHECKING:
    from numpy.random import Generator

    from provgrid_models.problem import Bools, Floats, Ints, Problem
    from provgrid_optimizer.heuristic.arrays import Arrays
    from provgrid_optimizer.lagrangian import Pass
    from provgrid_optimizer.multipliers import Multipliers

FIRST_RAMP = 0.05  # share of a limit within which its price rises
CALM_ATTEMPTS = 4  # of them at best prices; later ones place bases as early as they can
ATTEMPTS = 40  # orders tried before hard work that does not fit is given up
SERVICE_STEPS = 8


def needed(problem: Problem) -> Bools:
    """Jobs that must be served: hard ones and the bases that they wait for, shape (J,)."""
    hard = np.isinf(problem.unserved_yuan)
    for _ in range(int(by_depth(problem).max(initial=0))):
        hard = hard.copy()
        waiting = hard & (problem.after >= 0)
        hard[problem.after[waiting]] = True
    return hard


def with_value(problem: Problem, laid_out: Arrays, *, of_verticals: bool) -> Arrays:
    """Return the same arrays, in which needed jobs are hard, and bases are worth their verticals too, where asked."""
    value = laid_out.jobs.unserved_yuan.copy()
    if of_verticals:
        depth = by_depth(problem)
        for level in range(int(depth.max(initial=0)), 0, -1):
            jobs = np.flatnonzero(depth == level)
            np.add.at(value, problem.after[jobs], value[jobs])
    value[needed(problem)] = np.inf
    return laid_out._replace(jobs=laid_out.jobs._replace(unserved_yuan=value))


def construct(problem: Problem, laid_out: Arrays, prices: Multipliers, made: Pass, seed: int) -> State:
    """Feasible plan, all hard work in it.

    Raises `NoPlanError` where hard work found no place in any order tried.
    """
    arrays = with_value(problem, laid_out, of_verticals=True)
    hard_job, hard_service = needed(problem), np.isinf(problem.service_unserved_yuan)
    is_base = np.isin(np.arange(problem.n_jobs), problem.after)
    size = _size(problem)
    random = np.random.default_rng(seed)
    rank = -size
    for attempt in range(ATTEMPTS):
        state = empty_state(problem)
        curves = pricing(problem, arrays, prices, made.offered)
        curves.ramp[0] = FIRST_RAMP
        curves.ramp_kw[:] *= FIRST_RAMP
        space = scratch(problem)
        refresh_all(arrays, state, curves)
        order = job_order(problem, rank)
        jobs_first = attempt % 2 == 0
        for jobs_turn in (jobs_first, not jobs_first):
            if jobs_turn:
                if attempt >= CALM_ATTEMPTS:
                    _bases_early(problem, arrays, state, order[(hard_job & is_base)[order]], random)
                    refresh_all(arrays, state, curves)
                respond_jobs(arrays, state, curves, order[(hard_job & (state.pool < 0))[order]], space)
            else:
                respond_services(arrays, state, curves, SERVICE_STEPS, np.flatnonzero(hard_service))
        lost = hard_job & (state.pool < 0)
        short = _short(problem, state, hard_service)
        if not lost.any() and not short.any():
            respond_services(arrays, state, curves, SERVICE_STEPS, np.flatnonzero(~hard_service))
            respond_jobs(arrays, state, curves, order[~hard_job[order]], space)
            return state
        rank = np.where(
            lost, rank.min(initial=0.0) - 1.0 - random.random(rank.size), rank * random.uniform(0.3, 3, rank.size)
        )
    labels = problem.labels
    kind, names, missing = ("job", labels.jobs, lost) if lost.any() else ("service", labels.services, short)
    first = int(np.argmax(missing))
    raise NoPlanError(
        f"hard {kind} {first if names is None else names[first]} found no place beside the other hard work; "
        f"add capacity, or ask the milp engine for proof{ASK_WHY}"
    )


def _bases_early(problem: Problem, arrays: Arrays, state: State, order: Ints, random: Generator) -> None:
    """Place bases as early as they fit, pools in random order: their verticals may have no time to lose."""
    for j in order:
        for p in random.permutation(problem.n_pools):
            if place_earliest(arrays, state, j, p):
                break


def _size(problem: Problem) -> Floats:
    """Work of each job in accelerator-hours of its best class rate."""
    fastest = problem.class_rate_pflops.max(axis=1, initial=0.0)
    return np.asarray(problem.work_pflop_h / np.maximum(fastest[problem.job_class], 1e-300))


def _short(problem: Problem, state: State, hard_service: Bools) -> Bools:
    """Hard services that are not served in full, shape (S,)."""
    if not hard_service.any():
        return hard_service
    return np.asarray(hard_service & (served_units(state) < problem.demand * (1.0 - 1e-9)).any(axis=1))


def missing(problem: Problem, state: State) -> bool:
    """Whether hard work is left out of a plan."""
    short = _short(problem, state, np.isinf(problem.service_unserved_yuan))
    return bool((needed(problem) & (state.pool < 0)).any() or short.any())


def job_order(problem: Problem, rank: Floats) -> Ints:
    """Jobs by rank, bases before their verticals."""
    return np.lexsort((rank, by_depth(problem))).astype(np.int64)
