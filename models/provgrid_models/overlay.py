"""Layers of a scenario: `extends` chains of folders, and `--set` overrides on top of them.

`path=value` sets a value, `path*=factor` multiplies the one that is there; a key may be a pattern such as `*/h800`.

Tables: a file of a later layer replaces the table; `<table>.patch.csv` updates it row by row. Settings are merged
key by key. A patch's blank cell keeps what the layer below has.
"""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provgrid_models.findings import did_you_mean
from provgrid_models.grids import TABLE_NAMES
from provgrid_models.readers import decode, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from provgrid_models.findings import Findings

SETTINGS_FILE = "scenario.toml"
IMPORT_REPORT = "import_report.json"  # of the tables of an import, which are no scenario
RUN_SCENARIO = "scenario"  # folder of a run in which it keeps its scenario
BUILTIN = "builtin:"
NO_PATH = '""'  # how an empty path is written in a sentence
BUILTIN_HINT = "Built in are toy, zhejiang, national-lite, national and the systems of docs/systems.md."

_rebuilt: ContextVar[Path | None] = ContextVar("rebuilt", default=None)


@dataclass(frozen=True)
class Layer:
    """One folder of a chain: its settings as they stand, and how its files are called in findings."""

    folder: Path
    prefix: str
    settings: dict[str, Any]

    def file(self, name: str) -> str:
        """Name of one of its files in findings."""
        return self.prefix + name


@dataclass(frozen=True)
class Override:
    """One `--set`: of a setting, or of a column of the rows that a key finds; with `scales` the value multiplies."""

    argument: str
    path: tuple[str, ...]
    value: Any
    table: str = ""
    scales: bool = False

    @property
    def key(self) -> str:
        """Key of the rows of a table override."""
        return ".".join(self.path[1:-1])

    @property
    def column(self) -> str:
        """Column of a table override."""
        return self.path[-1]

    @property
    def cell_text(self) -> str:
        """Value as it would stand in a CSV cell."""
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if isinstance(self.value, list):
            return ";".join(str(part) for part in self.value)
        return repr(self.value) if isinstance(self.value, float) else str(self.value).strip()


def builtin_names() -> list[str]:
    """Names of the scenarios that come with the package."""
    root = importlib.resources.files("provgrid_seeds") / "scenarios"
    if not root.is_dir():
        return []
    return sorted(entry.name for entry in root.iterdir() if (entry / SETTINGS_FILE).is_file())


@contextmanager
def rebuilt_in(folder: Path) -> Iterator[None]:
    """Take built-in scenarios from their subfolders of another folder, where it has them, for all who load inside."""
    token = _rebuilt.set(folder)
    try:
        yield
    finally:
        _rebuilt.reset(token)


def builtin_folder(name: str) -> Path:
    """Folder of a scenario that comes with the package."""
    rebuilt = _rebuilt.get()
    if rebuilt is not None and (rebuilt / name).is_dir():
        return rebuilt / name
    return Path(str(importlib.resources.files("provgrid_seeds") / "scenarios" / name))


def read_layers(path: str | Path, findings: Findings) -> list[Layer]:
    """Follow `extends` from a folder, or from a built-in scenario's name; returns the layers, base first.

    An empty list means that there is nothing to go on with; the findings say why.
    """
    layers: list[Layer] = []
    folder: Path | None = _first_folder(path)
    prefix, asked_by = "", str(path) or NO_PATH
    seen: set[Path] = set()
    while folder is not None:
        if not _is_scenario_folder(folder, asked_by, prefix, findings):
            return []
        if folder.resolve() in seen:
            message = f"the chain of extends comes back to {folder.name}"
            hint = "Remove one extends."
            findings.error("extends-cycle", message, file=layers[-1].file(SETTINGS_FILE), row="extends", hint=hint)
            return []
        seen.add(folder.resolve())
        settings = read_settings(folder / SETTINGS_FILE, prefix + SETTINGS_FILE, findings)
        if settings is None:
            return []
        extends = settings.pop("extends", None)
        layers.append(Layer(folder, prefix, settings))
        if extends is None:
            break
        if not isinstance(extends, str) or not extends:
            hint = 'Write the path of a folder, or "builtin:<name>".'
            file, found = layers[-1].file(SETTINGS_FILE), str(extends)
            findings.error("wrong-extends", "a path is needed", file=file, row="extends", found=found, hint=hint)
            return []
        folder = _extended_folder(extends, layers[-1], findings)
        prefix, asked_by = f"{extends.rstrip('/')}/", ""
    return [] if folder is None else layers[::-1]


