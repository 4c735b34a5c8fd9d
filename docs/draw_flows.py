"""Draw where the work of a run flows: regions to clusters at their longitude and latitude, no borders.

    python docs/draw_flows.py RUN docs/flows.svg

The width of a line is its accelerator-hours; the left panel shows everything, the right one the crowded part.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import provgrid as pg

if TYPE_CHECKING:
    from provgrid import Plan, Scenario

HEIGHT, WIDE, NARROW, MARGIN, TOP = 380, 470, 400, 34, 44
NAME_WIDTH, NAME_HEIGHT = 60, 12
Flow = tuple[str, str, float]  # region, cluster, accelerator-hours
Place = tuple[float, float]  # longitude, latitude


@dataclass(frozen=True)
class Panel:
    """A window of longitudes and latitudes on a rectangle of the picture."""

    left: float
    width: float
    west: float
    east: float
    south: float
    north: float

    def holds(self, place: Place) -> bool:
        """Whether a place lies in the window."""
        return self.west <= place[0] <= self.east and self.south <= place[1] <= self.north

    def at(self, place: Place) -> Place:
        """Position of a place in the picture."""
        x = self.left + MARGIN + (place[0] - self.west) / (self.east - self.west) * (self.width - 2 * MARGIN)
        y = HEIGHT - MARGIN - (place[1] - self.south) / (self.north - self.south) * (HEIGHT - TOP - 2 * MARGIN)
        return x, y


def flows(plan: Plan, scenario: Scenario) -> list[Flow]:
    """Accelerator-hours from each region to each cluster."""
    cluster = {pool.id: pool.cluster for pool in scenario.pools}
    region = {
        **dict(zip(scenario.jobs["id"], scenario.jobs["region"], strict=True)),
        **dict(zip(scenario.services["id"], scenario.services["region"], strict=True)),
    }
    total: dict[tuple[str, str], float] = defaultdict(float)
    jobs = plan.jobs[plan.jobs["served"]]
    for name, pool, hours in zip(jobs["job"], jobs["pool"], jobs["accelerator_h"], strict=True):
        total[region[name], cluster[pool]] += hours
    hours_of = plan.problem.hours[plan.inference["period"]] * plan.inference["accelerators"]
    for name, pool, hours in zip(plan.inference["service"], plan.inference["pool"], hours_of, strict=True):
        total[region[name], cluster[pool]] += hours
    return sorted(((r, c, hours) for (r, c), hours in total.items()), key=lambda flow: -flow[2])


def window(left: float, width: float, places: list[Place]) -> Panel:
    """Panel that holds all these places with a little air."""
    longitude, latitude = np.array(places).T
    air_x, air_y = 0.05 * np.ptp(longitude) + 0.2, 0.05 * np.ptp(latitude) + 0.2
    return Panel(
        left, width, longitude.min() - air_x, longitude.max() + air_x, latitude.min() - air_y, latitude.max() + air_y
    )


def picture(plan: Plan, scenario: Scenario) -> str:
    """Draw the whole as SVG text."""
    regions = {r.id: (r.longitude_deg, r.latitude_deg) for r in scenario.regions}
    clusters = {c.id: (c.longitude_deg, c.latitude_deg) for c in scenario.clusters}
    close = window(WIDE, NARROW, list(regions.values()))
    panels = [window(0, WIDE, [*regions.values(), *clusters.values()]), close]
    found = flows(plan, scenario)
    most = max(hours for _, _, hours in found)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE + NARROW} {HEIGHT}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="14" y="22" font-size="14" fill="#1b2a3a">{escape(_title(plan, scenario))}</text>',
        '<text x="14" y="38" fill="#5b6b7a">regions (dots) to clusters (squares); width = accelerator-hours; '
        "right: the regions, larger</text>",
    ]
    for panel in panels:
        parts += _lines(panel, found, regions, clusters, most)
        parts += _marks(panel, regions, clusters)
    return "\n".join([*parts, "</svg>", ""])


def _title(plan: Plan, scenario: Scenario) -> str:
    return f"{scenario.settings.title or scenario.name}: the {plan.engine}'s plan"


def _lines(
    panel: Panel, found: list[Flow], regions: dict[str, Place], clusters: dict[str, Place], most: float
) -> list[str]:
    """Draw the flows that start and end in a panel, bent a little so that two ways can be told apart."""
    parts = []
    for region, cluster, hours in found:
        start, end = regions[region], clusters[cluster]
        if not (panel.holds(start) and panel.holds(end)) or start == end:
            continue
        (x0, y0), (x1, y1) = panel.at(start), panel.at(end)
        bend_x, bend_y = (x0 + x1) / 2 - (y1 - y0) * 0.12, (y0 + y1) / 2 + (x1 - x0) * 0.12
        parts.append(
            f'<path d="M{x0:.1f} {y0:.1f} Q{bend_x:.1f} {bend_y:.1f} {x1:.1f} {y1:.1f}" fill="none" stroke="#2b7a9e" '
            f'stroke-opacity="0.45" stroke-width="{0.4 + 7 * (hours / most) ** 0.5:.2f}">'
            f"<title>{escape(region)} to {escape(cluster)}: {hours:,.0f} accelerator-hours</title></path>"
        )
    return parts


def _marks(panel: Panel, regions: dict[str, Place], clusters: dict[str, Place]) -> list[str]:
    """Draw dots for regions and squares for clusters, named where there is room."""
    parts = []
    for name, place in regions.items():
        if panel.holds(place):
            x, y = panel.at(place)
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="#1b2a3a"/>')
            if _has_room(panel, place, [*regions.values(), *clusters.values()]):
                parts.append(
                    f'<text x="{x + 5:.1f}" y="{y + 11:.1f}" font-size="9" fill="#5b6b7a">{escape(name)}</text>'
                )
    at_place: dict[Place, list[str]] = defaultdict(list)
    for name, place in clusters.items():
        if panel.holds(place):
            at_place[place].append(name)
    for place, names in at_place.items():
        x, y = panel.at(place)
        parts.append(f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="#d1603d"/>')
        if _has_room(panel, place, list(clusters.values())):
            parts.append(f'<text x="{x + 7:.1f}" y="{y - 6:.1f}" fill="#8a3a22">{escape(", ".join(names))}</text>')
    return parts


def _has_room(panel: Panel, place: Place, others: list[Place]) -> bool:
    """Whether a name beside a place would cover no other place's."""
    x, y = panel.at(place)
    for other in others:
        x_other, y_other = panel.at(other)
        if other != place and abs(x - x_other) < NAME_WIDTH and abs(y - y_other) < NAME_HEIGHT:
            return False
    return True


if __name__ == "__main__":
    run, target = sys.argv[1:3]
    opened = pg.open(run)
    if opened.scenario is None:
        sys.exit("the run has no scenario, so its places are not known")
    Path(target).write_text(picture(opened, opened.scenario), encoding="utf-8")
