"""Timeline: when the largest jobs run within their windows, and which wait for a base model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid.report.figures import theme as look
from provgrid.report.figures.canvas import LEGEND_BELOW, drawing
from provgrid.report.figures.names import Names, cut_middle, ids
from provgrid.report.figures.when import When, when

if TYPE_CHECKING:
    from provgrid.report.figures.canvas import Drawing, Trace
    from provgrid_models.problem import Ints, Problem
    from provgrid_optimizer.plan import Plan

MOST_JOBS, MOST_CHAINS, MOST_CLUSTERS = 24, 4, 7
ROW_PX = 22
THINNEST = 0.12  # lane of a small share, of a row
LANES = 0.74  # of a row that its lanes fill
WINDOW = 0.08  # of a row that the line of its window fills


def timeline_jobs(plan: Plan, most: int = MOST_JOBS) -> pd.DataFrame:
    """Return a row for each job shown: the largest chains of base and vertical models, then the largest other jobs.

    Columns: job, release_period, deadline_period (first one too late), rigid, base (job that it waits for, or ""),
    served_share, work_pflop_h.
    """
    problem = plan.problem
    chosen, names = _chosen(problem, most), ids(problem.labels.jobs, problem.n_jobs)
    served = plan.jobs[plan.jobs["served"]].astype({"job": str}).groupby("job")["share"].sum()
    return pd.DataFrame(
        {
            "job": [names[j] for j in chosen],
            "release_period": problem.release[chosen],
            "deadline_period": problem.deadline[chosen],
            "rigid": problem.rigid[chosen],
            "base": pd.Series(
                [names[base] if base >= 0 else "" for base in problem.after[chosen].tolist()], dtype=object
            ),
            "served_share": [float(served.get(names[j], 0.0)) for j in chosen],
            "work_pflop_h": (problem.work_pflop_h * problem.job_weight)[chosen],
        }
    )


def timeline_runs(plan: Plan, jobs: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each stretch of time in which one of these jobs runs in a pool without a pause.

    Columns: job, pool, cluster, share (of the job that lives in this pool), first_period, end_period (the first one
    in which it rests), accelerators (mean).
    """
    problem = plan.problem
    pools, clusters = ids(problem.labels.pools, problem.n_pools), ids(problem.labels.clusters, problem.n_clusters)
    cluster = {pool: clusters[c] for pool, c in zip(pools, problem.pool_cluster.tolist(), strict=True)}
    training = plan.training[plan.training["job"].astype(str).isin(set(jobs["job"]))]
    table = training.astype({"job": str, "pool": str}).sort_values(["job", "pool", "period"], kind="stable")
    new = (
        (table["job"] != table["job"].shift())
        | (table["pool"] != table["pool"].shift())
        | (table["period"] != table["period"].shift() + 1)
    )
    runs = table.groupby(new.cumsum().to_numpy()).agg(
        job=("job", "first"),
        pool=("pool", "first"),
        first_period=("period", "min"),
        end_period=("period", "max"),
        accelerators=("accelerators", "mean"),
    )
    runs["end_period"] += 1
    runs["cluster"] = runs["pool"].map(cluster)
    placed = plan.jobs[plan.jobs["served"]].astype({"job": str, "pool": str}).set_index(["job", "pool"])["share"]
    runs["share"] = [float(placed[job, pool]) for job, pool in zip(runs["job"], runs["pool"], strict=True)]
    columns = ["job", "pool", "cluster", "share", "first_period", "end_period", "accelerators"]
    return runs[columns].reset_index(drop=True)


def _chosen(problem: Problem, most: int) -> Ints:
    """Jobs to show: chains of the largest bases, each base before its verticals, then the largest of the others."""
    size = problem.work_pflop_h * problem.job_weight
    order = np.argsort(-size, kind="stable")
    bases = np.unique(problem.after[problem.after >= 0])
    roots = [base for base in bases[np.argsort(-size[bases], kind="stable")].tolist() if problem.after[base] < 0]
    found: list[int] = []
    for root in roots[:MOST_CHAINS]:
        chain = _chain(problem, int(root), order)
        if len(found) + len(chain) <= most:
            found += chain
    found += [j for j in order.tolist() if j not in set(found)][: most - len(found)]
    return np.array(found, dtype=np.int64)


