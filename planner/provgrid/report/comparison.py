"""Several runs side by side: what each costs, and saves, against the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from provgrid_optimizer.savings import saving_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from provgrid.report.subject import Subject
    from provgrid.report.wording import Wording
    from provgrid_optimizer.answers.compare import Comparison


def same_problem(one: Subject, other: Subject) -> bool:
    """Whether two runs solved the very same problem, so that their plans can be held against each other."""
    if one.plan.problem is other.plan.problem:
        return True
    source = one.manifest.get("source_sha256")
    return source is not None and source == other.manifest.get("source_sha256")


def saving_against(subject: Subject, first: Subject) -> float | None:
    """Share saved against another run, on the work that both serve; None where that has no meaning."""
    if not same_problem(subject, first) or subject.certificate.divisible or first.certificate.divisible:
        return None
    return saving_of(subject.plan, first.plan).share


def sentences(subjects: tuple[Subject, ...], wording: Wording) -> tuple[str, ...]:
    """Say of each run but the first what it costs against the first."""
    say, numbers, first = wording.say, wording.numbers, subjects[0]
    said = []
    for subject in subjects[1:]:
        names = {"run": subject.name, "first": first.name}
        more = subject.certificate.objective_yuan - first.certificate.objective_yuan
        direction = "more" if more > 0 else "less"
        said.append(say(f"comparison.{direction}", yuan=numbers.yuan(abs(more)), **names))
        share = saving_against(subject, first)
        if share is not None:
            said.append(
                say("comparison.saves" if share >= 0 else "comparison.loses", share=numbers.percent(abs(share)))
            )
        elif not same_problem(subject, first):
            said.append(say("comparison.other_inputs"))
        else:
            said.append(say("comparison.ideal"))
    return tuple(said)


def runs(subjects: tuple[Subject, ...]) -> pd.DataFrame:
    """List the runs: engine, cost, saving against the first, gap, unserved work and carbon."""
    rows: list[dict[str, Any]] = [
        {
            "run": subject.name,
            "way": subject.plan.engine,
            "cost_yuan": subject.certificate.objective_yuan,
            "first_saving": None if subject is subjects[0] else saving_against(subject, subjects[0]),
            "gap": subject.certificate.gap,
            "unserved_share": subject.plan.unserved_share,
            "carbon_t": subject.plan.component_costs.carbon_kg / 1000.0,
        }
        for subject in subjects
    ]
    return pd.DataFrame(rows).astype({"first_saving": float})


def input_changes(subjects: tuple[Subject, ...]) -> pd.DataFrame:
    """List what each run but the first was asked otherwise: setting, row or option, before and after."""
    return _of_each(subjects, lambda comparison: comparison.inputs)


def flow_changes(subjects: tuple[Subject, ...]) -> pd.DataFrame:
    """List the flows of each run but the first that differ from the first's, the largest change first."""
    columns = [
        "work",
        "tenant",
        "region",
        "cluster",
        *(f"accelerator_h_{name}" for name in ("before", "after", "change")),
    ]
    return _of_each(subjects, lambda comparison: comparison.flows[columns])


def _of_each(subjects: tuple[Subject, ...], table: Callable[[Comparison], pd.DataFrame]) -> pd.DataFrame:
    """Put the tables of all comparisons with the first run below each other, each with its run's name."""
    frames = []
    for subject in subjects[1:]:
        frame = table(subjects[0].plan.compare(subject.plan)).copy()
        frame.insert(0, "run", subject.name)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)
