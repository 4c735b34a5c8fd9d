"""Where the numbers of imported work come from, and what a scenario no longer rests on once its own work is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from provgrid_models.provenance import is_of_draw
from provgrid_models.sources import WORK
from provgrid_seeds import loader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provgrid_models.importers.core import Imported
    from provgrid_models.importers.options import PlaceOptions
    from provgrid_models.scenario import Scenario, Settings

ASSUMED = "assumptions/"
OF_WORK = (*WORK, "generate")  # first parts of the paths of work, given or drawn


def settings_with(
    imported: Imported,
    before: Scenario,
    after: Scenario,
    words: Sequence[str],
    options: PlaceOptions,
    scale: float,
    name: str,
) -> Settings:
    """Return the settings of `after`, in which imported work stands beside, or in place of, the work of `before`.

    Sources name the trace, and what was assumed on the way, for each column of the imported tables. Where the
    scenario's own work is gone, so are its sources, its ranges, the record of its draw, and every named assumption
    that no number rests on any more.
    """
    own = before.settings
    traced = _traced_columns(imported, fitted=isinstance(options.scale, str), scale=scale)
    if options.keep:
        sources = own.sources | _joined(own.sources, traced, before)
        lines: tuple[str, ...] = own.assumptions
        ranges = own.uncertain
    else:
        sources = _others(own.sources) | traced
        lines = tuple(line for line in own.assumptions if not is_of_draw(line))
        ranges = _others(own.uncertain)
    settings = own.model_copy(
        update={"name": name, "generate": {}, "assumptions": lines, "sources": sources, "uncertain": ranges}
    )
    gone = set() if options.keep else _named(before) - _named(replace(after, settings=settings))
    kept = tuple(line for line in lines if line.partition(":")[0] not in gone)
    return settings.model_copy(update={"assumptions": (*kept, *words)})


def _traced_columns(imported: Imported, *, fitted: bool, scale: float) -> dict[str, str]:
    """Name the sources of columns of imported work: the trace, and assumptions that its figures were turned with."""
    trace = f"traces/{imported.kind}"
    scaled = f";{ASSUMED}import_target_share" if fitted and scale != 1.0 else ""
    columns: dict[str, str] = {}
    if len(imported.jobs):
        columns |= {
            "jobs.release_h": trace,
            "jobs.work_pflop_h": f"{trace};{ASSUMED}import_pflop_h{scaled}",
            "jobs.deadline_h": f"{trace};{ASSUMED}import_deadline_slack",
            "jobs.max_accelerators": f"{trace}{scaled}",
            "jobs.min_accelerators": f"{trace}{scaled}",
        }
    if len(imported.services):
        columns |= {
            "services.slo_ms": f"{ASSUMED}import_slo_ms",
            "services.max_utilisation": f"{ASSUMED}max_utilisation",
            "services.kb_in_per_ktoken": f"{trace};{ASSUMED}import_kb_per_ktoken",
            "services.kb_out_per_ktoken": f"{trace};{ASSUMED}import_kb_per_ktoken",
            "demand.tokens_per_s": f"{trace}{scaled}",
        }
    return columns


def _joined(given: Mapping[str, str], traced: Mapping[str, str], before: Scenario) -> dict[str, str]:
    """Name the sources of columns that hold both, the scenario's own work and imported work: those of the two.

    Where the own work's sources are none that a table has, or it was drawn, its column stays as it is: it is no surer
    for what stands beside it.
    """
    joined = {}
    for path, source in traced.items():
        table = path.partition(".")[0]
        own = given.get(path) or given.get(table)
        if own is None and not len(getattr(before, table)):
            joined[path] = source
        elif own is not None and _resolves(own):
            joined[path] = ";".join(dict.fromkeys((*own.split(";"), *source.split(";"))))
    return joined


def _resolves(source: str) -> bool:
    try:
        loader.resolve(source)
    except KeyError:
        return False
    return True


def _others(by_path: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the paths of work."""
    return {path: value for path, value in by_path.items() if path.partition(".")[0] not in OF_WORK}


def _named(scenario: Scenario) -> set[str]:
    """Ids of the named assumptions that some number of a scenario rests on."""
    names = (name for one in scenario.provenance for name in one.sources if name.startswith(ASSUMED))
    return {name.removeprefix(ASSUMED).partition(".")[0] for name in names}
