"""How large imported work becomes: multiplied by a factor, and made to fit the scenario's pools and horizon."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from provgrid_models.errors import OptionError
from provgrid_models.horizon import block_ends
from provgrid_models.importers.fleet import Fleet, jobs_share, services_share
from provgrid_models.importers.options import PlaceOptions
from provgrid_models.words import counted

if TYPE_CHECKING:
    from provgrid_models.scenario import Scenario

FIT_ROUNDS = 12
FIT_TOLERANCE = 0.005  # of the room that is left for imported work
MISSED = 0.05  # of the share that was asked for; below that, the work falls short of it
EDGE = 1e-9  # periods by which rounding may miss a period's edge


@dataclass(frozen=True)
class Work:
    """Jobs, services and demand on their way into the grid."""

    jobs: pd.DataFrame
    services: pd.DataFrame
    demand: pd.DataFrame


@dataclass(frozen=True)
class Sized:
    """Work at its size in the scenario, the factor that gave it, and the share of accelerator-hours that all asks for.

    `fitted_to` is the share that the factor was chosen for; None where a factor was given.
    """

    work: Work
    scale: float
    share: float
    fitted_to: float | None

    @property
    def falls_short(self) -> bool:
        """Whether no factor reaches the share, because the pools hold no more of this work."""
        return self.fitted_to is not None and self.share < (1.0 - MISSED) * self.fitted_to


def sized(
    work: Work, kept: Work, fleet: Fleet | None, scenario: Scenario, options: PlaceOptions, words: list[str]
) -> Sized:
    """Multiply the work by the factor, fitted or given, and make every job fit its window."""
    asked, own = _share(work, scenario), _share(kept, scenario)
    if not isinstance(options.scale, str):
        scale, target = float(options.scale), None
        placed, said = _feasible(_scaled(work, scale), fleet, scenario)
        reason = "as asked"
    else:
        target = options.target_utilisation
        if target <= own:
            raise OptionError(
                f"the scenario's own work asks for {own:.3g} of the accelerator-hours, the target for all is "
                f"{target:g}; raise target_utilisation, give a scale, or do not keep it"
            )
        placed, said, scale = _fitted(work, fleet, scenario, target - own, asked)
        reason = f"fitted to {target:g} for all work"
    found = Sized(placed, scale, own + _share(placed, scenario), target)
    reason += ", which the pools do not hold" if found.falls_short else ""
    fitting = _share(_feasible(work, fleet, scenario)[0], scenario)
    less = f", and for {fitting:.3g} without what does not fit into the horizon" if fitting < asked - 0.5e-3 else ""
    words += [
        *said,
        f"As it is in the trace, the imported work asks for {asked:.3g} of the usable accelerator-hours of its "
        f"families, services counted at their peak{less}.",
        f"What fits was multiplied by {scale:.6g} ({reason}): a job asks for that many times its work and "
        "accelerators (gangs rounded to whole ones), a service for that many times its tokens. All work in the "
        f"scenario now asks for {found.share:.3g}.",
    ]
    return found


def _fitted(
    work: Work, fleet: Fleet | None, scenario: Scenario, room: float, asked: float
) -> tuple[Work, list[str], float]:
    """Work that asks for the share `room`, or for the most that fits; also what was changed, and the factor."""
    scale = room / asked if asked > 0 else 1.0
    placed, said = _feasible(_scaled(work, scale), fleet, scenario)
    reached = _share(placed, scenario)
    for _ in range(FIT_ROUNDS):  # what is cut at a block's end, or at the largest pool, depends on the factor
        if abs(reached - room) <= FIT_TOLERANCE * room or reached <= 0:
            break
        next_scale = scale * room / reached
        next_placed, next_said = _feasible(_scaled(work, next_scale), fleet, scenario)
        next_reached = _share(next_placed, scenario)
        if next_scale > scale and next_reached <= (1.0 + FIT_TOLERANCE) * reached:
            break  # the pools are full of it: a larger factor only cuts more
        scale, placed, said, reached = next_scale, next_placed, next_said, next_reached
    return placed, said, scale


def _share(work: Work, scenario: Scenario) -> float:
    """Share of its families' accelerator-hours that work asks for, services at their peak."""
    return jobs_share(scenario, work.jobs) + services_share(scenario, work.services, work.demand)


