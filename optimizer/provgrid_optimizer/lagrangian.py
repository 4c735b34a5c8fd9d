"""The Lagrangian bound: what any prices prove about every plan, evaluated in float64 with its rounding subtracted.

For multipliers pi (accelerator), nu (peak), ell (link), kappa (carbon), mu (after), all >= 0, on the coupling rows,

    L = sum_j min( unserved_j, min_p [ one_off_jp + links on the way + cheapest hours or start at h pi and at mu ] )
      + sum_st h q min( unserved_s, min_p [ yuan_sp + pi / rate_sp + gbps_s sum_l ell ] )
      + sum_ct h min { blocks at (price + kappa kg + nu [grid]) - sum_p pi x }     x <= capacity, balance, limits
      - sum_lt h ell bandwidth  -  kappa budget  -  floor

is a lower bound on the objective, divisible or not. A vertical v pays sum_{u >= t} mu[v,u] per share of it that is done
(rigid: started) in t, its base earns sum_{u >= t + 1 + lag} mu[v,u] per share that is done in t. Source: design §2.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from provgrid_models.errors import ASK_WHY, ArrayError, InfeasibleError
from provgrid_optimizer.heuristic.arrays import Arrays, arrays
from provgrid_optimizer.heuristic.kernels.chained import chained_pass
from provgrid_optimizer.heuristic.kernels.dual import chunk_pass, least_of_ranges, services_pass
from provgrid_optimizer.heuristic.kernels.supply import supply_pass
from provgrid_optimizer.heuristic.orders import Orders, ahead_of_base, charges, find_orders
from provgrid_optimizer.multipliers import verticals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provgrid_models.problem import Bools, Floats, Ints, Problem
    from provgrid_optimizer.multipliers import Multipliers

PEAK_TOLERANCE = 1e-12  # rounding that sum_t hours * peak may carry above the demand charge, relative


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A lower bound in yuan and the parts that sum to it; `rounding_yuan` was subtracted for float64's sake."""

    total_yuan: float
    jobs_yuan: float
    services_yuan: float
    supply_yuan: float
    links_yuan: float
    carbon_yuan: float
    rounding_yuan: float


class Hints(NamedTuple):
    """What an earlier pass found, to spare a later one work; updated in place."""

    pool: Ints  # (J,) cheapest pool, tried first; -1 = unserved or not known
    marginal: NDArray[np.float32]  # (J, P) price of the last hour used, 0 where not known

    @classmethod
    def none(cls, jobs: int, pools: int) -> Hints:
        """Nothing is known yet."""
        return cls(np.full(jobs, -1), np.zeros((jobs, pools), dtype=np.float32))


class Workspace(NamedTuple):
    """Room for one part of a pass: sorted hours of the current window, for pools without (0) and with (1) a move."""

    values: Floats  # (2, P, T) prices of the window, ascending
    periods: NDArray[np.int32]  # (2, P, T) whose they are
    totals: Floats  # (2, P, T + 1) their running sum
    counts: Ints  # (2, P)
    grown: Ints  # (2, P) the deadline they reach
    window: Ints  # (2, P) the window that they belong to
    marks: Bools  # (2, P) pools with load in `whole` and `part`
    whole: Floats  # (2, P, T + 1) accelerators that fill all hours below this rank
    part: Floats  # (2, P, T + 1) accelerators in the hour of this rank
    block_price: Floats  # (2, P, T + 1) cheapest start by duration, of the group in block_group
    block_start: Ints
    block_group: Ints
    group_least: Floats  # (2, P) cheapest hour of the group's window
    least: Floats  # (levels, P, T) range minima of the price
    levels: Ints  # (T + 1,)

    @classmethod
    def of(cls, least: Floats, levels: Ints) -> Workspace:
        """Fresh room for a part of a pass, from the range minima of its prices."""
        pools, periods = least.shape[1:]
        shape, longer = (2, pools, periods), (2, pools, periods + 1)
        return cls(
            values=np.empty(shape),
            periods=np.empty(shape, dtype=np.int32),
            totals=np.zeros(longer),
            counts=np.zeros((2, pools), dtype=np.int64),
            grown=np.zeros((2, pools), dtype=np.int64),
            window=np.full((2, pools), -1),
            marks=np.zeros((2, pools), dtype=bool),
            whole=np.zeros(longer),
            part=np.zeros(longer),
            block_price=np.empty(longer),
            block_start=np.zeros(longer, dtype=np.int64),
            block_group=np.full(longer, -1),
            group_least=np.zeros((2, pools)),
            least=least,
            levels=levels,
        )


