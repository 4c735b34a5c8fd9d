"""Best response of jobs: one at a time, at prices that feel what it adds itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.heuristic.kernels.compiled import inner, inner_inlined, kernel
from provgrid_optimizer.heuristic.kernels.curves import average, marginal, overloaded, refresh_cluster
from provgrid_optimizer.heuristic.kernels.dual import move_price
from provgrid_optimizer.heuristic.kernels.place import SLACK, commit, hold, links_free, moves, remove, room, window
from provgrid_optimizer.heuristic.kernels.windows import TOLERANCE, duration, full_periods, least_run_price, one_off

if TYPE_CHECKING:
    from provgrid_models.problem import Floats, Ints
    from provgrid_optimizer.heuristic.arrays import Arrays
    from provgrid_optimizer.heuristic.pricing import Pricing, Scratch
    from provgrid_optimizer.heuristic.state import State

PARTS = 4  # steps in which an elastic job fills an hour, so that it feels its own price


@inner_inlined
def put_in_order(price: Floats, order: Ints, count: int, t: int, value: float) -> None:
    """Insert period t into lists that descend in price, the cheapest at their end."""
    i = count
    while i > 0 and price[i - 1] < value:
        price[i] = price[i - 1]
        order[i] = order[i - 1]
        i -= 1
    price[i] = value
    order[i] = t


@inner
def plan_elastic(
    laid_out: Arrays,
    state: State,
    pricing: Pricing,
    j: int,
    p: int,
    first: int,
    last: int,
    enough: float,
    scratch: Scratch,
) -> float:
    """Fill the cheapest parts of hours, dearer as they fill; returns yuan and leaves accelerators in scratch.amount.

    inf where there is too little room, or as soon as it is clear that `enough` yuan would not do.
    """
    limit = laid_out.jobs.limit[j]
    need = full_periods(laid_out.jobs, j, p)
    left = need * limit
    step = limit / PARTS
    guess = scratch.marginal[j, p]
    least = left * guess
    for t in range(first, last):
        scratch.amount[t] = 0.0
        scratch.room[t] = min(limit, room(laid_out, state, p, t))
        if scratch.room[t] > 0.0:
            scratch.first_part[t] = marginal(laid_out, state, pricing, p, t, 0.5 * min(step, scratch.room[t]))
            least -= max(guess - scratch.first_part[t], 0.0) * scratch.room[t]
    if least >= enough:
        return np.inf
    price = scratch.price
    order = scratch.order
    count = 0
    for t in range(first, last):
        if scratch.room[t] > 0.0:
            put_in_order(price, order, count, t, scratch.first_part[t])
            count += 1
    yuan = 0.0
    value = 0.0
    while left > 0.0 and count > 0:
        t = order[count - 1]
        value = price[count - 1]
        if yuan + left * value >= enough:
            return np.inf
        taken = min(left, step, scratch.room[t] - scratch.amount[t])
        scratch.amount[t] += taken
        yuan += taken * value
        left -= taken
        count -= 1
        free = scratch.room[t] - scratch.amount[t]
        if free > 1e-12 * limit:
            low = scratch.amount[t]
            dearer = marginal(laid_out, state, pricing, p, t, low + 0.5 * min(step, free))
            put_in_order(price, order, count, t, dearer)
            count += 1
    if left > need * limit * 2.0 * TOLERANCE:
        return np.inf
    scratch.marginal[j, p] = value
    return yuan


@inner
def plan_gang(
    laid_out: Arrays, state: State, pricing: Pricing, j: int, p: int, first: int, last: int, scratch: Scratch
) -> tuple[float, int]:
    """Cheapest start at which job j's gang fits, its own price included: (yuan, start)."""
    gang = laid_out.jobs.limit[j]
    periods = int(duration(full_periods(laid_out.jobs, j, p)))
    enough = gang * (1.0 - SLACK)
    best = np.inf
    start = -1
    since = first
    total = 0.0
    recent = scratch.price
    for t in range(first, last):
        if room(laid_out, state, p, t) < enough:
            since = t + 1
            total = 0.0
            continue
        half = 0.5 * gang
        recent[t] = half * (
            average(laid_out, state, pricing, p, t, 0.0, half) + average(laid_out, state, pricing, p, t, half, gang)
        )
        total += recent[t]
        if t - since >= periods:
            total -= recent[since]
            since += 1
        if t + 1 - since == periods and total < best:
            best = total
            start = since
    return best, start


