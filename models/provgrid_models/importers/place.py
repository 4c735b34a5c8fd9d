"""Place imported work in a scenario's grid, so that the result compiles and can be solved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from provgrid_models.demand import expand
from provgrid_models.errors import OptionError
from provgrid_models.importers.core import NoGoodRowError
from provgrid_models.importers.fleet import family_for
from provgrid_models.importers.options import PlaceOptions
from provgrid_models.importers.origins import settings_with
from provgrid_models.importers.size import EDGE, Sized, Work, sized
from provgrid_models.importers.work import demand_table
from provgrid_models.words import counted

if TYPE_CHECKING:
    from provgrid_models.importers.core import Imported
    from provgrid_models.scenario import Scenario

Floats = NDArray[np.float64]
DAY_H = 24.0
MUCH = 10.0  # a factor, up or down, beyond which a trace's jobs are hardly its own any more


@dataclass(frozen=True)
class Placed:
    """A scenario with imported work in it, what was assumed on the way, and how large the work has become.

    Of the `jobs_in_horizon` jobs that the trace has in the horizon, `jobs` are in the scenario.
    """

    scenario: Scenario
    assumptions: tuple[str, ...]
    size: Sized
    jobs: int
    jobs_in_horizon: int
    services: int
    max_jobs: int | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What whoever imports should know before using the scenario; one line each, with what to do."""
        scale, fitted_to = self.size.scale, self.size.fitted_to
        if fitted_to is None or (1.0 / MUCH <= scale <= MUCH and not self.size.falls_short):
            return ()
        factor = f"{scale:,.0f}" if scale > MUCH else f"{scale:.2g}"
        what = (
            f"{self.jobs:,} of the {self.jobs_in_horizon:,} jobs that the trace has in the horizon are left, each with "
            "its accelerators"
            if self.jobs
            else f"{self.services:,} services are in the scenario, each with its tokens"
        )
        crowd = ", and jobs that large may find no room beside one another" if self.jobs and scale > MUCH else ""
        short = f", and fills {self.size.share:.0%}, since no pool holds more of it" if self.size.falls_short else ""
        return (
            f"to fill {fitted_to:.0%} of the accelerators, all imported work was multiplied by {factor}{short}: "
            f"{what} times that{crowd}; {self._advice()}",
        )

    def _advice(self) -> str:
        own_size = "keep their own size with --place scale=1, or fill less with --place target_utilisation=0.1"
        if self.size.scale < 1.0:
            return f"take a larger scenario, or fewer jobs with --option max_jobs, or {own_size}"
        if self.jobs and self.max_jobs is not None:
            return f"raise max_jobs (now {self.max_jobs:,}) or leave it out, or {own_size}"
        return f"take a smaller scenario, or {own_size}"


def placed(imported: Imported, scenario: Scenario, options: PlaceOptions | None = None) -> Placed:
    """Place imported work in a scenario; everything assumed is added to its assumptions.

    Unless its own work is kept, whatever was assumed for that alone leaves the scenario's assumptions and sources.

    Raises
    ------
    OptionError
        Unknown regions or families, nothing inside the horizon, or no room left for the imported work.
    NoGoodRowError
        The import holds no work.
    """
    chosen = options or PlaceOptions()
    if imported.jobs.empty and imported.services.empty:
        counts = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in imported.counts.items() if n)
        raise NoGoodRowError(f"{imported.kind}: no row of the trace gives work ({counts})", imported.bad_rows)
    if chosen.keep:
        scenario = expand(scenario)  # what is still to be drawn is the scenario's own work too
    words = [
        f"Imported from {imported.kind}: {sentence}"
        for sentence in imported.assumptions
        if sentence not in imported.until_placed
    ]
    blocks = len(scenario.settings.horizon.blocks)
    if blocks > 1:
        words.append(f"Hours of the import fill the {blocks} blocks of the horizon one after the other.")
    work = Work(imported.jobs, imported.services, imported.demand)
    random = np.random.default_rng(chosen.seed)
    fleet, in_horizon = None, 0
    imported_family = imported.families[0].id if imported.families else ""
    if len(work.jobs):
        family, fleet, said = family_for(scenario, "jobs", chosen.job_family, imported_family)
        words.append(said)
        jobs, said = _clip_jobs(work.jobs.assign(family=family), scenario, chosen)
        words.append(said)
        in_horizon = len(jobs)
        jobs, said_drawn = _drawn_jobs(jobs, chosen)
        words += said_drawn
        jobs = _placed_jobs(jobs, scenario, chosen, random, words)
        work = replace(work, jobs=jobs)
    if len(work.services):
        family, _, said = family_for(scenario, "services", chosen.service_family, imported_family)
        words.append(said)
        work = _placed_services(work, family, imported, scenario, chosen, random, words)
    kept = Work(
        *((t if chosen.keep else t.iloc[:0]) for t in (scenario.jobs, scenario.services, scenario.demand)),
    )
    size = sized(work, kept, fleet, scenario, chosen, words)
    return Placed(
        scenario=_assembled(size, kept, imported, scenario, chosen, words),
        assumptions=tuple(words),
        size=size,
        jobs=len(size.work.jobs),
        jobs_in_horizon=in_horizon,
        services=len(size.work.services),
        max_jobs=chosen.max_jobs,
    )


