"""Why a pool is closed to a job or a service: one code per reason, kept so that a plan can be explained."""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """Reason code of one (workload, pool) pair; 0 means that the pool is open."""

    OPEN = 0
    NO_BINDING = 1  # the model family was never ported to the chip
    TOO_FEW_ACCELERATORS = 2  # the pool is smaller than the family's memory asks for
    RESIDENCY = 3  # the data may not leave its zone
    NO_ROUTE = 4  # no route from the region to the cluster
    SLO = 5  # the latency metric of the service is above its SLO
    WINDOW_TOO_SHORT = 6  # even at full speed the work does not fit the window
    NO_TIME_TO_MOVE = 7  # the data arrives after the last possible start
    GANG_TOO_LARGE = 8  # a rigid gang needs more accelerators than the pool ever has
    PINNED_ELSEWHERE = 9  # the job is already running in another pool


REASON_TEXT: dict[Reason, str] = {
    Reason.OPEN: "open",
    Reason.NO_BINDING: "the model family has no port to this chip",
    Reason.TOO_FEW_ACCELERATORS: "too few accelerators for the model's memory",
    Reason.RESIDENCY: "the data must stay in its zone",
    Reason.NO_ROUTE: "no route from the region",
    Reason.SLO: "latency above the SLO",
    Reason.WINDOW_TOO_SHORT: "too slow for the window",
    Reason.NO_TIME_TO_MOVE: "the data arrives too late",
    Reason.GANG_TOO_LARGE: "the gang is larger than the pool",
    Reason.PINNED_ELSEWHERE: "already running in another pool",
}

CURE_TEXT: dict[str, str] = {
    "": "See what is said of the base.",
    REASON_TEXT[Reason.NO_BINDING]: "Add a row to bindings.csv for its family, {family}, and the chip of a pool.",
    REASON_TEXT[Reason.TOO_FEW_ACCELERATORS]: "Enlarge a pool, or lower min_accelerators in bindings.csv.",
    REASON_TEXT[Reason.RESIDENCY]: "Change its residency, or let zones share under switches.open_zones.",
    REASON_TEXT[Reason.NO_ROUTE]: "Add rows for its region to routes.csv.",
    REASON_TEXT[Reason.SLO]: "Raise its slo_ms, or give a pool that is nearer or faster.",
    REASON_TEXT[Reason.WINDOW_TOO_SHORT]: "Widen its window, or raise its max_accelerators.",
    REASON_TEXT[Reason.NO_TIME_TO_MOVE]: "Widen its window, or raise its move_gbps.",
    REASON_TEXT[Reason.GANG_TOO_LARGE]: "Lower its max_accelerators, the gang, or enlarge a pool.",
    REASON_TEXT[Reason.PINNED_ELSEWHERE]: "Unpin the job.",
}
"""What to do where a pool is closed for that reason; "" stands for a reason that is another job's."""