def _chain(problem: Problem, base: int, order: Ints) -> list[int]:
    """Return a base and all that waits for it, the largest first."""
    found = [base]
    for job in order[problem.after[order] == base].tolist():
        found += _chain(problem, job, order)
    return found


def timeline(plan: Plan, lang: str = "en", theme: str = "light") -> Drawing:
    """Draw the timeline."""
    names, problem = Names(plan, lang), plan.problem
    say, time = names.say, when(problem, names.say)
    jobs = timeline_jobs(plan)
    runs = timeline_runs(plan, jobs)
    row = {job: k for k, job in enumerate(jobs["job"])}
    traces = [*_windows(jobs, time, names), *_bars(runs, row, time, names), *_left(jobs, time, names)]
    height = 210 + ROW_PX * max(len(jobs), 4)
    return drawing(
        traces,
        title=say("timeline.title" if not plan.certificate.divisible else "timeline.title_ideal"),
        answer=_answer(plan, jobs, names),
        theme=theme,
        layout={
            "height": height,
            "barmode": "overlay",
            "xaxis": {**time.axis, "showgrid": True},
            "yaxis": {
                "tickmode": "array",
                "tickvals": list(row.values()),
                "ticktext": [f"↳ {job}" if base else job for job, base in zip(jobs["job"], jobs["base"], strict=True)],
                "range": [len(row) - 0.4, -0.6],
                "zeroline": False,
            },
            "legend": LEGEND_BELOW,
            "margin": {"b": 104},
            "annotations": _arrows(jobs, runs, row, time),
        },
        narrow={
            "height": height + 90,
            "margin.b": 172,
            "yaxis.tickfont.size": 8.5,
            "yaxis.ticktext": [cut_middle(job, 18) for job in jobs["job"]],
            "legend.font.size": 10,
        },
    )


def _windows(jobs: pd.DataFrame, time: When, names: Names) -> list[Trace]:
    """Thin bar from release to deadline of each job, below those of its runs, with a mark at either end."""
    first, last = (jobs[name].to_numpy(float) for name in ("release_period", "deadline_period"))
    rows = np.arange(len(jobs), dtype=np.float32)
    bar = {"type": "bar", "orientation": "h", "base": time.x(first), "x": time.step * (last - first), "y": rows}
    ends = {"type": "scatter", "mode": "markers", "x": time.x(np.r_[first, last]), "y": np.r_[rows, rows]}
    sign = {"symbol": "line-ns-open", "size": 10, "color": look.GREY, "line": {"width": 1.8}}
    shared = {"name": names.say("timeline.window"), "legendgroup": "window", "hoverinfo": "skip"}
    return [
        {**bar, **shared, "width": WINDOW, "marker": {"color": look.GREY, "line": {"width": 0}}},
        {**ends, **shared, "marker": sign, "showlegend": False},
    ]


def _bars(runs: pd.DataFrame, row: dict[str, int], time: When, names: Names) -> list[Trace]:
    """Bars of what runs, one trace for each cluster; a job that is split has a lane for each pool."""
    lanes = _lanes(runs)
    hours = (runs["accelerators"] * (runs["end_period"] - runs["first_period"])).groupby(runs["cluster"]).sum()
    order = list(hours.sort_values(ascending=False, kind="stable").index)
    shown = order if len(order) <= MOST_CLUSTERS + 1 else order[:MOST_CLUSTERS]
    groups = [(names.clusters[one], runs["cluster"] == one) for one in shown]
    if len(shown) < len(order):
        groups.append((names.say("timeline.others"), ~runs["cluster"].isin(shown)))
    traces: list[Trace] = []
    for k, (name, which) in enumerate(groups):
        mine = runs[which]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": name,
                "base": time.x(mine["first_period"]),
                "x": time.step * (mine["end_period"] - mine["first_period"]).to_numpy(float),
                "y": np.array([row[job] for job in mine["job"]], dtype=np.float32),
                "offset": np.array([lanes[key][0] for key in zip(mine["job"], mine["pool"], strict=True)]),
                "width": np.array([lanes[key][1] for key in zip(mine["job"], mine["pool"], strict=True)]),
                "marker": {
                    "color": look.PALETTE[k],
                    "line": {"width": 0.5, "color": look.PALETTE[k]},
                    "pattern": look.hatch(look.HATCHES[k], look.PALETTE[k]),
                },
                "hovertext": [_told(one, names) for one in mine.itertuples()],
                "hoverinfo": "text",
            }
        )
    return traces