@dataclass(frozen=True, kw_only=True)
class Pass:
    """All that one evaluation yields: the bound, what was chosen, and the loads that make its subgradient.

    `asked` (P, T) accelerators that jobs and services choose, `offered` (P, T) that supply would rather carry,
    `traffic` (L, T) Gbit/s, `kg` carbon of supply, `ahead` (V, T) by how much each vertical's share exceeds what its
    base allows, `job_pool` (J,) with -1 = unserved, `job_yuan` (J,) what each pays, the prices of its order left out.
    """

    bound: Bound
    asked: Floats
    offered: Floats
    traffic: Floats
    kg: float
    ahead: Floats
    job_pool: Ints
    job_start: Ints
    job_yuan: Floats
    service_pool: Ints


def bound(problem: Problem, multipliers: Multipliers, threads: int = 2) -> Bound:
    """Lower bound that `multipliers` prove.

    Raises
    ------
    ArrayError : a multiplier has a wrong shape, is negative or not finite, or the peak prices exceed the charge.
    InfeasibleError : an idle floor exceeds the supply of its cluster, or a hard job or service has no open pool.
    """
    check(problem, multipliers)
    return evaluate(problem, arrays(problem), multipliers, threads).bound


def check(problem: Problem, multipliers: Multipliers) -> None:
    """Raise `ArrayError` where multipliers do not fit the problem or prove nothing."""
    shapes = {
        "accelerator": (problem.n_pools, problem.n_periods),
        "peak": (problem.n_clusters, problem.n_periods),
        "link": (problem.n_links, problem.n_periods),
        "after": (verticals(problem).size, problem.n_periods),
    }
    for name, shape in shapes.items():
        array = getattr(multipliers, name)
        problem.check_same_sizes(f"multipliers.{name}", array, shape)
        if array.size and not (np.isfinite(array).all() and array.min() >= 0.0):
            raise ArrayError(f"multipliers.{name} has a value that is negative or not finite; prices are at least 0")
    if not np.array_equal(multipliers.vertical, verticals(problem)):
        raise ArrayError(
            "multipliers.vertical is not the list of the jobs that come after another; give those, ascending"
        )
    if not (np.isfinite(multipliers.carbon) and multipliers.carbon >= 0.0):
        raise ArrayError(f"multipliers.carbon is {multipliers.carbon}; a price is finite and at least 0")
    peak = multipliers.peak @ problem.hours
    charge = problem.demand_charge_yuan_per_kw
    above = peak > charge * (1.0 + PEAK_TOLERANCE)
    if above.any():
        c = int(np.argmax(above))
        raise ArrayError(
            f"multipliers.peak sums to {peak[c]} in cluster {c}, above its demand charge {charge[c]}; scale it down"
        )


def range_minima(price: Floats) -> tuple[Floats, Ints]:
    """Range minima of `price` (P, T), by power of two, and the power for each length."""
    pools, periods = price.shape
    levels = np.maximum(np.floor(np.log2(np.maximum(np.arange(periods + 1), 1))), 0).astype(np.int64)
    least = np.full((int(levels[-1]) + 1, pools, periods), np.inf)
    least_of_ranges(price, least)
    return least, levels