def _scaled(work: Work, scale: float) -> Work:
    """Multiply work, accelerators and tokens by a factor; gangs stay whole."""
    accelerators = work.jobs["max_accelerators"] * scale
    gangs = accelerators.round().clip(lower=1.0)
    jobs = work.jobs.assign(
        work_pflop_h=work.jobs["work_pflop_h"] * scale,
        max_accelerators=accelerators.where(work.jobs["mode"] == "elastic", gangs),
    )
    return Work(jobs, work.services, work.demand.assign(tokens_per_s=work.demand["tokens_per_s"] * scale))


def _feasible(whole: Work, fleet: Fleet | None, scenario: Scenario) -> tuple[Work, list[str]]:
    """Make every job fit its window on every pool that holds its gang; also say what was changed.

    A job's accelerators are cut to the largest pool, and the smallest pool that it takes along with them; deadlines
    are moved out where the slowest pool needs longer, at most to the horizon's end, or to that of the block that the
    job starts in; work that does not fit before that end is cut; a job without one whole period left is left out.
    """
    jobs = whole.jobs
    if fleet is None:
        return whole, []
    horizon = scenario.settings.horizon
    period_h = horizon.period_h
    rigid = (jobs["mode"] == "rigid").to_numpy()
    largest = np.floor(fleet.accelerators.max() + EDGE)
    wanted = jobs["max_accelerators"].to_numpy()
    too_large = wanted > largest
    gang = np.where(too_large, largest, wanted)
    rate = fleet.slowest_rate(np.where(rigid | too_large, gang, 0.0))
    move = np.ceil(jobs["data_gb"].to_numpy() * 8.0 / (3600.0 * period_h * jobs["move_gbps"].to_numpy()) - EDGE)
    start = np.ceil(jobs["release_h"].to_numpy() / period_h - EDGE)
    end = block_ends(horizon)[np.minimum(start, horizon.periods - 1).astype(np.int64)]
    first = start + move
    work = jobs["work_pflop_h"].to_numpy()
    needed = np.maximum(np.ceil(work / (gang * rate * period_h) - EDGE), 1.0)
    last = np.floor(jobs["deadline_h"].to_numpy() / period_h + EDGE)
    late = last < first + needed
    last = np.minimum(np.where(late, first + needed, last), end)
    fits = first < last
    most = gang * rate * np.maximum(last - first, 0.0) * period_h
    cut = fits & (work > most * (1 + EDGE))
    placed = jobs.assign(
        max_accelerators=gang,
        # Whole, because every other value makes one more class of jobs.
        min_accelerators=np.minimum(jobs["min_accelerators"], np.floor(gang + EDGE)),
        work_pflop_h=np.where(cut, most, work),
        deadline_h=np.where(late, last * period_h, np.minimum(jobs["deadline_h"], end * period_h)),
    )[fits]
    until = "the block's end" if len(horizon.blocks) > 1 else "the horizon's end"
    if not len(placed):
        raise OptionError(f"no imported job has a whole period left before {until}; change from_hour")
    after = 100 * float((work - most)[cut].sum() / work.sum())
    beyond = fits & ~late & (jobs["deadline_h"].to_numpy() > end * period_h * (1 + EDGE))
    changed = (
        (beyond, "deadline", "deadlines", f"after {until} moved to that end."),
        (too_large & fits, "job", "", f"larger than every pool cut to {largest:g} accelerators."),
        (late & fits, "deadline was", "deadlines were", "set to what the job needs on the slowest chip of its family."),
        (cut, "job has", "jobs have", f"too little time before {until}: {after:.3g} % of the work left out."),
        (~fits, "job has", "jobs have", f"no whole period left before {until}, and no place in the plan."),
    )
    said = ["A job's window ends with the block of the horizon that it starts in."] * (len(horizon.blocks) > 1)
    said += [f"{counted(int(rows.sum()), one, many)} {rest}" for rows, one, many, rest in changed if rows.any()]
    return replace(whole, jobs=placed.reset_index(drop=True)), said
