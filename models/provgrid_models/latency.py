"""The latency model: round trips between places, and the metric that each service's SLO bounds.

Round trip = 2 * (great circle * propagation * route factor + equipment), or the figure given for a route (design §2).
Light in fibre takes about 4.9 us/km (refractive index 1.468, ITU-T G.652); fibre routes are longer than great circles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid_models.problem import Bools, Floats

EARTH_RADIUS_KM = 6371.0088  # mean radius, IUGG

NETWORK_RTT, TTFT, TPOT = "network_rtt", "ttft", "tpot"


def great_circle_km(
    latitude_deg: Floats, longitude_deg: Floats, to_latitude_deg: Floats, to_longitude_deg: Floats
) -> Floats:
    """Distance over the sphere by the haversine formula [km]; arguments broadcast."""
    latitude, longitude, to_latitude, to_longitude = (
        np.radians(a) for a in (latitude_deg, longitude_deg, to_latitude_deg, to_longitude_deg)
    )
    half = (
        np.sin((to_latitude - latitude) / 2) ** 2
        + np.cos(latitude) * np.cos(to_latitude) * np.sin((to_longitude - longitude) / 2) ** 2
    )
    return np.asarray(2.0 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))), dtype=np.float64)


def round_trip_ms(
    distance_km: Floats, given_ms: Floats, *, us_per_km: float, route_factor: float, equipment_ms: float
) -> Floats:
    """Round trip [ms]: the figure given where there is one (not NaN), else by the formula; arguments broadcast."""
    by_formula = 2.0 * (np.asarray(distance_km) * us_per_km / 1000.0 * route_factor + equipment_ms)
    return np.where(np.isnan(given_ms), by_formula, given_ms)


def metric_ms(
    metric: Sequence[str], round_trip: Floats, prefill_ms: Floats, tpot_ms: Floats, *, queue_ms: float
) -> Floats:
    """Value of each service's own metric in each pool, shape (S, P) [ms].

    `network_rtt` is the round trip; `ttft`, time to first token, is round trip + queue + prefill; `tpot`, time per
    output token, holds no round trip, because tokens stream. All three arguments have shape (S, P), NaN = unknown.
    """
    kind = np.asarray(metric, dtype=object)[:, None]
    values = [
        (kind == NETWORK_RTT, round_trip),
        (kind == TTFT, round_trip + queue_ms + prefill_ms),
        (kind == TPOT, tpot_ms),
    ]
    return np.select([condition for condition, _ in values], [value for _, value in values], np.nan)


def meets_slo(metric_value_ms: Floats, slo_ms: Floats) -> Bools:
    """Whether each service's metric (S, P) is within its SLO (S,); an unknown metric is not."""
    return np.asarray(metric_value_ms <= np.asarray(slo_ms)[:, None] * (1.0 + 1e-12), dtype=np.bool_)
