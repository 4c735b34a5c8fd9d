"""The part of a Lagrangian pass in which jobs with a base or a vertical choose, each at hour prices of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.heuristic.kernels.compiled import allocating, inner_inlined
from provgrid_optimizer.heuristic.kernels.dual import NEAR, add_exactly, move_price
from provgrid_optimizer.heuristic.kernels.windows import (
    cheapest,
    duration,
    full_periods,
    grow,
    least_run_price,
    one_off,
    sums,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provgrid_models.problem import Floats, Ints
    from provgrid_optimizer.heuristic.arrays import Jobs, Network
    from provgrid_optimizer.lagrangian import Hints


@inner_inlined
def own_prices(jobs: Jobs, price: Floats, charge: Floats, j: int, first: int, need: float, own: Floats) -> None:
    """Write to `own` what elastic job j pays per accelerator and period from `first` on, its order included."""
    per_share = 1.0 / (jobs.limit[j] * need)  # share of the job that an accelerator does in a period
    for t in range(first, jobs.deadline[j]):
        own[t] = price[t] + charge[t] * per_share


@inner_inlined
def cheapest_own_start(
    jobs: Jobs, running: Floats, begun: Floats, done: Floats, j: int, first: int, periods: int
) -> tuple[float, int]:
    """Cheapest start of rigid job j, its order included: (price, start)."""
    best = np.inf
    start = first
    for t in range(first, jobs.deadline[j] - periods + 1):
        price = jobs.limit[j] * (running[t + periods] - running[t]) + begun[t] + done[t + periods - 1]
        if price < best:
            best = price
            start = t
    return best, start


@allocating
def chained_pass(
    jobs: Jobs,
    network: Network,
    hints: Hints,
    chained: Ints,
    begun_yuan: Floats,
    done_yuan: Floats,
    price: Floats,
    running: Floats,
    link_running: Floats,
    usage: Floats,
    traffic: Floats,
    pools: Ints,
    starts: Ints,
    yuan: Floats,
    begun: Floats,
    done: Floats,
) -> tuple[float, float, float]:
    """Let the `chained` (N,) jobs choose at `price` (P, T) yuan per accelerator held for the period.

    `begun_yuan` and `done_yuan` (N, T) are paid on top, per share of the job that begins or is done in a period; an
    elastic job begins what it does. Adds to `usage` (P, T) and `traffic` (L, T), writes each job's pool (-1 =
    unserved), rigid start, yuan without what its order costs, and shares `begun` and `done` (N, T), and returns
    (value, lost digits, magnitude). `hints` change the time, never the result.
    """
    n_pools, n_periods = price.shape
    charge, own = np.empty(n_periods), np.empty(n_periods)
    values, total = np.empty(n_periods), np.empty(n_periods + 1)
    periods: NDArray[np.int32] = np.empty(n_periods, dtype=np.int32)
    value, lost, magnitude = 0.0, 0.0, 0.0
    for i in range(chained.size):
        j = chained[i]
        for t in range(n_periods):
            charge[t] = begun_yuan[i, t] + done_yuan[i, t]
        span = begun_yuan[i].max() - done_yuan[i].min()
        best = jobs.unserved_yuan[j]
        best_pool, best_start = -1, -1
        guess = hints.pool[j]
        for turn in range(-1, n_pools):
            p = guess if turn < 0 else turn
            if p < 0 or turn == guess:
                continue
            need = full_periods(jobs, j, p)
            if need == np.inf:
                continue
            first, start = jobs.release[j], -1
            cost = one_off(jobs, j, p)
            if jobs.move_periods[j] > 0 and jobs.remote[jobs.origin[j], p]:
                first += jobs.move_periods[j]
                cost += move_price(jobs, network, link_running, j, p)
            if jobs.rigid[j]:
                run, start = cheapest_own_start(
                    jobs, running[p], begun_yuan[i], done_yuan[i], j, first, int(duration(need))
                )
                cost += run
            else:
                own_prices(jobs, price[p], charge, j, first, need, own)
                least = least_run_price(own, first, jobs.deadline[j], need, hints.marginal[j, p])
                if cost + jobs.limit[j] * least >= best + NEAR * (abs(best) + abs(cost) + span):
                    continue
                count = grow(own, first, jobs.deadline[j], values, periods, 0)
                sums(values, count, total)
                hints.marginal[j, p] = values[min(int(need), count - 1)]
                cost += jobs.limit[j] * cheapest(need, values, total, count)
            if cost < best or (cost == best and best_pool > p):
                best = cost
                best_pool, best_start = p, start
        value, lost = add_exactly(value, lost, best)
        magnitude += abs(best) + 2.0 * span
        yuan[j] = best
        pools[j] = hints.pool[j] = best_pool
        starts[j] = best_start
        if best_pool < 0:
            continue
        p, first = best_pool, jobs.release[j]
        need = full_periods(jobs, j, p)
        if jobs.move_periods[j] > 0 and jobs.remote[jobs.origin[j], p]:
            first += jobs.move_periods[j]
            if traffic.shape[0] > 0:
                route = jobs.origin[j] * network.clusters + network.pool_cluster[p]
                for k in range(network.route_start[route], network.route_start[route + 1]):
                    for t in range(jobs.release[j], first):
                        traffic[network.route_link[k], t] += jobs.move_gbps[j]
        if jobs.rigid[j]:
            magnitude += jobs.limit[j] * running[p, n_periods]
            end = best_start + int(duration(need))
            for t in range(best_start, end):
                usage[p, t] += jobs.limit[j]
            begun[i, best_start] = 1.0
            done[i, end - 1] = 1.0
            yuan[j] -= begun_yuan[i, best_start] + done_yuan[i, end - 1]
        else:
            own_prices(jobs, price[p], charge, j, first, need, own)
            count = grow(own, first, jobs.deadline[j], values, periods, 0)
            for k in range(min(int(need) + 1, count)):
                t = periods[k]
                part = min(need - k, 1.0)
                usage[p, t] += part * jobs.limit[j]
                begun[i, t] = done[i, t] = part / need
                yuan[j] -= charge[t] * part / need
    return value, lost, magnitude