@inner_inlined
def least_price(pricing: Pricing, p: int, first: int, last: int) -> float:
    """Cheapest period of a window at current prices."""
    least = np.inf
    for t in range(first, last):
        least = min(least, pricing.now[p, t])
    return least


@inner_inlined
def place_price(
    laid_out: Arrays, state: State, pricing: Pricing, j: int, p: int, base: float, best: float, scratch: Scratch
) -> float:
    """Yuan of job j in pool p, its own price included; inf where it does not fit, or could not be below `best`."""
    if not links_free(laid_out, state, j, p):
        return np.inf
    first, last = window(laid_out, state, j, p)
    if laid_out.jobs.rigid[j]:
        yuan, _ = plan_gang(laid_out, state, pricing, j, p, first, last, scratch)
        return base + yuan
    return base + plan_elastic(laid_out, state, pricing, j, p, first, last, best - base, scratch)


@inner
def best_place(
    laid_out: Arrays, state: State, pricing: Pricing, j: int, guess: int, scratch: Scratch
) -> tuple[float, int]:
    """Best pool for job j (not in the plan), its own price included: (yuan, pool); pool -1 = better unserved.

    The pool `guess` is tried first, others from the lowest optimistic price up, left out once that alone is above the
    best.
    """
    jobs = laid_out.jobs
    n_pools = laid_out.supply.capacity.shape[0]
    count = 0
    best = jobs.unserved_yuan[j]
    best_pool = -1
    for turn in range(-1, n_pools):
        p = guess if turn < 0 else turn
        if p < 0 or turn == guess:
            continue
        first, last = window(laid_out, state, j, p)
        if last <= first:
            continue
        need = full_periods(jobs, j, p)
        base = one_off(jobs, j, p)
        if moves(laid_out, j, p) > 0:
            base += move_price(jobs, laid_out.network, pricing.link_running, j, p)
        if turn < 0:
            yuan = place_price(laid_out, state, pricing, j, p, base, best, scratch)
            if yuan < best:
                best = yuan
                best_pool = p
            continue
        if jobs.rigid[j]:
            need = duration(need)
        least = need * least_price(pricing, p, first, last)
        if base + jobs.limit[j] * least >= best:
            continue
        if not jobs.rigid[j]:
            least = max(least, least_run_price(pricing.now[p], first, last, need, scratch.marginal[j, p]))
        value = base + jobs.limit[j] * least
        if value >= best:
            continue
        i = count
        while i > 0 and scratch.optimistic[i - 1] > value:
            scratch.optimistic[i] = scratch.optimistic[i - 1]
            scratch.pool[i] = scratch.pool[i - 1]
            scratch.base[i] = scratch.base[i - 1]
            i -= 1
        scratch.optimistic[i] = value
        scratch.pool[i] = p
        scratch.base[i] = base
        count += 1
    for i in range(count):
        if scratch.optimistic[i] >= best:
            break
        yuan = place_price(laid_out, state, pricing, j, scratch.pool[i], scratch.base[i], best, scratch)
        if yuan < best:
            best = yuan
            best_pool = scratch.pool[i]
    return best, best_pool


@inner
def enter(laid_out: Arrays, state: State, pricing: Pricing, j: int, p: int, scratch: Scratch) -> bool:
    """Place job j in pool p at its best hours, its own price included; False and unchanged where it does not fit."""
    first, last = window(laid_out, state, j, p)
    if last <= first or not links_free(laid_out, state, j, p):
        return False
    if laid_out.jobs.rigid[j]:
        yuan, start = plan_gang(laid_out, state, pricing, j, p, first, last, scratch)
        if start < 0:
            return False
        done = hold(laid_out, state, j, p, start, int(duration(full_periods(laid_out.jobs, j, p))))
    else:
        yuan = plan_elastic(laid_out, state, pricing, j, p, first, last, np.inf, scratch)
        if yuan == np.inf:
            return False
        at = state.offset[j] - laid_out.jobs.release[j]
        for t in range(first, last):
            state.run[at + t] = scratch.amount[t]
        done = commit(laid_out, state, j, p, first, last)
    refresh_cluster(laid_out, state, pricing, p, first, last)
    return done


