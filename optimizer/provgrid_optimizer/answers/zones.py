"""Open data zones: what it saves that data may cross between zones that were closed to each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from provgrid_optimizer.answers.worth import Bench, Worth, with_fixed_values, worth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Opening:
    """Plans before and after zones count as one, and what that is worth over the horizon."""

    zones: tuple[str, ...]
    worth: Worth
    closed: Plan
    open: Plan

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "zones": list(self.zones),
            "saved_yuan": self.worth.found_yuan,
            "saved_low_yuan": self.worth.low_yuan,
            "saved_high_yuan": self.worth.high_yuan,
            "unserved_share_closed": self.closed.unserved_share,
            "unserved_share_open": self.open.unserved_share,
            "never_served_closed_yuan": self.closed.problem.never_served_yuan,
            "never_served_open_yuan": self.open.problem.never_served_yuan,
        }


def opening_zones(scenario: Scenario, zones: Sequence[str], bench: Bench | None = None) -> Opening:
    """Plan with these zones apart, as the scenario has them, and joined."""
    bench, fixed = bench or Bench(), with_fixed_values(scenario)
    closed, joined = bench.plan(fixed), bench.plan(with_open_zones(fixed, zones))
    return Opening(zones=tuple(zones), worth=worth(closed, joined), closed=closed, open=joined)


def with_open_zones(scenario: Scenario, zones: Sequence[str]) -> Scenario:
    """Return the scenario with one more group of zones that count as one."""
    switches = scenario.settings.switches
    switches = switches.model_copy(update={"open_zones": (*switches.open_zones, tuple(zones))})
    return replace(scenario, settings=scenario.settings.model_copy(update={"switches": switches}))
