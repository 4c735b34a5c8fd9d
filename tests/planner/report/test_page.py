"""The report as text: what stands in it, in which order, and that nothing of a scenario can break out of its place."""

from __future__ import annotations

import gc
import html
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import provgrid as pg
from command_line import in_this_process, json_of, one_line
from provgrid.cli import run as run_command
from provgrid.report.cards import cards
from provgrid.report.page import report_html
from provgrid.report.sections import assumption_tables, result_tables
from provgrid.report.subject import Subject, subject_of_plan, subject_of_run
from provgrid.report.verdict import verdict as verdict_of
from provgrid.report.wording import Wording
from provgrid_models.errors import OptionError
from provgrid_models.files import save_scenario
from provgrid_optimizer.runs import audit_run
from tiny import job, tiny_scenario

PARTS = ("verdict", "cards", "tables", "assumptions", "manifest")
HOSTILE_JOB = "<script>alert('a')</script>\"'&"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "toy-cheapest"
    return pg.solve(pg.scenarios.toy(), engine="cheapest", passes=20).save(folder)


@pytest.fixture(scope="module")
def subject(run: Path) -> Subject:
    return subject_of_run(run)


@pytest.fixture(scope="module")
def pages(subject: Subject) -> dict[str, str]:
    return {lang: report_html([subject], lang) for lang in ("en", "zh")}