def _horizon_h(scenario: Scenario) -> float:
    return scenario.settings.horizon.periods * scenario.settings.horizon.period_h


def _hour_of_day(scenario: Scenario) -> float:
    start = scenario.settings.horizon.start
    return start.hour + start.minute / 60.0 + start.second / 3600.0


def _clip_jobs(jobs: pd.DataFrame, scenario: Scenario, options: PlaceOptions) -> tuple[pd.DataFrame, str]:
    """Keep the jobs that are released within the horizon, hours counted from its start."""
    release, length = np.sort(jobs["release_h"].to_numpy()), _horizon_h(scenario)
    start = options.from_hour
    if start is None:
        starts = np.arange(0.0, max(release[-1], DAY_H), DAY_H) + _hour_of_day(scenario)
        inside = np.searchsorted(release, starts + length) - np.searchsorted(release, starts)
        start = float(starts[np.argmax(inside)])
    chosen = jobs[(jobs["release_h"] >= start) & (jobs["release_h"] < start + length)]
    if not len(chosen):
        raise OptionError(f"no imported job is released in hours {start:g} to {start + length:g}; change from_hour")
    shifted = chosen.assign(release_h=chosen["release_h"] - start, deadline_h=chosen["deadline_h"] - start)
    how = "as asked" if options.from_hour is not None else "the whole day with most releases in one horizon"
    return shifted.reset_index(drop=True), (
        f"The horizon starts at hour {start:g} of the import ({how}); {len(jobs) - len(chosen)} of {len(jobs)} jobs "
        "are released outside it and were left out."
    )


def _drawn_jobs(jobs: pd.DataFrame, options: PlaceOptions) -> tuple[pd.DataFrame, list[str]]:
    """Draw as many of the jobs in the horizon as were asked for; also say how many, and how much of the work."""
    if options.max_jobs is None or len(jobs) <= options.max_jobs:
        return jobs, []
    drawn = np.sort(np.random.default_rng(options.seed).choice(len(jobs), options.max_jobs, replace=False))
    chosen = jobs.iloc[drawn]
    share = chosen["work_pflop_h"].sum() / jobs["work_pflop_h"].sum()
    return chosen.reset_index(drop=True), [
        f"{options.max_jobs} of the {len(jobs)} jobs within the horizon were drawn at random (seed {options.seed}); "
        f"they hold {100 * share:.3g} % of their work."
    ]


def _region_weights(scenario: Scenario) -> tuple[list[str], Floats]:
    """Regions and their shares of demand; equal where no region has a weight."""
    if not scenario.regions:
        raise OptionError(f"{scenario.name} has no region to place imported work in; add one")
    weights = np.array([r.demand_weight or 0.0 for r in scenario.regions])
    if weights.sum() <= 0:
        weights = np.ones(len(weights))
    return [r.id for r in scenario.regions], weights / weights.sum()


def _mapped_regions(region: pd.Series, scenario: Scenario, options: PlaceOptions) -> pd.Series:
    """Regions by the map, or as they are where the scenario knows them; NaN = to be drawn."""
    known = {r.id for r in scenario.regions}
    wrong = sorted(set(options.region_map.values()) - known)
    if wrong:
        raise OptionError(
            f"region_map leads to {', '.join(wrong)}, which {scenario.name} does not have; name some of its regions"
        )
    return region.map({r: r for r in known} | options.region_map)


def _drawn_regions(
    region: pd.Series,
    scenario: Scenario,
    options: PlaceOptions,
    random: np.random.Generator,
    what: str,
    words: list[str],
) -> pd.Series:
    """Give a region to every row: mapped, or drawn by demand weight."""
    placed = _mapped_regions(region, scenario, options)
    names, weights = _region_weights(scenario)
    blank = placed.isna().to_numpy()
    drawn = np.asarray(names, dtype=object)[random.choice(len(names), int(blank.sum()), p=weights)]
    values = placed.to_numpy(dtype=object)
    values[blank] = drawn
    if blank.any():
        words.append(
            f"{int(blank.sum())} imported {what} were spread over {counted(len(names), 'region')} "
            f"by their demand weight (seed {options.seed})."
        )
    return pd.Series(values, index=region.index, dtype="str")


def _placed_jobs(
    jobs: pd.DataFrame, scenario: Scenario, options: PlaceOptions, random: np.random.Generator, words: list[str]
) -> pd.DataFrame:
    region = _drawn_regions(jobs["region"], scenario, options, random, "jobs", words)
    return jobs.assign(region=region, family=jobs["family"].astype("str"))