def evaluate(
    problem: Problem,
    laid_out: Arrays,
    multipliers: Multipliers,
    threads: int = 1,
    hints: Hints | None = None,
    orders: Orders | None = None,
) -> Pass:
    """One full pass at prices that are known to fit; the same to the last digit for any number of threads.

    `hints` of an earlier pass change the time, never the result, and are brought up to date. `orders` are those of
    `laid_out`, for a caller that knows them already.
    """
    network, supply, services = laid_out[1:4]
    orders = orders or find_orders(laid_out)
    jobs = orders.others
    hours = problem.hours
    priced_link = multipliers.link.any()
    price = np.ascontiguousarray(multipliers.accelerator * hours)
    running = np.zeros((problem.n_pools, problem.n_periods + 1))
    np.cumsum(price, axis=1, out=running[:, 1:])
    link_running = np.zeros((problem.n_links, problem.n_periods + 1))
    np.cumsum(multipliers.link * hours, axis=1, out=link_running[:, 1:])
    least, levels = range_minima(price)
    chunks = jobs.group_chunk.size - 1
    usage = np.zeros((chunks, *price.shape))
    traffic_parts = np.zeros((chunks, problem.n_links, problem.n_periods))
    hints = hints or Hints.none(jobs.work.size, problem.n_pools)
    job_pool = np.full(jobs.work.size, -1)
    job_start, job_yuan = np.full(jobs.work.size, -1), np.zeros(jobs.work.size)

    def run(chunk: int) -> tuple[float, float, float]:
        groups = jobs.group_chunk[chunk], jobs.group_chunk[chunk + 1]
        loads = usage[chunk], traffic_parts[chunk], job_pool, job_start, job_yuan
        work = Workspace.of(least, levels)
        made: tuple[float, float, float] = chunk_pass(
            jobs, network, work, hints, price, running, link_running, *groups, *loads
        )
        return made

    if threads > 1 and chunks > 1:
        with ThreadPoolExecutor(threads) as pool:
            parts = np.array(list(pool.map(run, range(chunks))))
    else:
        parts = np.array([run(chunk) for chunk in range(chunks)])
    asked, traffic = usage.sum(axis=0), traffic_parts.sum(axis=0)
    ahead, ordered = np.zeros_like(multipliers.after), (0.0, 0.0, 0.0)
    if orders.chained.size:
        begun, done = np.zeros((2, orders.chained.size, problem.n_periods))
        loads = asked, traffic, job_pool, job_start, job_yuan
        paid = charges(orders, multipliers.after)
        ordered = chained_pass(
            jobs, network, hints, orders.chained, *paid, price, running, link_running, *loads, begun, done
        )
        ahead = ahead_of_base(orders, begun, done)
    service_pool = np.full(problem.demand.shape, -1)
    served = services_pass(
        services, network, hours, multipliers.accelerator, multipliers.link, asked, traffic, service_pool
    )
    offered, grid = np.zeros_like(price), np.zeros(multipliers.peak.shape)
    supplied = supply_pass(supply, multipliers.accelerator, multipliers.peak, multipliers.carbon, offered, grid)
    if not np.isfinite(supplied[0]):
        raise InfeasibleError("the idle floor of a cluster exceeds its supply; raise its grid limit or lower its floor")
    links_yuan = 0.0
    if priced_link:
        priced = multipliers.link > 0.0
        links_yuan = -float(
            np.sum(np.where(priced, multipliers.link * hours * np.where(priced, problem.link_gbps[:, None], 0.0), 0.0))
        )
    carbon_yuan = -multipliers.carbon * problem.carbon_budget_kg if multipliers.carbon > 0.0 else 0.0
    jobs_yuan = float(parts[:, 0].sum() + parts[:, 1].sum()) + (ordered[0] + ordered[1])
    services_yuan, floor_yuan = served[0] + served[1], problem.floor_yuan
    supply_yuan = supplied[0] + supplied[1] - floor_yuan
    if not np.isfinite(jobs_yuan + services_yuan):
        raise InfeasibleError(
            f"a hard job or service has no open pool; see Problem.reasons for why each is closed{ASK_WHY}"
        )
    magnitude = (
        float(parts[:, 2].sum()) + ordered[2] + served[2] + supplied[2] + abs(floor_yuan) - links_yuan - carbon_yuan
    )
    # What is paid back may hide how large the sums were that it was taken from.
    magnitude += 2.0 * (jobs.paid_back + services.paid_back)
    rounding = float(np.finfo(np.float64).eps) * (2 * problem.n_periods + 64) * magnitude
    total = jobs_yuan + services_yuan + supply_yuan + links_yuan + carbon_yuan - rounding
    return Pass(
        bound=Bound(
            total_yuan=total,
            jobs_yuan=jobs_yuan,
            services_yuan=services_yuan,
            supply_yuan=supply_yuan,
            links_yuan=links_yuan,
            carbon_yuan=carbon_yuan,
            rounding_yuan=rounding,
        ),
        asked=asked,
        offered=offered,
        traffic=traffic,
        kg=supplied[3],
        ahead=ahead,
        job_pool=job_pool,
        job_start=job_start,
        job_yuan=job_yuan,
        service_pool=service_pool,
    )
