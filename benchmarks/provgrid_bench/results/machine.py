"""The machine that is measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from provgrid_bench.results.tables import Row


def machine() -> Row:
    """Processor, cores, memory and versions, as text."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory_gb": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f}",
        "system": platform.system(),
        "python": platform.python_version(),
        **{package: version(package) for package in ("numpy", "numba", "highspy", "pulp")},
    }


def load() -> float:
    """Count the processes that wanted a core over the last minute, before a run of ours begins."""
    return round(os.getloadavg()[0], 1)


def _processor() -> str:
    """Name of the processor; Linux has it in a file of its own."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
