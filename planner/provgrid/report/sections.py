"""The tables of a report, in their order, each with what it leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provgrid.report import assumptions, comparison, rows
from provgrid.report.tables import Table, largest, runs_together, table
from provgrid.report.unserved import unserved

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from provgrid.report.subject import Subject
    from provgrid.report.wording import Wording

MOST_ROWS = 300  # of each run, in one table
TERMS = {
    "way": "engines",
    "component": "components",
    "counts": "counts",
    "kind": "changes",
    "tier": "tiers",
    "province": "provinces",
    "from_province": "provinces",
    "to_province": "provinces",
    "work": "work",
    "energy": "energies",
    "family": "families",
    "slo_metric": "metrics",
    "slo_class": "classes",
    "quality": "qualities",
    "unit": "unit_names",
}


def result_tables(subjects: tuple[Subject, ...], wording: Wording) -> tuple[Table, ...]:
    """Make every table of results that has a row."""
    makers: dict[str, tuple[Callable[[Subject], pd.DataFrame], str, str]] = {
        "policies": (rows.policies, "", ""),
        "costs": (rows.costs, "", ""),
        "clusters": (rows.clusters, "accelerator_h", "energy.parquet"),
        "pools": (rows.pools, "accelerator_h", "prices.parquet"),
        "ledger": (rows.ledger, "accelerator_h", "jobs.parquet"),
        "jobs": (rows.jobs, "accelerator_h", "jobs.parquet"),
        "services": (rows.services, "asked_mtokens", "inference.parquet"),
        "unserved": (lambda subject: unserved(subject, wording), "cost_yuan", "jobs.parquet"),
        "links": (rows.links, "carried_gb", "traffic.parquet"),
        "contracts": (rows.contracts, "offered_mwh", "energy.parquet"),
    }
    made = [_made(key, subjects, wording, *how) for key, how in makers.items()]
    if len(subjects) > 1:
        made = [*_comparison_tables(subjects, wording), *made]
    return tuple(one for one in made if one.rows)


def _comparison_tables(subjects: tuple[Subject, ...], wording: Wording) -> list[Table]:
    """Make the tables that hold runs against the first one: costs and savings, inputs, flows."""
    names: dict[str, str] = {}
    for subject in subjects:
        names |= wording.places(subject.plan.scenario) | wording.tenants(subject.plan.scenario)
    frames = {
        "runs": comparison.runs(subjects),
        "inputs": comparison.input_changes(subjects).assign(row=lambda frame: frame["row"].map(wording.rows)),
        "flows": comparison.flow_changes(subjects),
    }
    made = []
    for key, frame in frames.items():
        shown = frame.head(MOST_ROWS)
        figures = {name: wording.numbers.number(len(rows)) for name, rows in (("shown", shown), ("total", frame))}
        note = wording.say("tables.cut_here", **figures) if len(shown) < len(frame) else ""
        if key == "runs":
            note = f"{note} {_never_served(subjects, wording)}".strip()
        made.append(table(key, shown, wording, names=names, terms=TERMS | {"work": "flow_work"}, note=note))
    return made


def assumption_tables(subjects: tuple[Subject, ...], wording: Wording) -> tuple[Table, ...]:
    """Make the tables of what the plans rest on."""
    makers: dict[str, Callable[[Subject], pd.DataFrame]] = {
        "quality": assumptions.quality_shares,
        "assumptions": lambda subject: assumptions.named_assumptions(subject, wording),
        "sources": lambda subject: assumptions.sources(subject, wording),
    }
    made = [_made(key, subjects, wording, maker, "", "") for key, maker in makers.items()]
    return tuple(one for one in made if one.rows)


def _made(
    key: str,
    subjects: tuple[Subject, ...],
    wording: Wording,
    maker: Callable[[Subject], pd.DataFrame],
    by: str,
    file: str,
) -> Table:
    """Make one table of all runs, the largest rows of each, and say what is not in it."""
    frames, total = [], 0
    names: dict[str, str] = {}
    for subject in subjects:
        frame = maker(subject)
        total += len(frame)
        if by:
            # Whatever is left comes first: it must not be what the cut takes away.
            frame = largest(frame, by, MOST_ROWS, frame["pool"].isna() if key == "jobs" else None)
        frames.append((subject.name, frame))
        names |= wording.places(subject.plan.scenario) | wording.tenants(subject.plan.scenario)
    shown = sum(len(frame) for _, frame in frames)
    note = wording.say(f"notes.{key}") if f"notes.{key}" in wording.say.entries else ""
    if key == "policies":
        note = f"{note} {_never_served(subjects, wording)}".rstrip()
    if shown < total:
        cut = wording.say(
            "tables.cut", shown=wording.numbers.number(shown), total=wording.numbers.number(total), file=file
        )
        note = f"{cut} {note}".rstrip()
    return table(key, runs_together(frames), wording, names=names, terms=TERMS, note=note)


def _never_served(subjects: tuple[Subject, ...], wording: Wording) -> str:
    """Say that unserved shares do not count work that no pool can serve, how much there is of it; "" without any."""
    say, numbers, told = wording.say, wording.numbers, []
    for subject in subjects:
        problem = subject.plan.problem
        if problem.never_served:
            count, yuan = numbers.number(len(problem.never_served)), numbers.yuan(problem.never_served_yuan)
            of = say("notes.of_run", run=subject.name) if len(subjects) > 1 else ""
            told.append(of + say("notes.never_served_worth", count=count, yuan=yuan))
    return say("notes.never_served", what=say.joined(told)) if told else ""
