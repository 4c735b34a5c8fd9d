"""The page: everything of a report put into one HTML file that needs no network, in English or Chinese."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from provgrid.report.assumptions import notes
from provgrid.report.cards import cards
from provgrid.report.comparison import sentences
from provgrid.report.figures.theme import ADAPT_JS
from provgrid.report.manifest import manifest_rows
from provgrid.report.pictures import pictures, templates
from provgrid.report.sections import assumption_tables, result_tables
from provgrid.report.subject import subject_of_plan
from provgrid.report.verdict import verdict
from provgrid.report.wording import Wording
from provgrid_models.arguments import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from provgrid.report.subject import Subject
    from provgrid_optimizer.plan import Plan


def report_html(subjects: Sequence[Subject], lang: str) -> str:
    """Return the report on one run, or on several side by side, as the text of an HTML file.

    Raises
    ------
    OptionError : there are no texts in that language.
    """
    wording, all_subjects = Wording.of(lang), tuple(subjects)
    environment = Environment(
        loader=PackageLoader("provgrid.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    drawn = pictures(all_subjects, wording)
    scripts = [_script(_template("page.js")), _script(_template("tables.js"))]
    if drawn:
        scripts += [_script(get_plotlyjs()), _script(f"{ADAPT_JS}\n{_template('pictures.js')}")]
    return environment.get_template("report.html.j2").render(
        wording=wording,
        say=wording.say,
        title=_title(all_subjects, wording),
        subjects=all_subjects,
        comparison=sentences(all_subjects, wording),
        verdicts=[verdict(subject, wording) for subject in all_subjects],
        cards=cards(all_subjects, wording),
        tables=result_tables(all_subjects, wording),
        assumption_tables=assumption_tables(all_subjects, wording),
        subtitles=[_subtitle(subject, wording) for subject in all_subjects],
        pictures=drawn,
        templates_json=templates(),
        notes=[(subject.name, lines) for subject in all_subjects if (lines := notes(subject, wording))],
        manifests=[(subject.name, manifest_rows(subject)) for subject in all_subjects],
        style=Markup(_template("style.css")),
        scripts=[Markup(script) for script in scripts],
        script_hashes=" ".join(_hash(script) for script in scripts),
    )


def _title(subjects: tuple[Subject, ...], wording: Wording) -> str:
    titles = list(dict.fromkeys(wording.title(subject.plan.scenario) for subject in subjects))
    return wording.say("page.comparison", count=len(subjects)) if len(titles) > 1 else titles[0]


def _subtitle(subject: Subject, wording: Wording) -> dict[str, str]:
    """Say how large the problem of a run is, and what counts as its cost."""
    plan, say = subject.plan, wording.say
    number, problem = wording.numbers.number, plan.problem
    basis = "page.arrays_basis" if plan.scenario is None else f"bases.{plan.scenario.settings.prices.basis}"
    text = say(
        "page.subtitle_one",
        jobs=number(problem.n_jobs),
        services=number(problem.n_services),
        pools=number(problem.n_pools),
        hours=number(float(problem.hours.sum())),
        basis=say(basis),
    )
    return {"run": subject.name, "text": text}


def _template(name: str) -> str:
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _script(text: str) -> str:
    """Text of a script as it stands between its tags."""
    return f"\n{text}\n"


def _hash(script: str) -> str:
    """Name a script for the page's content security policy: nothing else runs, whatever an id may hold."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def write_report(subjects: Sequence[Subject], path: Path, lang: str) -> Path:
    """Write the report to a file, whole or not at all, in place of one that is there."""
    text = report_html(subjects, lang)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def reporting(plan: Plan) -> Callable[[str | Path, str], Path]:
    """Return what `plan.report` calls."""

    def report(path: str | Path, lang: str) -> Path:
        with writing(path) as file:
            if file.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            return write_report([subject_of_plan(plan)], file, lang)

    return report
