"""Draws jobs and services for a scenario, as its `[generate]` table says: seeded, vectorised, recorded."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid_models import demand
from provgrid_models.cells import default_cells
from provgrid_models.demand_checks import check_names
from provgrid_models.demand_pools import Pools
from provgrid_models.demand_settings import Draw, Inference, ServiceClass, Training, parse, settings_error
from provgrid_models.findings import Findings
from provgrid_models.horizon import periods
from provgrid_models.tables import LONG_TABLES
from provgrid_seeds import loader

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provgrid_models.scenario import Scenario

    Floats = NDArray[np.float64]
    Texts = NDArray[Any]

SATURDAY = 5


def drawn(scenario: Scenario) -> Scenario:
    """Return the scenario with what its `[generate]` table asks for; see `demand.expand`."""
    settings = parse(scenario.settings.generate)
    findings = Findings()
    for kind in (settings.training, settings.inference):
        if kind is not None:
            check_names(kind, scenario, findings)
    if findings:
        raise settings_error(findings)
    pools = Pools.of(scenario)
    all_jobs, all_services, all_demand = scenario.jobs, scenario.services, scenario.demand
    notes = []
    if settings.training is not None:
        jobs, note = draw_jobs(settings.training, scenario, pools)
        all_jobs = _appended("jobs", all_jobs, jobs)
        notes.append(note)
    if settings.inference is not None:
        services, asked, note = draw_services(settings.inference, scenario, pools)
        all_services = _appended("services", all_services, services)
        all_demand = _appended("demand", all_demand, asked)
        notes.append(note)
    record = "generated from " + json.dumps(scenario.settings.generate, sort_keys=True, default=str)
    assumptions = (*scenario.settings.assumptions, *notes, record)
    kept = scenario.settings.model_copy(update={"generate": {}, "assumptions": assumptions})
    return replace(scenario, settings=kept, jobs=all_jobs, services=all_services, demand=all_demand)


def draw_jobs(training: Training, scenario: Scenario, pools: Pools) -> tuple[pd.DataFrame, str]:
    """Training jobs, and one line on what was drawn."""
    rng = np.random.default_rng([training.seed, 1])
    n, horizon = training.jobs, scenario.settings.horizon
    region = rng.choice(len(scenario.regions), n, p=_weights(training, scenario))
    names, shares = list(training.families), np.array(list(training.families.values()))
    family = np.array(names)[rng.choice(len(names), n, p=shares / shares.sum())]
    gpus, gpu_hours = _measured_sizes(training.population, n, rng)
    base_of = _chains(training, gpu_hours, rng)
    family = np.where(base_of >= 0, family[base_of], family)
    is_base = np.isin(np.arange(n), base_of)

    smallest = pools.smallest_gang[[pools.families[name] for name in family]]
    gang = np.clip(np.ceil(gpus * training.gang_scale), smallest, np.maximum(smallest, training.largest_gang))
    first, last = _blocks(scenario, base_of, rng)
    halves = np.where(is_base | (base_of >= 0), 0.5, 1.0)  # a chain needs room for two runs
    longest_h: Floats = (last - first) * training.longest_run_share * halves
    rate: Floats = pools.mean_rate(pools.train_pflops, list(family))
    accelerator_h: Floats
    if training.capacity_share is not None:
        total_h = training.capacity_share * pools.accelerators.sum() * horizon.periods * horizon.period_h
        accelerator_h, scale = _scaled(gpu_hours, gang * longest_h, total_h, "capacity_share")
    else:
        work, scale = _scaled(gpu_hours * rate, gang * longest_h * rate, training.work_pflop_h or 0.0, "work_pflop_h")
        accelerator_h = work / rate
    low, high = np.log(training.data_gb)
    data_gb: Floats = np.round(np.exp(low + (high - low) * rng.random(n)), 1).astype(np.float64)
    checkpoint_gb = np.array([training.checkpoint_gb.get(name, 0.0) for name in family]) * (base_of >= 0)
    release, deadline = _windows(
        training,
        accelerator_h / gang,
        data_gb,
        checkpoint_gb,
        base_of,
        (first, last),
        rng,
        scenario,
    )

    region_id = np.array([one.id for one in scenario.regions])[region]
    ids = np.array([f"{r}-{f}-{i:04d}" for i, (r, f) in enumerate(zip(region_id, family, strict=True))])
    zone = np.array([one.zone for one in scenario.regions])[region]
    fast_enough = rate / training.window_slack[0]  # on a slower chip the tightest window would be missed
    resident = rng.random(n) < training.resident_share
    resident &= pools.in_zone(pools.train_pflops, family, zone, gang, fast_enough)
    jobs = _frame(
        "jobs",
        n,
        id=ids,
        tenant=_tenants(training, scenario, region, rng),
        region=region_id,
        family=family,
        mode=np.where(rng.random(n) < training.rigid_share, "rigid", "elastic"),
        work_pflop_h=accelerator_h * rate,
        release_h=release,
        deadline_h=deadline,
        max_accelerators=gang,
        data_gb=data_gb,
        move_gbps=np.full(n, training.move_gbps),
        residency=np.where(resident, zone, ""),
        after=np.where(base_of >= 0, ids[base_of], ""),
        checkpoint_gb=checkpoint_gb,
    )
    note = (
        f"{n} training jobs drawn with seed {training.seed}: {accelerator_h.sum():,.0f} accelerator-hours "
        f"on mean chips, measured GPU-hours times {scale:.3g}, {int((jobs['mode'] == 'rigid').sum())} rigid, "
        f"{int((base_of >= 0).sum())} verticals after {training.bases} bases"
    )
    return jobs, note


def draw_services(inference: Inference, scenario: Scenario, pools: Pools) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Inference services, their demand, and one line on what was drawn."""
    rng = np.random.default_rng([inference.seed, 2])
    weights, classes = _weights(inference, scenario), inference.classes
    index = {one.id: r for r, one in enumerate(scenario.regions)}
    pairs = [(k, r) for k, one in enumerate(classes) for r in sorted(index[x] for x in one.regions or index)]
    of_class, region = np.array(pairs, dtype=np.int64).T
    in_class = np.zeros((len(classes), weights.size))
    in_class[of_class, region] = weights[region]
    share = np.array([one.share for one in classes]) / sum(one.share for one in classes)
    sums = in_class.sum(axis=1)
    part = (share[:, None] * in_class / np.where(sums > 0, sums, 1.0)[:, None])[of_class, region]
    rate = pools.mean_rate(pools.tokens_per_s, [one.family for one in classes])
    if inference.capacity_share is not None:
        held = inference.capacity_share * pools.accelerators.sum() * part
        daily = held * (rate * np.array([one.max_utilisation for one in classes]))[of_class] * 86400.0
    else:
        daily = (inference.tokens_per_day or 0.0) * part
    tokens_per_s = _curves(inference, scenario, of_class, daily, rng)

    n, n_periods = len(pairs), scenario.settings.horizon.periods
    family = np.array([one.family for one in classes])[of_class]
    zone = np.array([one.zone for one in scenario.regions])[region]
    resident = (rng.random(n) < inference.resident_share) & pools.in_zone(
        pools.tokens_per_s, family, zone, np.zeros(n), np.zeros(n)
    )
    names = np.array([one.id for one in scenario.regions])[region]
    ids = np.array([f"{name}-{classes[k].id}" for name, k in zip(names, of_class, strict=True)])

    def column(name: str) -> Texts:
        return np.asarray(np.array([getattr(one, name) for one in classes])[of_class])

    services = _frame(
        "services",
        n,
        id=ids,
        tenant=_tenants(inference, scenario, region, rng),
        region=names,
        family=family,
        slo_class=column("id"),
        residency=np.where(resident, zone, ""),
        **{
            name: column(name)
            for name in (
                "slo_metric",
                "slo_ms",
                "max_utilisation",
                "kb_in_per_ktoken",
                "kb_out_per_ktoken",
                "hard",
            )
        },
    )
    asked = _frame(
        "demand",
        n * n_periods,
        service=np.repeat(ids, n_periods),
        period=np.tile(np.arange(n_periods), n),
        tokens_per_s=tokens_per_s.ravel(),
    )
    note = (
        f"{n} services drawn with seed {inference.seed}: {daily.sum():.4g} tokens a day before the noise of days, "
        f"hour shapes {', '.join(sorted({one.shape if isinstance(one.shape, str) else 'given' for one in classes}))}"
    )
    return services, asked, note


