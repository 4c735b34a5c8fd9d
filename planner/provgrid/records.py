"""A solve as one flat record: what `--json` prints, and what a benchmark keeps."""

from __future__ import annotations

import resource
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from provgrid_optimizer.plan import Plan


def record(plan: Plan, run_folder: Path | None = None) -> dict[str, Any]:
    """Plain values, ready for JSON: the plan's record, this process's peak memory so far, and the run folder."""
    return {
        **plan.to_dict(),
        "peak_rss_mb": peak_rss_mb(),
        "run_dir": None if run_folder is None else str(run_folder),
    }


def peak_rss_mb() -> float:
    """Most memory that this process has held so far, in MB of 10^6 bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6