def without_tags(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_parts_stand_in_the_order_that_planners_read(pages: dict[str, str], lang: str) -> None:
    text = pages[lang]
    at = [text.index(f'<section id="{part}"') for part in PARTS]
    assert at == sorted(at)
    assert text.count('class="card"') == 5


def test_the_verdict_says_cost_gap_unserved_carbon_and_both_savings(subject: Subject, pages: dict[str, str]) -> None:
    text = without_tags(pages["en"].split('<section id="verdict"')[1].split("</section>")[0])
    certificate = subject.certificate
    assert f"{certificate.objective_yuan:,.0f} yuan" in text
    how = "within" if certificate.gap <= 0.05 else "far from proven: the bound leaves a gap of"
    assert f"{how} {certificate.gap:.1%}" in text or f"{how} {certificate.gap:.2%}" in text
    for label in ("Cost", "Gap", "Unserved", "Carbon", "Saved against keeping work local", "best simple policy"):
        assert label in text


def test_the_tile_names_work_that_no_pool_can_serve_which_is_not_in_its_share() -> None:
    jobs = [job("a"), job("never", max_accelerators=2000.0, min_accelerators=1000.0, unserved_yuan=70.0)]
    one = subject_of_plan(pg.solve(tiny_scenario(jobs=jobs), engine="cheapest", policies=False))
    assert one.plan.unserved_share == 0.0
    english, chinese = (verdict_of(one, Wording.of(lang)).tiles[2].note for lang in ("en", "zh"))
    assert english.endswith("some pool can serve; beside them workloads that no pool can serve: 1, worth 70 yuan")
    assert "另有1项工作负载任何资源池都无法承担" in chinese
    assert "70" in chinese


@pytest.mark.parametrize(
    ("basis", "said"),
    [
        ("energy", "energy; above what no work would cost"),
        ("operating", "energy, demand charge, network; above what no work would cost"),
        ("full", "energy, demand charge, network, rent; above what no work would cost"),
    ],
)
def test_the_tile_of_the_cost_names_what_the_cost_is_made_of(basis: str, said: str) -> None:
    priced = {chip: {"price_yuan": 100_000.0} for chip in ("fast", "small")}
    scenario = tiny_scenario(settings={"prices": {"basis": basis}}, chips=priced)
    one = subject_of_plan(pg.solve(scenario, engine="cheapest", policies=False, passes=5))
    assert verdict_of(one, Wording.of("en")).tiles[0].note == said


def test_the_tile_of_a_plan_that_costs_nothing_says_so() -> None:
    nothing = subject_of_plan(pg.solve(tiny_scenario(jobs=[], services=[], demand=[]), engine="cheapest", passes=1))
    assert verdict_of(nothing, Wording.of("zh")).tiles[0].note == "不高于零负载的费用"


@pytest.mark.parametrize(("lang", "said"), [("en", "no source stated"), ("zh", "未注明来源")])
def test_numbers_without_a_source_say_so_in_the_language_of_the_report(lang: str, said: str) -> None:
    one = subject_of_plan(pg.solve(tiny_scenario(), engine="local", policies=False, passes=1))
    (table,) = [table for table in assumption_tables((one,), Wording.of(lang)) if table.key == "sources"]
    assert said in {row[-1].shown for row in table.rows}


def test_tenants_that_are_no_place_go_by_their_name_whatever_kind_they_are() -> None:
    names = {"city": {"name": "政务云"}, "firm": {"name": "企业"}}
    assert Wording.of("zh").tenants(tiny_scenario(tenants=names)) == {"city": "政务云", "firm": "企业"}
    of_a_place = [{"id": "east", "kind": "city", "name": "not the region's"}]
    assert Wording.of("zh").tenants(tiny_scenario(tenants=of_a_place, jobs=[], services=[], demand=[])) == {}


@pytest.mark.parametrize(("lang", "said"), [("en", "of what some pool can serve"), ("zh", "未满足需求为可承担工作的")])
def test_what_a_policy_leaves_is_of_what_some_pool_can_serve_in_tiles_and_cards(lang: str, said: str) -> None:
    never = job("never", max_accelerators=2000.0, min_accelerators=1000.0, unserved_yuan=70.0)
    for jobs, marked in (([job("a"), never], True), ([job("a")], False)):
        scenario = tiny_scenario(jobs=jobs, services=[], demand=[])  # the best policy is not the local one
        one, wording = subject_of_plan(pg.solve(scenario, engine="heuristic", passes=3)), Wording.of(lang)
        tiles = [tile.note for tile in verdict_of(one, wording).tiles[4:5]]
        points = [point for card in cards((one,), wording)[1].answers for point in card.points[:1]]
        assert [said in text for text in (*tiles, *points)] == [marked, marked]


def test_the_waterfall_says_what_its_unserved_shares_are_of_where_no_pool_can_serve_some_work() -> None:
    never = job("never", max_accelerators=2000.0, min_accelerators=1000.0)
    for jobs, said in (
        ([job("a"), never], "Unserved, of the work that some pool can serve: "),
        ([job("a")], "Unserved: "),
    ):
        one, other = (pg.solve(tiny_scenario(jobs=jobs), engine=name, policies=False) for name in ("overflow", "local"))
        assert f"{said}0%" in one.plot.waterfall(other).layout.meta["answer"]


def test_tables_with_unserved_shares_name_work_that_no_pool_can_serve_run_by_run() -> None:
    never = job("never", max_accelerators=2000.0, min_accelerators=1000.0, unserved_yuan=70.0)
    plans = [pg.solve(tiny_scenario(jobs=jobs), engine="cheapest", policies=False) for jobs in ([job("a")], [never])]
    without, one = (replace(subject_of_plan(plan), name=name) for plan, name in zip(plans, "ab", strict=True))
    notes = [
        {table.key: table.note for table in result_tables(subjects, Wording.of("en"))}
        for subjects in ((without,), (one,), (without, one))
    ]
    said = "Unserved shares count what some pool can serve; beside them stand workloads that no pool can serve: "
    assert "no pool can serve" not in notes[0]["policies"]
    assert notes[1]["policies"].endswith(f" beat. {said}1, worth 70 yuan.")
    assert notes[2]["policies"].endswith(f"{said}in b 1, worth 70 yuan.")
    assert notes[2]["runs"] == f"{said}in b 1, worth 70 yuan."


@pytest.mark.parametrize(("gap", "told"), [(0.03, "proven to be within 3.00%"), (0.9752, "far from proven")])
def test_a_wide_gap_is_not_told_as_if_it_were_a_merit(subject: Subject, gap: float, told: str) -> None:
    certificate = replace(subject.certificate, gap=gap, engine="heuristic")
    wide = replace(subject, plan=replace(subject.plan, certificate=certificate))
    wide.__dict__["certificate"] = certificate
    sure = cards((wide,), Wording.of("en"))[-1]
    verdict, card = verdict_of(wide, Wording.of("en")).headline, sure.answers[0].sentence
    assert told in verdict
    assert (sure.command, "exact engine" in sure.more) == (
        ("provgrid solve SCENARIO --engine milp --time-limit 600", True)
        if gap > 0.05
        else ("provgrid solve SCENARIO --uncertain", False)
    )
    assert ("within" in card) is (gap < 0.05)
    assert ("a far better plan may exist" in card) is (gap > 0.05)


def test_a_policy_saves_nothing_against_itself() -> None:
    itself = subject_of_plan(pg.solve(tiny_scenario(), engine="local", policies=False, passes=5))
    assert "local" not in itself.savings
    assert "this plan is the policy local" in without_tags(report_html([itself], "en"))


def test_a_relaxation_is_an_ideal_that_saves_nothing() -> None:
    ideal = subject_of_plan(pg.solve(tiny_scenario(), engine="lp", policies=False))
    text = without_tags(report_html([ideal], "en"))
    assert ideal.savings == {}
    assert "It is a bound and not a plan" in text
    assert "an ideal is no plan and saves nothing" in text


def test_the_same_run_makes_the_same_bytes(run: Path) -> None:
    texts = [report_html([subject_of_run(run)], "zh") for _ in range(2)]
    assert texts[0] == texts[1]


def test_nothing_in_the_page_comes_from_elsewhere(pages: dict[str, str]) -> None:
    text = pages["en"]
    assert "default-src 'none'" in text
    text = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"(?:src|href)=\"(?!#)|url\(|@import", text)