def _measured_sizes(population: str, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """GPUs (top of the measured band) and GPU-hours of n measured jobs, each (n,)."""
    rows = [row for row in loader.table("size_quantiles") if row["population"] == population]
    bands = [row for row in rows if row["quantity"] == "job_share"]
    shares = np.array([row["value"] for row in bands], dtype=np.float64)
    gpus = np.array([row["gpus_high"] for row in bands], dtype=np.float64)
    chosen = rng.choice(len(bands), n, p=shares / shares.sum())
    probability, hours = rng.random(n), np.empty(n)
    for b, top in enumerate(gpus):
        known = [row for row in rows if row["quantity"] == "gpu_hours" and row["gpus_high"] == top]
        at = np.array([row["probability"] for row in known], dtype=np.float64)
        values = np.array([row["value"] for row in known], dtype=np.float64)
        # Quantiles are printed with three digits; the smallest may read 0, which no job has.
        hours[chosen == b] = demand.sizes_at(probability[chosen == b], at, np.maximum(values, 0.005))
    return gpus[chosen], hours


def _chains(training: Training, size: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose the base of every job, -1 = none, (n,): the largest jobs are bases, others are drawn as verticals."""
    base_of = np.full(size.size, -1, dtype=np.int64)
    largest_first = np.argsort(-size, kind="stable")
    bases = largest_first[: training.bases]
    verticals = rng.permutation(largest_first[training.bases :])[: training.bases * training.verticals_per_base]
    base_of[verticals] = np.repeat(bases, training.verticals_per_base)
    return base_of


def _blocks(scenario: Scenario, base_of: NDArray[np.int64], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """First and last hour of the typical block that each job falls in; a chain stays in one block."""
    horizon = scenario.settings.horizon
    lengths = np.array([block.periods for block in horizon.blocks] or [horizon.periods], dtype=np.float64)
    block = rng.choice(lengths.size, base_of.size, p=lengths / lengths.sum())
    block = np.where(base_of >= 0, block[base_of], block)
    last = np.cumsum(lengths)[block] * horizon.period_h
    return last - lengths[block] * horizon.period_h, last


def _scaled(sizes: Floats, largest: Floats, total: float, key: str) -> tuple[Floats, float]:
    """Scale the measured sizes to the total that the settings ask for."""
    try:
        return demand.scaled_to_total(sizes, largest, total)
    except ValueError as error:
        findings = Findings()
        findings.error(
            "generate-too-much",
            f"the jobs cannot hold this much work: {error}",
            file="scenario.toml",
            row=f"generate.training.{key}",
            hint="Raise jobs, gang_scale, largest_gang or longest_run_share.",
        )
        raise settings_error(findings) from error


def _windows(
    training: Training,
    run_h: Floats,
    data_gb: Floats,
    checkpoint_gb: Floats,
    base_of: NDArray[np.int64],
    block: tuple[Floats, Floats],
    rng: np.random.Generator,
    scenario: Scenario,
) -> tuple[Floats, Floats]:
    """Release and deadline of every job; verticals get their window after the deadline of their base."""
    first, last = block
    period_h = scenario.settings.horizon.period_h
    slack = rng.uniform(*training.window_slack, run_h.size)
    position = rng.random(run_h.size)
    move_h = np.ceil((data_gb + checkpoint_gb) * 8 / (3600 * training.move_gbps * period_h)) * period_h
    needed_h = run_h + (move_h + period_h) / slack  # the move takes as long whatever the slack
    chained = base_of >= 0
    is_base = np.isin(np.arange(run_h.size), base_of[chained])
    middle = first + np.floor((last - first) / 2 / period_h) * period_h
    release, deadline = demand.windows(needed_h, slack, position, first, np.where(is_base, middle, last), period_h)
    base = base_of[chained]
    window_h = np.ceil(needed_h * slack / period_h)[chained] * period_h
    release[chained] = release[base] + np.floor(run_h[base] / period_h) * period_h
    deadline[chained] = np.minimum(deadline[base] + window_h, last[chained])
    return release, deadline


def _curves(
    inference: Inference,
    scenario: Scenario,
    of_class: NDArray[np.int64],
    daily: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Tokens/s of every service and period, shape (S, T)."""
    horizon = scenario.settings.horizon
    start = periods(horizon)
    hour = (start - start.normalize()) / pd.Timedelta(hours=1)
    shapes = np.stack(
        [
            demand.diurnal_curve(1.0, _shape(one), hour.to_numpy(dtype=np.float64), horizon.period_h)
            for one in inference.classes
        ]
    )
    dates, day = np.unique(start.normalize().to_numpy(), return_inverse=True)
    sigma = inference.day_noise
    level = np.exp(rng.normal(0.0, 1.0, (daily.size, dates.size)) * sigma - sigma**2 / 2)
    week_end = np.where(start.day_of_week >= SATURDAY, inference.weekend_factor, 1.0)
    return np.asarray(daily[:, None] * shapes[of_class] / 3600.0 * level[:, day] * week_end[None, :])


def _shape(one: ServiceClass) -> Floats:
    """Read the 24-hour shape of a class, shape (24,)."""
    if not isinstance(one.shape, str):
        return np.array(one.shape, dtype=np.float64)
    return np.array([row["value"] for row in loader.table("diurnal_shapes") if row["shape"] == one.shape])


def _weights(settings: Draw, scenario: Scenario) -> Floats:
    """Share of each region in the draw, shape (R,)."""
    figures = [[getattr(region, column) for region in scenario.regions] for column in settings.followed]
    growth = [settings.growth_per_year.get(region.id, 0.0) for region in scenario.regions]
    return demand.regional_weights(figures, list(settings.followed.values()), growth, settings.growth_years)


def _tenants(settings: Draw, scenario: Scenario, region: NDArray[np.int64], rng: np.random.Generator) -> Texts:
    """Tenant of each piece of work: by share, else the tenant named like its region, else none."""
    names = np.array([*settings.tenants, ""])
    edges = np.cumsum(list(settings.tenants.values()))
    chosen = names[np.searchsorted(edges, rng.random(region.size), side="right")]
    known = {tenant.id for tenant in scenario.tenants}
    own = np.array([one.id if one.id in known else "" for one in scenario.regions])[region]
    return np.where(chosen == "", own, chosen)


def _frame(table: str, rows: int, **columns: Any) -> pd.DataFrame:
    """Build a long table with every column of its description, in its type; what is not given has its default."""
    dtypes = {"text": str, "number": np.float64, "integer": np.int64, "flag": np.bool_}
    return pd.DataFrame(
        {
            column.name: pd.Series(columns[column.name], dtype=dtypes[column.kind])
            if column.name in columns
            else default_cells(column, rows)
            for column in LONG_TABLES[table].columns
        }
    )


def _appended(table: str, given: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Given rows followed by drawn ones; a name that both have is an error."""
    if given.empty:
        return new
    key = LONG_TABLES[table].key[0]
    both = given[key].isin(new[key])
    if both.any():
        findings = Findings()
        findings.error(
            "generate-duplicate",
            "a drawn row has the name of a given one",
            file=f"{table}.csv",
            column=key,
            found=str(given.loc[both, key].iloc[0]),
            hint="Rename the given row.",
        )
        raise settings_error(findings)
    return pd.concat([given, new], ignore_index=True)
