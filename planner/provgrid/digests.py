"""What identifies a result: the bytes of its scenario, the tables that work is drawn from, and the code."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path

from provgrid_models.errors import ScenarioError

TABLES = Path(str(files("provgrid_seeds") / "tables"))


def scenario_digest(scenario: str) -> str:
    """SHA-256 over the names and bytes of a scenario's folders, those that it extends included.

    With the overrides, the tables and the code it determines the resolved scenario, and no file has to be understood
    for it.
    """
    from provgrid_models.files import scenario_error
    from provgrid_models.findings import Findings
    from provgrid_models.overlay import read_layers
    from provgrid_optimizer.run_folder import content_hash

    findings = Findings()
    layers = read_layers(scenario, findings)
    if not layers:
        raise scenario_error(scenario, findings) if findings else ScenarioError(f"{scenario} is no scenario")
    return hashlib.sha256("".join(content_hash(layer.folder) for layer in layers).encode()).hexdigest()


@cache
def tables_digest() -> str:
    """SHA-256 over the tables of public figures: work that `[generate]` describes is drawn from rows of theirs."""
    digest = hashlib.sha256()
    for file in sorted(TABLES.glob("*.csv")):
        digest.update(f"{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()


@cache
def code_digest(*sources: str) -> str:
    """SHA-256 over the sources of packages and modules: results of other code are not taken for this one's."""
    digest = hashlib.sha256()
    for name in sources:
        file = Path(str(import_module(name).__file__))
        for source in sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]:
            digest.update(source.read_bytes())
    return digest.hexdigest()