def test_names_from_files_cannot_break_out_of_their_place() -> None:
    scenario = tiny_scenario(
        settings={"title": "</title><script>alert(1)</script>"}, jobs=[job(HOSTILE_JOB), job("=HYPERLINK(1)")]
    )
    text = report_html([subject_of_plan(pg.solve(scenario, engine="cheapest", passes=5, policies=False))], "en")
    assert "<script>alert" not in text
    assert html.escape(HOSTILE_JOB).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in text
    # Exactly our own scripts are there.
    assert len(re.findall(r"<script[ >]", text)) == len(re.findall(r"</script>", text))
    for script in re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL):
        assert "use strict" in script


def test_a_plan_of_arrays_has_a_report_without_places_and_sources() -> None:
    problem = pg.Problem(
        capacity=np.full((1, 3), 10.0),
        kw_per_accelerator=np.full((1, 3), 1.0),
        pool_cluster=np.zeros(1, dtype=np.int64),
        block_cluster=np.zeros(1, dtype=np.int64),
        block_limit_kw=np.full((1, 3), np.inf),
        block_yuan_per_kwh=np.full((1, 3), 0.5),
        block_kg_per_kwh=np.zeros((1, 3)),
        demand=np.full((1, 3), 4.0),
        service_rate=np.ones((1, 1)),
        service_unserved_yuan=np.full(1, 10.0),
    )
    text = without_tags(report_html([subject_of_plan(pg.solve(problem, engine="cheapest", policies=False))], "en"))
    # 4 accelerators of 1 kW for 3 hours at 0.5 yuan: 6 yuan.
    assert "6 yuan" in text
    assert "A problem made from arrays" in text


def test_several_runs_stand_side_by_side_with_their_names_in_every_table(subject: Subject) -> None:
    other = subject_of_plan(pg.solve(pg.scenarios.toy(), engine="local", passes=20), name="toy-local")
    text = report_html([subject, other], "en")
    pools = text.split('data-table="pools"')[1].split("</article>")[0]
    assert "Run" in pools
    for name in ("toy-cheapest", "toy-local"):
        assert f'<td class="id">{name}</td>' in pools
    assert text.count('class="verdict') == 2


