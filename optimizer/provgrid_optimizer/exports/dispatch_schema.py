"""JSON Schema of `dispatch.json`."""

from __future__ import annotations

from typing import Any

from provgrid_models.schema import DIALECT
from provgrid_optimizer.exports.dispatch import FORMAT

TEXT, NUMBER, PERIOD = {"type": "string"}, {"type": "number"}, {"type": "integer", "minimum": 0}
TIME = {"type": ["string", "null"], "description": "Beijing time, ISO 8601; null where the plan has no calendar"}
YUAN = {"type": ["number", "null"]}


def dispatch_schema() -> dict[str, Any]:
    """Return the schema; every property is always there, and there are no others."""
    placement = _object(
        "a pool in which the job runs",
        pool=TEXT,
        cluster=TEXT,
        share=NUMBER | {"description": "share of the job's work; below 1 in a relaxation alone"},
        profile={"type": "array", "items": _step(), "description": "what it holds, in order; paused in between"},
    )
    alternative = _object(
        "an open pool that the job is not in",
        pool=TEXT,
        cluster=TEXT,
        extra_yuan=YUAN
        | {
            "description": "what all of the job costs more there, at its cheapest hours at the plan's prices; below 0 "
            "where the plan did not find it or prices do not tell all; null where it does not fit the window"
        },
    )
    job = _object(
        "one job",
        id=TEXT,
        tenant={"type": ["string", "null"]},
        mode={"enum": ["rigid", "elastic"], "description": "a gang in one piece, or work that may pause"},
        release_period=PERIOD | {"description": "first period that it may run in"},
        deadline_period=PERIOD | {"description": "period before which it must have ended"},
        unserved_share=NUMBER | {"description": "share of its work that the plan leaves"},
        placements={"type": "array", "items": placement},
        alternatives={"type": "array", "items": alternative, "description": "the cheapest first"},
        unserved_extra_yuan=YUAN | {"description": "what leaving it costs more; null where it must be served"},
        excluded={
            "type": "object",
            "additionalProperties": {"type": "array", "items": TEXT},
            "description": "closed pools by reason; `reasons` says each in words",
        },
    )
    never = _object("work that no pool could ever serve", id=TEXT, reason=TEXT, unserved_yuan=NUMBER)
    whole = _object(
        "where and when each job of a plan runs, and the pools it could be in instead, ranked by extra cost",
        format={"const": FORMAT},
        scenario={"type": ["string", "null"]},
        engine=TEXT,
        status=TEXT | {"description": "how the solve ended"},
        horizon=_object(
            "the plan's time",
            start=TIME,
            period_h=NUMBER | {"description": "length of a period [h]"},
            periods={"type": "integer", "minimum": 1},
        ),
        price_basis=TEXT | {"description": "prices behind extra_yuan: dual (of the bound) or lp (of the relaxation)"},
        reasons={"type": "object", "additionalProperties": TEXT},
        jobs={"type": "array", "items": job},
        never_served={"type": "array", "items": never},
    )
    return {"$schema": DIALECT, "title": "provgrid dispatch", **whole}


def _step() -> dict[str, Any]:
    return _object(
        "the same accelerators for some periods",
        period=PERIOD | {"description": "first period of the step, 0-based"},
        periods={"type": "integer", "minimum": 1},
        start=TIME,
        accelerators=NUMBER,
    )


def _object(description: str, **properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
