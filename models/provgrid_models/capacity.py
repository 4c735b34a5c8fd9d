"""The capacity model: how much work an accelerator does, how many are usable, and which pools are open to whom.

Work to accelerator-hours: a = F / (peak * MFU * 3600), F in FLOP and peak in FLOP/s (design §2). With work in
PFLOP-hours and a rate in PFLOPS that is a = work / rate, rate = peak * MFU. One accelerator of a service serves its
binding's tokens/s, and may be filled up to `max_utilisation`: queues grow above it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from provgrid_models.errors import ScenarioError
from provgrid_models.reasons import Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provgrid_models.problem import Floats, Ints
    from provgrid_models.scenario import Scenario


def accelerator_hours(flops: Floats, peak_flops_per_s: Floats, mfu: Floats) -> Floats:
    """Accelerator-hours of a piece of training, F / (peak * MFU * 3600); arguments broadcast.

    F = 6 * parameters * tokens is the usual estimate for a dense transformer (Kaplan et al. 2020, arXiv:2001.08361).
    """
    return np.asarray(flops / (np.asarray(peak_flops_per_s) * mfu * 3600.0), dtype=np.float64)


def rate_pflops(peak_tflops: Floats, mfu: Floats) -> Floats:
    """Training rate of one accelerator, peak * MFU [PFLOPS]; NaN where either is unknown."""
    return np.asarray(peak_tflops, dtype=np.float64) / 1000.0 * mfu


def usable_accelerators(installed: Floats, availability: Floats) -> Floats:
    """Accelerators of a pool that work may use: installed * availability."""
    return np.asarray(installed, dtype=np.float64) * availability


def installed_accelerators(scenario: Scenario, start: NDArray[np.datetime64]) -> Floats:
    """Installed accelerators of every pool in periods that start at these times, expansions included, (P, T).

    Raises `ScenarioError` at an expansion of a pool that is not there.
    """
    place = {pool.id: p for p, pool in enumerate(scenario.pools)}
    at_first = np.array([pool.accelerators for pool in scenario.pools], dtype=np.float64)
    installed = np.repeat(at_first[:, None], start.size, axis=1)
    for expansion in scenario.expansions:
        if expansion.pool not in place:
            raise ScenarioError(f'expansions names "{expansion.pool}", which is no pool; run `provgrid check`')
        installed[place[expansion.pool]] += expansion.accelerators * (start >= np.datetime64(expansion.start))
    return installed


def open_rates(
    rate: Floats, least_accelerators: Floats, workload_least: Floats, pool_chip: Ints, pool_accelerators: Floats
) -> tuple[Floats, Ints]:
    """Rate (W, P) of every workload in every pool and the reason (W, P) where it is 0.

    `rate` (W, chips) comes from the binding and is NaN where the family was never ported; the accelerators that its
    memory needs are the larger of the binding's (W, chips) and the workload's own (W,). `pool_chip` and
    `pool_accelerators` (usable) have shape (P,).
    """
    in_pool = rate[:, pool_chip]
    least = np.maximum(least_accelerators[:, pool_chip], workload_least[:, None])
    reason = np.select(
        [~(in_pool > 0), pool_accelerators[None, :] < least],
        [int(Reason.NO_BINDING), int(Reason.TOO_FEW_ACCELERATORS)],
        int(Reason.OPEN),
    ).astype(np.int64)
    return np.where(reason == 0, in_pool, 0.0), reason


def close(rate: Floats, reason: Ints, closed: object, why: Reason) -> tuple[Floats, Ints]:
    """Close more pairs: where `closed` (broadcasts to (W, P)) and still open, the rate is 0 and `why` is the reason."""
    now = np.broadcast_to(np.asarray(closed, dtype=np.bool_), reason.shape) & (reason == 0)
    return np.where(now, 0.0, rate), np.where(now, int(why), reason)