def read_settings(path: Path, file: str, findings: Findings) -> dict[str, Any] | None:
    """Read a TOML file; None where it cannot be read."""
    data = read_bytes(path, file, findings)
    text = None if data is None else decode(data, file, findings)
    if text is None:
        return None
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        at_line = re.search(r"\(at line (\d+)", str(error))
        message = f"it is not valid TOML: {str(error) or type(error).__name__}"
        findings.error(
            "broken-toml",
            message,
            file=file,
            row=int(at_line.group(1)) if at_line else None,
            hint="Quote texts, and write numbers without separators or units.",
        )
        return None


def merged_settings(layers: Sequence[Layer]) -> dict[str, Any]:
    """Merge the settings of all layers, later over earlier; whatever is no table of keys is replaced."""
    merged: dict[str, Any] = {}
    for layer in layers:
        _merge(merged, layer.settings)
    return merged


def parse_overrides(arguments: Iterable[str], findings: Findings) -> list[Override]:
    """Read `path=value` arguments; values are TOML, and a bare word counts as a text."""
    overrides = []
    for argument in arguments:
        path_text, equals, value_text = argument.partition("=")
        scales = path_text.rstrip().endswith("*")
        path_text = path_text.rstrip().removesuffix("*") if scales else path_text
        path = tuple(part.strip() for part in path_text.split("."))
        table = path[0] if path[0] in TABLE_NAMES else ""
        if not equals or not all(path) or (table and len(path) < 3):
            hint = "Write prices.carbon_price_yuan_per_t=100 or clusters.hami.pue=1.2."
            findings.error("wrong-override", "path=value is needed", file="--set", found=argument, hint=hint)
            continue
        value = _toml_value(value_text)
        if value is None:
            hint = 'Write a TOML value: 1.2, true, "text", ["a", "b"].'
            file, row = "--set", path_text
            findings.error(
                "wrong-override", "the value cannot be read", file=file, row=row, found=value_text, hint=hint
            )
            continue
        if scales and (isinstance(value, bool) or not isinstance(value, int | float)):
            hint, row = "Write pools.*.accelerators*=1.1.", f"{path_text}*"
            findings.error("wrong-override", "a factor is a number", file="--set", row=row, found=value_text, hint=hint)
            continue
        overrides.append(Override(argument.partition("=")[0].strip(), path, value, table, scales))
    return overrides


def override_setting(settings: dict[str, Any], override: Override, findings: Findings) -> None:
    """Put an override's value into the settings; unknown keys are left for their validation to find."""
    at: Any = settings
    for i, part in enumerate(override.path[:-1]):
        at = _step(at, part, create=True)
        if not isinstance(at, (dict, list)):
            place = ".".join(override.path[: i + 1])
            findings.error("unknown-path", f"{place} has no keys below it", file="--set", row=override.argument)
            return
    last = override.path[-1]
    if isinstance(at, list) and not (last.isdigit() and int(last) < len(at)):
        message = f"there is no item {last} among {len(at)}"
        findings.error("unknown-path", message, file="--set", row=override.argument, hint="Items count from 0.")
        return
    known = at.get(last) if isinstance(at, dict) else at[int(last)]
    if override.scales and (isinstance(known, bool) or not isinstance(known, int | float)):
        message, hint = "there is no number to multiply", "Set a value with = instead."
        findings.error("unknown-path", message, file="--set", row=override.argument, hint=hint)
        return
    at[last if isinstance(at, dict) else int(last)] = known * override.value if override.scales else override.value