def test_the_largest_jobs_are_shown_and_the_rest_is_pointed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    from provgrid.report import sections

    monkeypatch.setattr(sections, "MOST_ROWS", 2)
    plan = pg.solve(pg.scenarios.toy(), engine="cheapest", policies=False, passes=5)
    text = report_html([subject_of_plan(plan)], "en")
    jobs = text.split('data-table="jobs"')[1].split("</article>")[0]
    assert f"The largest 2 of {len(plan.jobs)} rows are shown; all are in jobs.parquet in the run folder." in jobs
    assert jobs.count("<tr>") == 3  # the headings, and two jobs


def test_cells_keep_all_digits_beside_what_is_shown(subject: Subject, pages: dict[str, str]) -> None:
    text = pages["zh"]
    pools = text.split('data-table="pools"')[1].split("</article>")[0]
    cells = re.findall(r'<td class="number"(?: data-v="([^"]*)")?>([^<]*)</td>', pools)
    shown = [float(value or text.replace(",", "")) for value, text in cells if not text.endswith("%")]
    price = subject.plan.multipliers.accelerator
    mean = price @ subject.plan.problem.hours / subject.plan.problem.hours.sum()
    assert set(mean.tolist()) <= set(shown)


def test_the_command_writes_the_report_into_the_run_folder(run: Path) -> None:
    told = json_of(in_this_process("report", run, "--lang", "zh", "--json"))
    assert told["report"] == str(run / "report.zh.html")
    assert gc.isenabled()
    text = (run / "report.zh.html").read_text(encoding="utf-8")
    assert '<html lang="zh-CN">' in text
    english = json_of(in_this_process("report", run, "--json"))
    assert english["report"] == str(run / "report.html")
    assert (run / "report.zh.html").read_text(encoding="utf-8") == text
    assert told["bytes"] == len(text.encode())
    # The run is still whole: its audit passes, and it opens.
    assert pg.open(run).audit.violations == ()


def test_a_plan_writes_its_own_report(tmp_path: Path) -> None:
    plan = pg.solve(tiny_scenario(), engine="local", policies=False, passes=5)
    written = plan.report(tmp_path / "plan.html", lang="zh")
    assert written == tmp_path / "plan.html"
    assert '<html lang="zh-CN">' in written.read_text(encoding="utf-8")
    # Nothing else is left beside it.
    assert [path.name for path in tmp_path.iterdir()] == ["plan.html"]
    with pytest.raises(OptionError, match="take one of en, zh"):
        plan.report(tmp_path / "plan.html", lang="fr")


def test_solve_writes_the_report_where_it_is_asked_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_scenario(tiny_scenario(), tmp_path / "tiny")
    for name, flags in (("with", ["--report"]), ("without", [])):
        options = ["--engine", "local", "--passes", "5", "-o", str(tmp_path / name), *flags]
        assert run_command(["solve", str(tmp_path / "tiny"), *options]) in (0, 4)
        assert (tmp_path / name / "report.html").exists() == bool(flags)
    assert f"report: {tmp_path / 'with' / 'report.html'}" in capsys.readouterr().out
    page = without_tags((tmp_path / "with" / "report.html").read_text(encoding="utf-8"))
    rules = len(audit_run(tmp_path / "with").checks)
    assert f"An independent audit of {rules} rules found nothing wrong" in page


def test_wrong_languages_and_folders_are_one_line(run: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="take one of en, zh"):
        report_html([], "fr")
    assert "is no folder" in one_line(in_this_process("report", tmp_path / "nothing"), 2)
    for path in (tmp_path, tmp_path / "no" / "such" / "r.html"):
        said = one_line(in_this_process("report", run, "-o", path), 2)
        assert "cannot be written" in said
        assert said.endswith("give another file with -o")
