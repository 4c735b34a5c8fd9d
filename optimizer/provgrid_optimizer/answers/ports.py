"""Porting as an investment: which family gains by running on which chip, each port by a plan of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from provgrid_models.errors import OptionError
from provgrid_optimizer.answers.worth import Bench, Worth, with_fixed_values, worth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_models.scenario import Scenario


@dataclass(frozen=True, kw_only=True)
class Port:
    """A candidate: its share of cost over the horizon, and what it is worth after that is paid."""

    port: str
    cost_yuan: float
    net: Worth

    @property
    def saved(self) -> Worth:
        """What the port saves before it is paid."""
        return self.net.less(-self.cost_yuan)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "port": self.port,
            "cost_yuan": self.cost_yuan,
            "saved_yuan": self.saved.found_yuan,
            "net_yuan": self.net.found_yuan,
            "net_low_yuan": self.net.low_yuan,
            "net_high_yuan": self.net.high_yuan,
        }


def candidates(scenario: Scenario) -> tuple[str, ...]:
    """Ports that the scenario prices and does not yet pay for."""
    priced = (f"{row.family}/{row.chip}" for row in scenario.bindings if row.port_yuan is not None)
    return tuple(port for port in priced if port not in scenario.settings.ports)


def rank_ports(scenario: Scenario, bench: Bench | None = None, ports: Sequence[str] = ()) -> list[Port]:
    """Rank candidate ports by what each alone saves over the horizon minus its share of cost, the best first.

    Parameters
    ----------
    scenario : its bindings price the candidates (`port_yuan`).
    bench : how every plan is made.
    ports : the candidates to try; none = all.

    Raises
    ------
    OptionError : the scenario has no candidate, or none of that name.
    """
    bench, known = bench or Bench(), candidates(scenario)
    if not known:
        raise OptionError("no row of bindings has a port_yuan that is not paid for yet; price a port first")
    strangers = [port for port in ports if port not in known]
    if strangers:
        raise OptionError(f"{strangers[0]} is no candidate port; choose among {', '.join(known)}")
    fixed = with_fixed_values(scenario)
    before = bench.plan(fixed)
    ranked = []
    for port in ports or known:
        after = bench.plan(opened(fixed, port))
        cost = after.problem.ports_yuan - before.problem.ports_yuan
        ranked.append(Port(port=port, cost_yuan=cost, net=worth(before, after)))
    return sorted(ranked, key=lambda one: -one.net.found_yuan)


def opened(scenario: Scenario, *ports: str) -> Scenario:
    """Return the scenario with more ports paid for."""
    settings = scenario.settings.model_copy(update={"ports": (*scenario.settings.ports, *ports)})
    return replace(scenario, settings=settings)
