"""What a scenario's pools can do for one model family: how many accelerators, how fast each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    import pandas as pd

    from provgrid_models.scenario import Scenario

Floats = NDArray[np.float64]
Use = Literal["jobs", "services"]


@dataclass(frozen=True)
class Fleet:
    """Pools that a family can use, shape (pools,): usable accelerators, and PFLOPS or tokens/s of each."""

    accelerators: Floats
    rate: Floats

    @property
    def total_rate(self) -> float:
        """PFLOPS or tokens/s of all pools together."""
        return float(self.accelerators @ self.rate)

    def slowest_rate(self, gangs: Floats) -> Floats:
        """Rate of the slowest pool that can hold each gang, shape of `gangs`; every gang must fit some pool."""
        order = np.argsort(-self.accelerators, kind="stable")
        slowest = np.minimum.accumulate(self.rate[order])
        pools = np.searchsorted(-self.accelerators[order], -gangs, side="right")
        return np.asarray(slowest[np.maximum(pools, 1) - 1])


def fleet_of(scenario: Scenario, family: str, use: Use) -> Fleet:
    """Pools whose chip the family was ported to, that hold its memory; training at FP16 MFU, or inference."""
    chips = {c.id: c for c in scenario.chips}
    bindings = {b.chip: b for b in scenario.bindings if b.family == family}
    found: list[tuple[float, float]] = []
    for pool in scenario.pools:
        binding, usable = bindings.get(pool.chip), pool.accelerators * pool.availability
        if binding is None or usable <= 0 or usable < binding.min_accelerators:
            continue
        if use == "jobs" and binding.mfu is not None:
            found.append((usable, chips[pool.chip].peak_fp16_tflops / 1000.0 * binding.mfu))
        elif use == "services" and binding.tokens_per_s is not None:
            found.append((usable, binding.tokens_per_s))
    table = np.array(found, dtype=np.float64).reshape(-1, 2)
    return Fleet(table[:, 0], table[:, 1])


def family_for(scenario: Scenario, use: Use, wanted: str | None, imported: str) -> tuple[str, Fleet, str]:
    """Choose the family that stands for the trace's model; also its fleet and a sentence that says why.

    The wanted one; else the imported one where the scenario knows it; else the one that reaches most accelerators.

    Raises
    ------
    OptionError
        Where the wanted family, or every family, has no usable pool.
    """
    figure = "mfu" if use == "jobs" else "tokens_per_s"
    fleets = {f.id: fleet_of(scenario, f.id, use) for f in scenario.families}
    usable = {name: fleet for name, fleet in fleets.items() if fleet.accelerators.size}
    if wanted is not None and wanted not in usable:
        raise OptionError(
            f"family {wanted!r} has no pool with a binding and {figure} in {scenario.name}; "
            f"choose one of {', '.join(usable) or 'none'}"
        )
    if not usable:
        raise OptionError(f"{scenario.name}: no family has a binding with {figure} to a pool's chip; add a binding")
    if wanted is not None or imported in usable:
        name = wanted if wanted is not None else imported
        reason = "as asked"
    else:
        name = max(usable, key=lambda n: float(usable[n].accelerators.sum()))
        reason = f"the one that reaches most accelerators ({usable[name].accelerators.sum():.6g})"
    return name, usable[name], f"The imported {use} are taken to be of family {name}, {reason}."


def jobs_share(scenario: Scenario, jobs: pd.DataFrame) -> float:
    """Share of their families' accelerator-hours over the horizon that jobs ask for; families without pools: 0."""
    horizon = scenario.settings.horizon
    hours = horizon.periods * horizon.period_h
    share = 0.0
    for family, work in jobs.groupby("family")["work_pflop_h"].sum().items():
        rate = fleet_of(scenario, str(family), "jobs").total_rate
        share += float(work) / (rate * hours) if rate > 0 else 0.0
    return share


def services_share(scenario: Scenario, services: pd.DataFrame, demand: pd.DataFrame) -> float:
    """Share of their families' accelerators that services hold in their busiest period; families without pools: 0."""
    rates = {str(f): fleet_of(scenario, str(f), "services").total_rate for f in services["family"].unique()}
    rate = services["family"].map(rates).to_numpy(dtype=np.float64) * services["max_utilisation"].to_numpy()
    with np.errstate(divide="ignore"):
        per_token = dict(zip(services["id"], np.where(rate > 0, 1.0 / rate, 0.0), strict=True))
    held = demand["tokens_per_s"].to_numpy() * demand["service"].map(per_token).fillna(0.0).to_numpy(dtype=np.float64)
    if not held.size:
        return 0.0
    return float(np.bincount(demand["period"].to_numpy(), weights=held).max())
