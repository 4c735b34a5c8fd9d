"""What an option is worth: each study plans both sides of a change, audits both, and gives the interval between.

>>> import provgrid as pg
>>> found = pg.studies.zones(pg.load("guangdong"), ["guangdong", "hongkong"], passes=20)  # doctest: +SKIP
>>> found.worth.low_yuan, found.worth.high_yuan  # doctest: +SKIP

Keywords of every study: `engine`, `gap`, `time_limit`, `passes`, `threads`, `seed` and `on_progress`, as `solve` takes
them; both sides are planned alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_models.scenario import Scenario
    from provgrid_optimizer.answers.efficiency import Efficiency
    from provgrid_optimizer.answers.ladder import Ladder
    from provgrid_optimizer.answers.pooling import Pooling
    from provgrid_optimizer.answers.ports import Port
    from provgrid_optimizer.answers.worth import Bench
    from provgrid_optimizer.answers.zones import Opening

__all__ = ["efficiency", "ladder", "pooling", "ports", "zones"]


def pooling(scenario: Scenario, **how: Any) -> Pooling:
    """Plan with all capacity pooled and with every tenant in its own silo, and compare the work that both serve."""
    from provgrid_optimizer.answers.pooling import pooling_gain

    return pooling_gain(scenario, bench(**how))


def ports(scenario: Scenario, candidates: Sequence[str] = (), **how: Any) -> list[Port]:
    """Rank candidate ports (family/chip, default: all that are priced) by what each saves minus its share of cost."""
    from provgrid_optimizer.answers.ports import rank_ports

    return rank_ports(scenario, bench(**how), candidates)


def efficiency(scenario: Scenario, share: float = 0.1, **how: Any) -> Efficiency:
    """Hold `share` more software efficiency on every chip against as many more accelerators."""
    from provgrid_optimizer.answers.efficiency import efficiency_against_chips

    return efficiency_against_chips(scenario, share, bench(**how))


def zones(scenario: Scenario, open_zones: Sequence[str], **how: Any) -> Opening:
    """Let these data zones count as one, and say what that saves."""
    from provgrid_optimizer.answers.zones import opening_zones

    return opening_zones(scenario, open_zones, bench(**how))


def ladder(scenario: Scenario, added_ms: Sequence[float] = (), **how: Any) -> Ladder:
    """Relax every SLO by these steps (default: 5, 10, 20, 50 and 100 ms), and say what each step costs and unlocks."""
    from provgrid_optimizer.answers.ladder import STEPS_MS, latency_ladder

    return latency_ladder(scenario, added_ms or STEPS_MS, bench(**how))


def bench(
    *,
    engine: str = "heuristic",
    gap: float | None = None,
    time_limit: float | None = None,
    passes: int | None = None,
    threads: int = 2,
    seed: int = 0,
    on_progress: Any = None,
) -> Bench:
    """Say how every plan of a study is made."""
    from provgrid_optimizer.answers.worth import Bench
    from provgrid_optimizer.options import SolveOptions, ignore_progress

    options = SolveOptions(gap=gap, time_limit_s=time_limit, passes=passes, threads=threads, seed=seed)
    return Bench(engine=engine, options=options, on_progress=on_progress or ignore_progress)
