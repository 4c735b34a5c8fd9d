"""Names of what can be exported; nothing heavy, so that the command line can complete them."""

from __future__ import annotations

FORMATS = ("csv", "parquet", "xlsx", "mps")
TABLES = (
    "capacity_curves",
    "jobs",
    "training",
    "inference",
    "energy",
    "peaks",
    "traffic",
    "costs",
    "prices",
    "ledger",
    "curtailed",
)
DISPATCH = "dispatch"
