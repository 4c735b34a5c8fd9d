"""Which limits of a plan are reached, when, and what one more unit of each is worth at given prices."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid_optimizer.answers.hours import periods_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provgrid_models.problem import Bools, Floats, Problem
    from provgrid_optimizer.multipliers import Multipliers
    from provgrid_optimizer.plan import Plan

FULL = 1e-6  # relative; a limit that is this near is reached


@dataclass(frozen=True, kw_only=True)
class Binding:
    """A limit that is reached in `periods`: `price` is the mean of its price there, in `unit`."""

    kind: str  # capacity, power, link, peak, carbon, deadline, width, after
    id: str
    periods: tuple[int, ...]
    price: float
    unit: str
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self) | {"periods": list(self.periods)}


def full_pools(plan: Plan, prices: Multipliers, pools: Iterable[int], window: Bools) -> list[Binding]:
    """Pools whose accelerators are all held in some period of a window (T,)."""
    problem = plan.problem
    used = plan.usage.job_accelerators + plan.usage.service_accelerators
    full = (used >= problem.capacity * (1.0 - FULL)) & (problem.capacity > 0)
    unit = "yuan per accelerator-hour, its power included"
    found = []
    for p in pools:
        name = _name(problem.labels.pools, p)
        what = f"all {problem.largest_capacity[p]:,.6g} accelerators of pool {name} are held"
        found += _binding(problem, "capacity", name, full[p] & window, prices.accelerator[p], unit, what)
    return found


def full_supply(plan: Plan, prices: Multipliers, clusters: Iterable[int], window: Bools) -> list[Binding]:
    """Clusters that draw all the power they can in some period, and those whose billed peak is reached."""
    problem, load_kw = plan.problem, plan.usage.load_kw
    limit_kw = np.zeros(load_kw.shape)
    np.add.at(limit_kw, problem.block_cluster, problem.block_limit_kw)
    grid = problem.block_is_grid
    grid_kw = np.zeros(load_kw.shape)
    np.add.at(grid_kw, problem.block_cluster[grid], plan.allocation.block_kw[grid])
    found = []
    for c in clusters:
        name = _name(problem.labels.clusters, c)
        full = np.isfinite(limit_kw[c]) & (load_kw[c] >= limit_kw[c] * (1.0 - FULL))
        what = f"cluster {name} draws all the power that it can"
        worth = _power_yuan(problem, prices, c)
        found += _binding(problem, "power", name, full & window, worth, "yuan per kWh above the dearest supply", what)
        peak = (prices.peak[c] > 0) & (grid_kw[c] >= plan.allocation.peak_kw[c] * (1.0 - FULL))
        what = f"cluster {name} is at the grid peak that it is billed for, {plan.allocation.peak_kw[c]:,.6g} kW"
        unit = "yuan per kWh of grid power, on top"
        found += _binding(problem, "peak", name, peak & window, prices.peak[c], unit, what)
    return found


def full_links(plan: Plan, prices: Multipliers, links: Iterable[int], window: Bools) -> list[Binding]:
    """Links that carry all they can in some period of a window (T,)."""
    problem = plan.problem
    found = []
    for link in links:
        gbps = float(problem.link_gbps[link])
        full = np.isfinite(gbps) & (plan.usage.traffic_gbps[link] >= gbps * (1.0 - FULL))
        name = _name(problem.labels.links, link)
        what = f"link {name} carries all of its {gbps:,.6g} Gbit/s"
        found += _binding(problem, "link", name, full & window, prices.link[link], "yuan per Gbit/s-hour", what)
    return found


def full_carbon_budget(plan: Plan, prices: Multipliers) -> list[Binding]:
    """Return the carbon budget, where it is used up; it is one for the whole horizon."""
    text = carbon_budget_text(plan)
    if not text:
        return []
    periods = tuple(range(plan.problem.n_periods))
    unit = "yuan per kg of CO2"
    return [
        Binding(kind="carbon", id="carbon budget", periods=periods, price=float(prices.carbon), unit=unit, text=text)
    ]


def carbon_budget_text(plan: Plan) -> str:
    """Say that the carbon budget is used up, "" where it is not."""
    budget_kg, costs = plan.problem.carbon_budget_kg, plan.component_costs
    if costs.carbon_kg + costs.floor_kg < budget_kg * (1.0 - FULL):
        return ""
    return f"the carbon budget of {budget_kg / 1000.0:,.6g} t is used up"


def _power_yuan(problem: Problem, prices: Multipliers, c: int) -> Floats:
    """Return what a kWh above all supply is worth by the accelerators that it would run, shape (T,)."""
    pools = np.flatnonzero((problem.pool_cluster == c) & (problem.kw_per_accelerator > 0).all(axis=1))
    blocks = np.flatnonzero(problem.block_cluster == c)
    price = problem.block_yuan_per_kwh + (problem.carbon_yuan_per_kg + prices.carbon) * problem.block_kg_per_kwh
    offered = np.where(problem.block_limit_kw > 0, price, -np.inf)[blocks].max(axis=0, initial=-np.inf)
    worth = (prices.accelerator[pools] / problem.kw_per_accelerator[pools]).max(axis=0, initial=0.0)
    return np.asarray(np.maximum(worth - np.where(np.isfinite(offered), offered, 0.0), 0.0))


def _binding(problem: Problem, kind: str, name: str, at: Bools, price: Floats, unit: str, what: str) -> list[Binding]:
    periods = tuple(np.flatnonzero(at).tolist())
    if not periods:
        return []
    text = f"{what} in {periods_text(problem, periods)}"
    mean = float(price[list(periods)].mean())
    return [Binding(kind=kind, id=name, periods=periods, price=mean, unit=unit, text=text)]


def _name(names: Any, i: int) -> str:
    return str(i) if names is None else str(names[i])