def _step(at: Any, part: str, *, create: bool) -> Any:
    """Go one key, or one list item, deeper."""
    if isinstance(at, dict):
        return at.setdefault(part, {}) if create else at.get(part)
    if isinstance(at, list) and part.isdigit() and int(part) < len(at):
        return at[int(part)]
    return None


def has_path(settings: dict[str, Any], path: Sequence[str]) -> bool:
    """Say whether a chain of keys stands in the settings."""
    at: Any = settings
    for part in path:
        at = _step(at, part, create=False)
        if at is None:
            return False
    return True


def _merge(into: dict[str, Any], settings: dict[str, Any]) -> None:
    for key, value in settings.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = _copied(value)


def _copied(value: Any) -> Any:
    """Copy nested keys and lists, so that overrides never reach a layer's own settings."""
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def _first_folder(path: str | Path) -> Path:
    """Folder that a user names: a path, `builtin:<name>`, or a built-in scenario's bare name."""
    text = str(path)
    if text.startswith(BUILTIN):
        return builtin_folder(text.removeprefix(BUILTIN))
    if not Path(path).exists() and text in builtin_names():
        return builtin_folder(text)
    return Path(path)


def _extended_folder(extends: str, layer: Layer, findings: Findings) -> Path | None:
    if not extends.startswith(BUILTIN):
        return layer.folder / extends
    name = extends.removeprefix(BUILTIN)
    if name in builtin_names():
        return builtin_folder(name)
    file, hint = layer.file(SETTINGS_FILE), did_you_mean(name, builtin_names()) or BUILTIN_HINT
    findings.error("unknown-extends", "no such built-in scenario", file=file, row="extends", found=name, hint=hint)
    return None


def _is_scenario_folder(folder: Path, asked_by: str, prefix: str, findings: Findings) -> bool:
    """Check that a folder is there and holds the settings file."""
    file = asked_by or prefix.rstrip("/")
    try:
        exists, is_folder, has_settings = folder.exists(), folder.is_dir(), (folder / SETTINGS_FILE).is_file()
    except (OSError, ValueError) as error:
        findings.error("no-folder", f"the path cannot be used: {error}", file=file)
        return False
    if not exists:
        siblings = [entry.name for entry in folder.parent.iterdir()] if folder.parent.is_dir() else []
        name = folder.name.removeprefix(BUILTIN)
        near = did_you_mean(name, [*siblings, *builtin_names()]) if len(siblings) < 1000 else ""
        hint = near or BUILTIN_HINT
        findings.error("no-folder", "no such folder", file=file, hint=hint)
    elif not is_folder:
        findings.error("no-folder", "it is a file; a scenario is a folder", file=file, hint="Name the folder it is in.")
    elif not has_settings:
        names = [entry.name for entry in folder.iterdir() if ".toml" in entry.name.lower()]
        close = get_close_matches(SETTINGS_FILE, names, n=1)
        hint = f"A scenario folder holds {SETTINGS_FILE} and its tables; provgrid new DIR makes one."
        if close:
            hint = f"Rename {close[0]} to {SETTINGS_FILE}."
        elif (folder / IMPORT_REPORT).is_file():
            hint = "It holds the tables of an import; import the trace again with --into SCENARIO, into another folder."
        elif (folder / RUN_SCENARIO / SETTINGS_FILE).is_file():
            hint = f"It is a run; its scenario is {folder / RUN_SCENARIO}."
        elif folder.name in builtin_names():
            hint = f"The built-in scenario of that name is {BUILTIN}{folder.name}."
        findings.error("no-settings", f"the folder holds no {SETTINGS_FILE}", file=file, hint=hint)
    else:
        return True
    return False


def _toml_value(text: str) -> Any:
    """Read a TOML value; a bare word is a text. None where it is neither."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        bare = text.strip()
        return bare if re.fullmatch(r"[\w.\-/;:]+", bare) and not bare[0].isdigit() else None
