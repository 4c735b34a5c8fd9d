"""One panel of the flow map: arrows, marks with their names, and the keys for widths and sizes below."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from provgrid.report.figures import arrows
from provgrid.report.figures import theme as look
from provgrid.report.figures.labels import Mark, sides
from provgrid.report.figures.window import KEY

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from provgrid.report.figures.canvas import Trace
    from provgrid.report.figures.names import Names
    from provgrid.report.figures.window import Window
    from provgrid_models.problem import Floats

WIDTH_PX, HEIGHT_PX = 1080.0, 600.0  # of the picture's inside, for which names and widths are laid out
WIDEST_PX, THINNEST_PX = 15.0, 1.3  # arrows
LARGEST_PX, SMALLEST_PX, REGION_PX = 30.0, 6.0, 5.0  # marks of clusters and regions
CLUSTER_FONT_PX, REGION_FONT_PX = 11.5, 10.0
SMALLER, NARROW_PART = 0.5, 0.3  # on a narrow screen: marks, and the whole map
ARROW_OPACITY = 0.62
SHORTEST_PX = 14.0  # arrow that is worth drawing
LOADS = (0.25, 0.5, 0.8)  # where the classes of link load begin
COLOURS = (look.SKY, look.BLUE, look.ORANGE, look.VERMILLION, look.GREY)
SIGNS = (None, None, "triangle-up", "diamond", None)  # busy links carry a sign too; the last class has no limit


class Panel:
    """A window of the map on a part of the picture. `inner` is the window that another panel shows larger."""

    def __init__(self, number: int, shown: list[Window], places: pd.DataFrame, names: Names) -> None:
        self.number, self.panels, self.window = number, len(shown), shown[number]
        self.inner = shown[1] if number == 0 and len(shown) > 1 else None
        self.keyed = number == 0  # widths and sizes stand for the same in every panel
        self.names, self.say, self.numbers = names, names.say, names.numbers
        self.domain = ((0.0, 1.0),) if self.panels == 1 else ((0.0, 0.57), (0.64, 1.0))
        at = places[["longitude_deg", "latitude_deg"]].to_numpy(float)
        self.places = places[self.window.holds(at)]
        clusters = places[places["kind"] == "cluster"]
        most = float(clusters["accelerators"].max()) if len(clusters) else 0.0
        self.half_px = {c.id: size_px(c.accelerators, most) / 2 for c in _rows(clusters)}
        self.at = dict(zip(zip(places["kind"], places["id"], strict=True), at, strict=True))

    # Geometry --------------------------------------------------------------------------------------------------

    @property
    def ground(self) -> float:
        """Southern end of the panel, keys included."""
        return self.window.south - (KEY * (self.window.north - self.window.south) if self.keyed else 0.0)

    @cached_property
    def keys_px(self) -> float:
        """Height of the keys, above which the map begins."""
        return (self.window.south - self.ground) * self.window.stretch * self.px_per_degree

    @cached_property
    def px_per_degree(self) -> float:
        """Pixels of a degree of longitude in a picture of the size that it is laid out for."""
        left, right = self.domain[self.number]
        wide = (right - left) * WIDTH_PX / (self.window.east - self.window.west)
        return min(wide, HEIGHT_PX / ((self.window.north - self.ground) * self.window.stretch))

    def to_px(self, place: Floats) -> Floats:
        """Pixels from the panel's lower left corner."""
        offset = np.asarray(place) - np.array([self.window.west, self.ground])
        return np.asarray(offset * self.px_per_degree * np.array([1.0, self.window.stretch]))

    def from_px(self, place: Floats) -> Floats:
        """Longitude and latitude of pixels."""
        scaled = np.asarray(place) / self.px_per_degree / np.array([1.0, self.window.stretch])
        return np.asarray(scaled + np.array([self.window.west, self.ground]))

    # Layout ----------------------------------------------------------------------------------------------------

    @property
    def _axis(self) -> str:
        return "" if self.number == 0 else str(self.number + 1)

    def axes(self) -> dict[str, Any]:
        """Axes in degrees, with equal lengths in both directions."""
        window, which = self.window, self._axis
        return {
            f"xaxis{which}": {
                "domain": list(self.domain[self.number]),
                "anchor": f"y{which}",
                "range": [window.west, window.east],
                "title": {"text": self.say("flows.x")},
                "ticksuffix": "°",
                "zeroline": False,
                "constrain": "domain",
            },
            f"yaxis{which}": {
                "anchor": f"x{which}",
                "range": [self.ground, window.north],
                "title": {"text": self.say("flows.y")},
                "ticksuffix": "°",
                "zeroline": False,
                "scaleanchor": f"x{which}",
                "scaleratio": window.stretch,
                "constrain": "domain",
            },
        }

    def narrow_axes(self) -> dict[str, Any]:
        """On a narrow screen the panels stand one above the other."""
        if self.panels == 1:
            return {}
        low, high = ((0.6, 1.0), (0.0, 0.5))[self.number]
        return {f"xaxis{self._axis}.domain": [0, 1], f"yaxis{self._axis}.domain": [low, high]}

    def shapes(self) -> list[dict[str, Any]]:
        """Draw a dashed frame around what another panel shows larger."""
        if self.inner is None:
            return []
        inner = self.inner
        frame = {"x0": inner.west, "x1": inner.east, "y0": inner.south, "y1": inner.north}
        return [{"type": "rect", "line": {"dash": "dot", "width": 1.2}, "layer": "below", **frame}]

    # Traces ----------------------------------------------------------------------------------------------------

    def traces(self, shown: pd.DataFrame, table: pd.DataFrame) -> list[Trace]:
        """Arrows of the flows in `shown`, marks of all places, and the keys."""
        largest = float(table.loc[~table["on_the_spot"], "accelerator_h"].max()) if len(shown) else 0.0
        return [*self._arrows(shown, largest), *self._marks(table), *(self._keys(largest) if self.keyed else ())]

    def _on_axes(self, trace: Trace) -> Trace:
        return {"type": "scatter", "xaxis": f"x{self._axis}", "yaxis": f"y{self._axis}", "hoverinfo": "skip", **trace}

    def _drawn(self, flow: Any) -> bool:
        start, end = self.at["region", flow.region], self.at["cluster", flow.cluster]
        if not (self.window.holds(start) and self.window.holds(end)):
            return False
        if self.inner is not None and self.inner.holds(start) and self.inner.holds(end):
            return False
        return bool(np.hypot(*(self.to_px(end) - self.to_px(start))) >= SHORTEST_PX)

    def _arrows(self, shown: pd.DataFrame, largest: float) -> Iterable[Trace]:
        """One filled trace for each class of load, and what the mouse finds in the middle of each arrow."""
        flows = [flow for flow in _rows(shown) if self._drawn(flow)]
        classes = [load_class(flow.link_load) for flow in flows]
        for k in range(len(COLOURS)):
            chosen = [flow for flow, kind in zip(flows, classes, strict=True) if kind == k]
            curves = [self._curve(flow) for flow in chosen]
            widths = [arrow_px(flow.accelerator_h, largest) for flow in chosen]
            x, y = arrows.joined([self.from_px(arrows.outline(c, w)) for c, w in zip(curves, widths, strict=True)])
            yield self._on_axes(
                {
                    "x": x.astype(np.float32),
                    "y": y.astype(np.float32),
                    "mode": "lines",
                    "fill": "toself",
                    "fillcolor": look.see_through(COLOURS[k], ARROW_OPACITY),
                    "line": {"width": 0.6, "color": COLOURS[k]},
                    "name": self.say(f"flows.load_{k}"),
                    "legendgroup": f"load{k}",
                    "showlegend": self.number == 0 and k in {load_class(load) for load in shown["link_load"]},
                }
            )
            if chosen:
                yield self._middles(chosen, curves, SIGNS[k], COLOURS[k])

    def _curve(self, flow: Any) -> Floats:
        start, end = self.to_px(self.at["region", flow.region]), self.to_px(self.at["cluster", flow.cluster])
        return arrows.curve(start, end, REGION_PX, 2.0 + self.half_px[flow.cluster])

    def _middles(self, flows: list[Any], curves: list[Floats], sign: str | None, colour: str) -> Trace:
        middle = self.from_px(np.array([curve[arrows.STEPS // 2] for curve in curves]))
        return self._on_axes(
            {
                "x": middle[:, 0].astype(np.float32),
                "y": middle[:, 1].astype(np.float32),
                "mode": "markers",
                "marker": {
                    "symbol": sign or "circle",
                    "size": 9 if sign else 12,
                    "opacity": 1.0 if sign else 0.0,
                    "color": colour,
                    "line": {"width": 1, "color": "#ffffff"},
                },
                "showlegend": False,
                "hoverinfo": "text",
                "hovertext": [self._told(flow) for flow in flows],
            }
        )

    def _told(self, flow: Any) -> str:
        text = self.say(
            "flows.hover",
            region=self.names.regions[flow.region],
            cluster=self.names.clusters[flow.cluster],
            hours=self.numbers.number(flow.accelerator_h),
        )
        if np.isnan(flow.link_load):
            return text
        return text + self.say("flows.hover_link", link=flow.busiest_link, load=self.numbers.percent(flow.link_load))

    def _marks(self, table: pd.DataFrame) -> Iterable[Trace]:
        """Clusters as squares and regions as dots, each with its name where there is room."""
        clusters = self.places[self.places["kind"] == "cluster"].sort_values("accelerators", ascending=False)
        regions = self.places[self.places["kind"] == "region"]
        asked = regions["id"].map(table.groupby("region")["accelerator_h"].sum()).fillna(0.0)
        regions = regions.loc[asked.sort_values(ascending=False, kind="stable").index]
        largest = float(clusters["accelerators"].max()) if len(clusters) else 0.0
        rows = [*_rows(clusters), *_rows(regions)]
        sizes = [size_px(row.accelerators, largest) if row.kind == "cluster" else REGION_PX for row in rows]
        wide = self._names(rows, sizes, CLUSTER_FONT_PX, REGION_FONT_PX, 1.0)
        small = self._names(rows, [size * SMALLER for size in sizes], 8.0, 8.0, NARROW_PART)
        for kind, font in (("cluster", CLUSTER_FONT_PX), ("region", REGION_FONT_PX)):
            part = [k for k, row in enumerate(rows) if row.kind == kind]
            yield self._on_axes(
                {
                    "x": np.array([rows[k].longitude_deg for k in part], dtype=np.float32),
                    "y": np.array([rows[k].latitude_deg for k in part], dtype=np.float32),
                    "mode": "markers+text",
                    "cliponaxis": False,  # a mark on the edge is drawn whole
                    "text": [wide[k][0] for k in part],
                    "textposition": [wide[k][1] for k in part],
                    "textfont": {"size": font},
                    "marker": _look(kind, [sizes[k] for k in part]),
                    "name": self.say(f"flows.{kind}"),
                    "showlegend": False,
                    "hoverinfo": "text",
                    "hovertext": [self._about(rows[k], table) for k in part],
                    "meta": {
                        "text": [small[k][0] for k in part],
                        "textposition": [small[k][1] for k in part],
                        "marker.size": [max(sizes[k] * SMALLER, 3.0) for k in part],
                        "textfont.size": 8,
                    },
                }
            )

    def _names(
        self, rows: list[Any], sizes: list[float], cluster_px: float, region_px: float, part: float
    ) -> list[tuple[str, str]]:
        """Name and side of each mark on a map of a part of the size; "" where there is no room.

        A region may go without a name, on a small map a cluster too; so may what another panel shows larger. Names stay
        above the keys.
        """
        marks = []
        for row, size in zip(rows, sizes, strict=True):
            x, y = (self.to_px(self._at(row)) - [0.0, self.keys_px]) * part
            cluster = row.kind == "cluster"
            known = self.names.clusters if cluster else self.names.regions
            optional = part < 1.0 or not cluster
            marks.append(Mark(float(x), float(y), size, known[row.id], cluster_px if cluster else region_px, optional))
        shown = [k for k, row in enumerate(rows) if self.inner is None or not self.inner.holds(self._at(row))]
        width = (self.window.east - self.window.west) * self.px_per_degree
        found = sides([marks[k] for k in shown], width * part, (HEIGHT_PX - self.keys_px) * part)
        named = {k: (marks[k].name, side) for k, side in zip(shown, found, strict=True) if side is not None}
        return [named.get(k, ("", "middle right")) for k in range(len(rows))]

    def _at(self, row: Any) -> Floats:
        return np.array([row.longitude_deg, row.latitude_deg])

    def _about(self, row: Any, table: pd.DataFrame) -> str:
        mine = table[table[row.kind] == row.id]
        hours = float(mine["accelerator_h"].sum())
        here = float(mine.loc[mine["on_the_spot"], "accelerator_h"].sum())
        known = self.names.clusters if row.kind == "cluster" else self.names.regions
        return self.say(
            f"flows.hover_{row.kind}",
            name=known[row.id],
            accelerators=self.numbers.number(row.accelerators),
            hours=self.numbers.number(hours),
            here=self.numbers.percent(here / hours if hours else 0.0),
        )

    # Keys ------------------------------------------------------------------------------------------------------

    def _keys(self, largest_h: float) -> Iterable[Trace]:
        """Three arrows and two squares below the map, with what they stand for."""
        width = (self.window.east - self.window.west) * self.px_per_degree
        hours = [_round_down(largest_h * part) for part in (1.0, 0.3, 0.05)] if largest_h > 0 else []
        slots = (np.arange(3) + 0.5) * width * 0.18 + 0.03 * width
        straight = [
            np.stack([np.linspace(x - 0.055 * width, x + 0.055 * width, 9), np.full(9, 0.58 * self.keys_px)], 1)
            for x in slots[: len(hours)]
        ]
        x, y = arrows.joined(
            [self.from_px(arrows.outline(way, arrow_px(h, largest_h))) for way, h in zip(straight, hours, strict=True)]
        )
        yield self._on_axes(
            {
                "x": x,
                "y": y,
                "mode": "lines",
                "fill": "toself",
                "fillcolor": look.see_through(look.GREY, ARROW_OPACITY),
                "showlegend": False,
            }
            | {"line": {"width": 0.6, "color": look.GREY}}
        )
        accelerators = self.places.loc[self.places["kind"] == "cluster", "accelerators"]
        most = float(accelerators.max()) if len(accelerators) else 0.0
        sizes = [_round_down(most), _round_down(most * 0.2)] if most > 0 else []
        squares = 0.66 * width + (np.arange(len(sizes)) + 0.5) * width * 0.15
        texts = [(slot, 0.22, self.numbers.number(h)) for slot, h in zip(slots, hours, strict=False)]
        texts += [(slot, 0.22, self.numbers.number(size)) for slot, size in zip(squares, sizes, strict=True)]
        texts += [(0.3 * width, 0.9, self.say("flows.key_width"))] if hours else []
        texts += [(0.81 * width, 0.9, self.say("flows.key_size"))] if sizes else []
        marks = self.from_px(np.array([(x, 0.58 * self.keys_px) for x in squares]).reshape(-1, 2))
        yield self._on_axes(
            {
                "x": marks[:, 0],
                "y": marks[:, 1],
                "mode": "markers",
                "marker": _look("cluster", [size_px(size, most) for size in sizes]),
                "showlegend": False,
                "meta": {"marker.size": [max(size_px(size, most) * SMALLER, 3.0) for size in sizes]},
            }
        )
        words = self.from_px(np.array([(x, part * self.keys_px) for x, part, _ in texts]).reshape(-1, 2))
        yield self._on_axes(
            {
                "x": words[:, 0],
                "y": words[:, 1],
                "mode": "text",
                "text": [text for *_, text in texts],
                "textfont": {"size": 10.5},
                "showlegend": False,
                "meta": {"textfont.size": 8},
            }
        )


def _rows(table: pd.DataFrame) -> list[Any]:
    """Rows by the names of their columns."""
    return list(table.itertuples())


def load_class(load: float) -> int:
    """Class of a link's load: 0 to 3, or 4 where no link on the way is limited."""
    return len(LOADS) + 1 if np.isnan(load) else int(np.searchsorted(LOADS, load, side="right"))


def arrow_px(hours: float, largest: float) -> float:
    """Width of an arrow: in proportion to its accelerator-hours, down to a hairline."""
    return max(WIDEST_PX * hours / largest, THINNEST_PX)


def size_px(accelerators: float, largest: float) -> float:
    """Side of a cluster's mark: its area is in proportion to its accelerators, down to a dot."""
    return max(LARGEST_PX * (accelerators / largest) ** 0.5 if largest > 0 else 0.0, SMALLEST_PX)


def _look(kind: str, sizes: list[float]) -> dict[str, Any]:
    if kind == "cluster":
        outline = {"width": 1.2, "color": look.VERMILLION}
        return {"symbol": "square", "size": sizes, "color": look.see_through(look.VERMILLION, 0.35), "line": outline}
    return {"symbol": "circle", "size": sizes, "color": look.GREY, "line": {"width": 0}}


def _round_down(value: float) -> float:
    """Round to 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(max(step for step in (1.0, 2.0, 5.0) if step * power <= value * (1 + 1e-9)) * power)