def _lanes(runs: pd.DataFrame) -> dict[tuple[str, str], tuple[float, float]]:
    """Offset and width in its row of each job and pool: in proportion to the shares, one below the other."""
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for job, mine in runs.drop_duplicates(["job", "pool"]).groupby("job"):
        shares = np.maximum(mine["share"].to_numpy(float), THINNEST)
        widths = LANES * shares / max(float(shares.sum()), 1.0)
        offsets = -widths.sum() / 2 + np.r_[0.0, np.cumsum(widths)[:-1]]
        for pool, offset, width in zip(mine["pool"], offsets.tolist(), widths.tolist(), strict=True):
            found[str(job), pool] = (offset, width)
    return found


def _told(run: Any, names: Names) -> str:
    key = "timeline.hover" if run.share > 1 - 1e-6 else "timeline.hover_part"
    return names.say(
        key,
        job=run.job,
        cluster=names.clusters[run.cluster],
        pool=run.pool,
        accelerators=names.numbers.number(run.accelerators),
        periods=run.end_period - run.first_period,
        share=names.numbers.percent(run.share),
    )


def _left(jobs: pd.DataFrame, time: When, names: Names) -> list[Trace]:
    """Crosses in the windows of jobs that are left, in whole or in part."""
    rows = np.flatnonzero(jobs["served_share"].to_numpy() < 1 - 1e-6)
    if not rows.size:
        return []
    middle = (jobs["release_period"] + jobs["deadline_period"]).to_numpy(float)[rows] / 2
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": time.x(middle),
            "y": rows.astype(np.float32),
            "name": names.say("timeline.left"),
            "marker": {"symbol": "x", "size": 10, "color": look.VERMILLION, "line": {"width": 1, "color": "#ffffff"}},
            "hovertext": [
                names.say("timeline.hover_left", job=job, share=names.numbers.percent(1 - share))
                for job, share in zip(jobs["job"].iloc[rows], jobs["served_share"].iloc[rows], strict=True)
            ],
            "hoverinfo": "text",
        }
    ]


def _arrows(jobs: pd.DataFrame, runs: pd.DataFrame, row: dict[str, int], time: When) -> list[dict[str, Any]]:
    """Arrows from the end of each base to the start of each vertical that is shown."""
    start, end = runs.groupby("job")["first_period"].min(), runs.groupby("job")["end_period"].max()
    found = []
    for job, base in zip(jobs["job"], jobs["base"], strict=True):
        if base not in end.index or job not in start.index:
            continue
        # In an ideal a part of a vertical may start after a part of its base: the arrow then falls straight.
        tip, tail = float(time.x(start[job])), float(time.x(min(end[base], start[job])))
        found.append(
            {"x": tip, "y": row[job] - 0.1, "ax": tail, "ay": row[base] + 0.3, "text": "", "showarrow": True}
            | {
                "xref": "x",
                "yref": "y",
                "axref": "x",
                "ayref": "y",
                "arrowhead": 2,
                "arrowwidth": 1.3,
                "arrowsize": 0.9,
            }
        )
    return found


def _answer(plan: Plan, jobs: pd.DataFrame, names: Names) -> str:
    total = float((plan.problem.work_pflop_h * plan.problem.job_weight).sum())
    left = int((jobs["served_share"] < 1 - 1e-6).sum())
    text = names.say(
        "timeline.answer",
        shown=len(jobs),
        jobs=names.numbers.number(plan.problem.n_jobs),
        part=names.numbers.percent(float(jobs["work_pflop_h"].sum()) / total if total else 0.0),
        waiting=int((jobs["base"] != "").sum()),
    )
    return text + (names.say("timeline.answer_left", left=left) if left else "")
