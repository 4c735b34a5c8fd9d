"""Software efficiency against raw teraflops: the same percentage of each, and what the plan makes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from provgrid_models.capital import annuity
from provgrid_optimizer.answers.worth import Bench, Worth, with_fixed_values, worth

if TYPE_CHECKING:
    from provgrid_models.scenario import Scenario

HOURS_PER_YEAR = 8760.0


@dataclass(frozen=True, kw_only=True)
class Efficiency:
    """What `share` more efficiency, and as many more accelerators, save over the horizon.

    `chips_capital_yuan` is what the added accelerators cost to own over the horizon, used or not; None where one of
    their chips has no price. It stands beside `chips`, which counts what the scenario's cost basis counts.
    """

    share: float
    efficiency: Worth
    chips: Worth
    chips_capital_yuan: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "share": self.share,
            **{
                f"{name}_{end}_yuan": getattr(getattr(self, name), f"{end}_yuan")
                for name in ("efficiency", "chips")
                for end in ("low", "found", "high")
            },
            "chips_capital_yuan": self.chips_capital_yuan,
        }


def efficiency_against_chips(scenario: Scenario, share: float = 0.1, bench: Bench | None = None) -> Efficiency:
    """Plan the same work three times: as it is, with better software on every chip, with more of every chip."""
    bench, fixed = bench or Bench(), with_fixed_values(scenario)
    before = bench.plan(fixed)
    return Efficiency(
        share=share,
        efficiency=worth(before, bench.plan(with_efficiency(fixed, 1.0 + share))),
        chips=worth(before, bench.plan(with_chips(fixed, 1.0 + share))),
        chips_capital_yuan=_capital_yuan(fixed, share, float(before.problem.hours.sum())),
    )


def with_efficiency(scenario: Scenario, factor: float) -> Scenario:
    """Scale MFU (to at most 1) and tokens/s of every binding."""
    bindings = tuple(
        row.model_copy(
            update={
                "mfu": None if row.mfu is None else min(row.mfu * factor, 1.0),
                "tokens_per_s": None if row.tokens_per_s is None else row.tokens_per_s * factor,
            }
        )
        for row in scenario.bindings
    )
    return replace(scenario, bindings=bindings)


def with_chips(scenario: Scenario, factor: float) -> Scenario:
    """Scale the accelerators of every pool, and the grid connection and contracts that feed them."""

    def scaled(rows: tuple[Any, ...], column: str) -> tuple[Any, ...]:
        values = ((row, getattr(row, column)) for row in rows)
        return tuple(row if v is None else row.model_copy(update={column: v * factor}) for row, v in values)

    return replace(
        scenario,
        pools=scaled(scenario.pools, "accelerators"),
        expansions=scaled(scenario.expansions, "accelerators"),
        clusters=scaled(scenario.clusters, "grid_limit_mw"),
        contracts=scaled(scenario.contracts, "capacity_mw"),
    )


def _capital_yuan(scenario: Scenario, share: float, horizon_h: float) -> float | None:
    """Annuities of `share` of all chips, with their servers, and of the sites that hold them, over the horizon."""
    capital, chips = scenario.settings.capital, {chip.id: chip for chip in scenario.chips}
    clusters, yearly = {cluster.id: cluster for cluster in scenario.clusters}, 0.0
    for pool in scenario.pools:
        chip, cluster = chips[pool.chip], clusters[pool.cluster]
        if chip.price_yuan is None:
            return None
        site = capital.site_yuan_per_kw if cluster.site_yuan_per_kw is None else cluster.site_yuan_per_kw
        kw = chip.busy_kw * chip.server_overhead * cluster.pue
        one = annuity(chip.price_yuan * capital.server_capital_factor, capital.chip_life_years, capital.discount_rate)
        one = one + annuity(site * kw, capital.site_life_years, capital.discount_rate)
        yearly += pool.accelerators * float(one)
    return share * yearly * horizon_h / HOURS_PER_YEAR
