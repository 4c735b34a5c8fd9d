"""The environment of the peers that provgrid does not depend on: made once, outside the source tree."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from provgrid_models.errors import MissingSolverError

REQUIREMENTS = Path(__file__).parent / "requirements.txt"


def folder(requirements: Path = REQUIREMENTS) -> Path:
    """Where the environment of these requirements lies, whether it is there or not."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:8]
    return cache / "provgrid" / f"peers-{version}-{digest}"


def ready(requirements: Path = REQUIREMENTS) -> bool:
    """Whether the environment is there and whole."""
    return (folder(requirements) / "whole").is_file()


def python(requirements: Path = REQUIREMENTS) -> Path:
    """Return the environment's interpreter; the first call makes the environment with pip.

    Raises
    ------
    MissingSolverError : it could not be made; the message holds pip's last word.
    """
    place = folder(requirements)
    interpreter = place / "bin" / "python"
    if not ready(requirements):
        _run([sys.executable, "-m", "venv", "--clear", str(place)])
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements)]
        _run([str(interpreter), *install])
        (place / "whole").touch()
    return interpreter


def _run(command: list[str]) -> None:
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        last = (finished.stderr or finished.stdout).strip().splitlines()[-1:] or ["no message"]
        raise MissingSolverError(
            f"the environment of linopy and PDLP could not be made ({last[0]}); "
            "see that a package index can be reached, or name other peers with --peers"
        )