@inner
def leave(laid_out: Arrays, state: State, pricing: Pricing, j: int) -> None:
    """Take job j out and bring prices up to date."""
    p = state.pool[j]
    first, last = state.first[j], state.last[j] + 1
    remove(laid_out, state, j)
    refresh_cluster(laid_out, state, pricing, p, first, last)


@inner
def keep(laid_out: Arrays, state: State, j: int, scratch: Scratch) -> tuple[int, int, int]:
    """Write down where job j runs, so that `put_back` can restore it: (pool, first, last)."""
    first, last = state.first[j], state.last[j] + 1
    at = state.offset[j] - laid_out.jobs.release[j]
    for t in range(first, last):
        scratch.kept[t] = state.run[at + t]
    return state.pool[j], first, last


@inner
def put_back(
    laid_out: Arrays, state: State, pricing: Pricing, j: int, p: int, first: int, last: int, scratch: Scratch
) -> None:
    """Undo `leave`."""
    at = state.offset[j] - laid_out.jobs.release[j]
    for t in range(first, last):
        state.run[at + t] = scratch.kept[t]
    commit(laid_out, state, j, p, first, last)
    refresh_cluster(laid_out, state, pricing, p, first, last)


@inner_inlined
def has_placed_vertical(laid_out: Arrays, state: State, j: int) -> bool:
    """Whether a job that waits for j is in the plan."""
    for k in range(laid_out.chain.start[j], laid_out.chain.start[j + 1]):
        if state.pool[laid_out.chain.vertical[k]] >= 0:
            return True
    return False


@kernel
def enter_jobs(laid_out: Arrays, state: State, pricing: Pricing, order: Ints, pools: Ints, scratch: Scratch) -> int:
    """Place the jobs of `order` in given pools (J,), -1 = leave out; returns how many found no room there."""
    failed = 0
    for j in order:
        if pools[j] >= 0 and not enter(laid_out, state, pricing, j, pools[j], scratch):
            failed += 1
    return failed


@kernel
def respond_jobs(laid_out: Arrays, state: State, pricing: Pricing, order: Ints, scratch: Scratch) -> int:
    """Let every job of `order` leave and come back where it is cheapest now; returns how many changed pool.

    A job that cannot come back at all is put back where it was: no hard job and no base with a vertical is lost, and
    while limits are hard no job at all.
    """
    changed = 0
    for j in order:
        was, first, last = -1, 0, 0
        if state.pool[j] >= 0:
            was, first, last = keep(laid_out, state, j, scratch)
            leave(laid_out, state, pricing, j)
        _, p = best_place(laid_out, state, pricing, j, was, scratch)
        done = p >= 0 and enter(laid_out, state, pricing, j, p, scratch)
        if not done and was >= 0:
            dropped = p < 0 and state.stretch[0] > 0.0 and laid_out.jobs.unserved_yuan[j] < np.inf
            if dropped and not has_placed_vertical(laid_out, state, j):
                changed += 1
                continue
            put_back(laid_out, state, pricing, j, was, first, last, scratch)
        changed += state.pool[j] != was
    return changed


@kernel
def relieve(laid_out: Arrays, state: State, pricing: Pricing, order: Ints, scratch: Scratch) -> None:
    """Let jobs leave overloaded periods for wherever there is room; a base with a placed vertical may stay."""
    for j in order:
        p = state.pool[j]
        if p < 0 or not overloaded(laid_out, state, p, state.first[j], state.last[j] + 1):
            continue
        was, first, last = keep(laid_out, state, j, scratch)
        leave(laid_out, state, pricing, j)
        _, p = best_place(laid_out, state, pricing, j, was, scratch)
        done = p >= 0 and enter(laid_out, state, pricing, j, p, scratch)
        if not done and has_placed_vertical(laid_out, state, j):
            put_back(laid_out, state, pricing, j, was, first, last, scratch)
