"""Rows that ran on GPUs for a time become jobs; token rates become services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from provgrid_models.importers.core import long_table, regions_of

if TYPE_CHECKING:
    from provgrid_models.importers.options import JobOptions, ServiceOptions

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Runs:
    """What ran: one entry per row that is left. `release_h` counts from hour 0; `gpus` may be a share of one."""

    id: pd.Series
    tenant: pd.Series
    release_h: Floats
    duration_h: Floats
    gpus: Floats

    def take(self, rows: NDArray[Any]) -> Runs:
        """Return some of the rows, by position."""
        return Runs(
            self.id.iloc[rows], self.tenant.iloc[rows], self.release_h[rows], self.duration_h[rows], self.gpus[rows]
        )


def jobs_from(runs: Runs, options: JobOptions) -> tuple[pd.DataFrame, list[str], dict[str, int]]:
    """Turn runs into the jobs table, sorted by release; also say what was assumed, and count what was left out.

    work = GPUs x hours x PFLOPS per GPU x MFU x scale; a scaled job asks for `scale` times the accelerators, so that
    its run time stays. Runs outside the window [0, hours) are counted, and so is what `max_jobs` leaves out.
    """
    inside = runs.release_h >= 0
    if options.hours is not None:
        inside &= runs.release_h < options.hours
    counts = {"outside_window": int((~inside).sum()), "beyond_max_jobs": 0}
    order = np.flatnonzero(inside)
    order = order[np.argsort(runs.release_h[order], kind="stable")]
    said = []
    gpu_hours = runs.gpus * runs.duration_h
    if options.max_jobs is not None and order.size > options.max_jobs:
        drawn = np.random.default_rng(options.seed).choice(order.size, options.max_jobs, replace=False)
        counts["beyond_max_jobs"] = int(order.size - options.max_jobs)
        chosen = order[np.sort(drawn)]
        said.append(
            f"{options.max_jobs} of {order.size} jobs were drawn at random (seed {options.seed}); they hold "
            f"{100 * gpu_hours[chosen].sum() / gpu_hours[order].sum():.3g} % of the GPU-hours."
        )
        order = chosen
    kept = runs.take(order)
    rigid = np.zeros(order.size, dtype=bool)
    if options.rigid_from_gpus is not None:
        rigid = (kept.gpus >= options.rigid_from_gpus) & (kept.duration_h >= options.rigid_from_h)
    gang = np.where(rigid, np.maximum(1.0, np.round(kept.gpus * options.scale)), kept.gpus * options.scale)
    slack = np.maximum(options.deadline_slack * kept.duration_h, kept.duration_h + options.least_slack_h)
    table = {
        "id": kept.id.to_numpy(),
        "tenant": kept.tenant.to_numpy(),
        "region": regions_of(options, kept.tenant).to_numpy(),
        "family": options.family,
        "mode": np.where(rigid, "rigid", "elastic"),
        "work_pflop_h": gpu_hours[order] * options.pflops_per_gpu * options.mfu * options.scale,
        "release_h": kept.release_h,
        "deadline_h": kept.release_h + slack,
        "max_accelerators": gang,
        "data_gb": options.data_gb,
    }
    return long_table("jobs", table, order.size), _job_words(options, rigid, order.size) + said, counts


def _job_words(options: JobOptions, rigid: NDArray[np.bool_], jobs: int) -> list[str]:
    rate = options.pflops_per_gpu * options.mfu
    said = [
        f"The trace names no chip: one GPU-hour counts as {rate:.6g} PFLOP-hours, the work of one "
        f"{options.reference_chip} ({options.pflops_per_gpu:g} PFLOPS FP16 peak) at MFU {options.mfu:g}.",
        f"The trace has no deadlines: a job ends by its release + max({options.deadline_slack:g} x run time, "
        f"run time + {options.least_slack_h:g} h).",
        f"The trace names no data sizes: each job moves {options.data_gb:g} GB.",
    ]
    if options.rigid_from_gpus is None:
        said.append("Every job is elastic, up to the GPUs that it had.")
    else:
        said.append(
            f"{int(rigid.sum())} of {jobs} jobs are rigid gangs: those on {options.rigid_from_gpus} or more GPUs that "
            f"ran for at least {options.rigid_from_h:g} h; the others are elastic, up to the GPUs that they had."
        )
    return said


def services_table(
    names: list[str], prompt_share: list[float], options: ServiceOptions, slo_class: str
) -> pd.DataFrame:
    """Build the services table. `prompt_share` = input tokens over all tokens of each service, unweighted."""
    share = np.asarray(prompt_share, dtype=np.float64)
    counted = options.prompt_weight * share + (1.0 - share)  # counted tokens per token
    per_token = options.kb_per_ktoken / np.where(counted > 0, counted, 1.0)
    table = {
        "id": names,
        "tenant": options.tenant,
        "region": regions_of(options, pd.Series(names, dtype="str")).to_numpy(),
        "family": options.family,
        "slo_class": slo_class,
        "slo_metric": options.slo_metric,
        "slo_ms": options.slo_ms,
        "max_utilisation": options.max_utilisation,
        "kb_in_per_ktoken": share * per_token,
        "kb_out_per_ktoken": (1.0 - share) * per_token,
    }
    return long_table("services", table, len(names))


def demand_table(names: list[str], tokens_per_s: Floats) -> pd.DataFrame:
    """Build the demand table from tokens per second, shape (services, periods)."""
    services, periods = tokens_per_s.shape
    table = {
        "service": np.repeat(np.asarray(names, dtype=object), periods),
        "period": np.tile(np.arange(periods), services),
        "tokens_per_s": tokens_per_s.ravel(),
    }
    return long_table("demand", table, services * periods)


def service_words(options: ServiceOptions) -> list[str]:
    """Say what was assumed about every service."""
    return [
        f"Tokens/s = requests/s x (output tokens + {options.prompt_weight:g} x input tokens).",
        f"The trace names no latency: every service must answer within {options.slo_ms:g} ms of "
        f"{options.slo_metric} and fill at most {options.max_utilisation:g} of its accelerators.",
        f"A thousand tokens are {options.kb_per_ktoken:g} kB on the wire, in and out by their shares.",
    ]