def _placed_services(
    work: Work,
    family: str,
    imported: Imported,
    scenario: Scenario,
    options: PlaceOptions,
    random: np.random.Generator,
    words: list[str],
) -> Work:
    """Services with regions and family, and their demand over the scenario's periods."""
    services = work.services.assign(family=pd.Series(family, index=work.services.index, dtype="str"))
    curves = _curves(imported, scenario, options, words)
    split = len(services) < len(scenario.regions) if options.split_services is None else options.split_services
    mapped = _mapped_regions(services["region"], scenario, options)
    if split and mapped.isna().any():
        names, weights = _region_weights(scenario)
        parts = [(n, w) for n, w in zip(names, weights, strict=True) if w > 0]
        rows, factors, ids, regions = [], [], [], []
        for i, (service, region) in enumerate(zip(services["id"], mapped, strict=True)):
            for name, weight in parts if pd.isna(region) else [(region, 1.0)]:
                rows.append(i)
                factors.append(weight)
                regions.append(name)
                ids.append(f"{service}/{name}" if pd.isna(region) else service)
        services = services.iloc[rows].reset_index(drop=True)
        services = services.assign(id=pd.Series(ids, dtype="str"), region=pd.Series(regions, dtype="str"))
        curves = curves[rows] * np.asarray(factors)[:, None]
        words.append(f"Each imported service was split over {counted(len(parts), 'region')} by their demand weight.")
    else:
        region = _drawn_regions(services["region"], scenario, options, random, "services", words)
        services = services.assign(region=region)
    return Work(work.jobs, services, demand_table(list(services["id"]), curves))


def _curves(imported: Imported, scenario: Scenario, options: PlaceOptions, words: list[str]) -> Floats:
    """Tokens/s of each service in each period of the scenario: exact averages of the import, repeated where short."""
    table = imported.demand.pivot_table(index="service", columns="period", values="tokens_per_s", fill_value=0.0)
    table = table.reindex(index=list(imported.services["id"]), columns=range(imported.periods), fill_value=0.0)
    span_h = imported.periods * imported.period_h
    if span_h > DAY_H:
        span_h = np.floor(span_h / DAY_H + EDGE) * DAY_H  # whole days, so that hours of the day stay in step
    start = _hour_of_day(scenario) if options.from_hour is None else options.from_hour
    horizon = scenario.settings.horizon
    edges = start + np.arange(horizon.periods + 1) * horizon.period_h
    grid = np.arange(imported.periods + 1) * imported.period_h
    totals = np.concatenate(
        [np.zeros((len(table), 1)), np.cumsum(table.to_numpy() * imported.period_h, axis=1)], axis=1
    )
    rounds, rest = np.divmod(edges, span_h)
    at_edges = np.vstack([rounds * np.interp(span_h, grid, row) + np.interp(rest, grid, row) for row in totals])
    if edges[-1] > span_h * (1 + EDGE):
        words.append(f"The imported demand covers {span_h:g} h and is repeated over the horizon.")
    words.append(f"The horizon starts at hour {start:g} of the imported demand.")
    return np.asarray(np.maximum(np.diff(at_edges, axis=1) / horizon.period_h, 0.0))


def _assembled(
    size: Sized,
    kept: Work,
    imported: Imported,
    scenario: Scenario,
    options: PlaceOptions,
    words: list[str],
) -> Scenario:
    """Build the new scenario: tables joined, tenants added, nothing generated any more."""
    renamed = work = size.work
    if set(work.jobs["id"]) & set(kept.jobs["id"]) or set(work.services["id"]) & set(kept.services["id"]):
        renamed = Work(
            work.jobs.assign(id=imported.kind + "/" + work.jobs["id"]),
            work.services.assign(id=imported.kind + "/" + work.services["id"]),
            work.demand.assign(service=imported.kind + "/" + work.demand["service"]),
        )
    known = {t.id for t in scenario.tenants}
    used = set(work.jobs["tenant"]) | set(work.services["tenant"])
    added = tuple(t for t in imported.tenants if t.id in used - known)
    if added:
        words.append(f"{counted(len(added), 'tenant was', 'tenants were')} added from the trace.")
    words.append(
        f"The scenario's own {counted(len(kept.jobs), 'job')} and {counted(len(kept.services), 'service')} stay."
        if options.keep
        else "The scenario's own jobs and services were replaced by the imported ones."
    )

    def joined(own: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
        frames = [f for f in (own, more) if len(f)]
        return pd.concat(frames, ignore_index=True) if frames else more

    whole = replace(
        scenario,
        jobs=joined(kept.jobs, renamed.jobs),
        services=joined(kept.services, renamed.services),
        demand=joined(kept.demand, renamed.demand),
        tenants=(*scenario.tenants, *added),
        folder=None,
    )
    name = options.name or f"{scenario.name}-{imported.kind}"
    return replace(whole, settings=settings_with(imported, scenario, whole, words, options, size.scale, name))
