"""What part of the world the panels of a map show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

ALONE_SHAPE, PAIR_SHAPE = 1.55, 0.95  # least width of a panel over its height, so that names have room
CROWDED = 0.4  # a second panel shows the regions larger where they fill less than this part of the first
KEY = 0.15  # height of the keys over that of the map


@dataclass(frozen=True)
class Window:
    """Longitudes and latitudes that a panel shows."""

    west: float
    east: float
    south: float
    north: float

    @property
    def stretch(self) -> float:
        """A degree of latitude over a degree of longitude here."""
        return float(1.0 / np.cos(np.radians((self.south + self.north) / 2)))

    @property
    def diagonal(self) -> float:
        """Length in degrees of longitude."""
        return float(np.hypot(self.east - self.west, (self.north - self.south) * self.stretch))

    def holds(self, places: Any) -> Any:
        """Whether places, (..., 2) as longitude and latitude, lie in the window."""
        inside = (places[..., 0] >= self.west) & (places[..., 0] <= self.east)
        return inside & (places[..., 1] >= self.south) & (places[..., 1] <= self.north)

    @classmethod
    def around(cls, places: pd.DataFrame, shape: float) -> Window:
        """Window around places, with a little air; with its keys its width is at least `shape` times its height."""
        longitude, latitude = places["longitude_deg"], places["latitude_deg"]
        air = 0.07 * max(float(np.ptp(longitude)), float(np.ptp(latitude)), 1.0)
        window = cls(longitude.min() - air, longitude.max() + air, latitude.min() - air, latitude.max() + air)
        height = (window.north - window.south) * (1 + KEY) * window.stretch
        more = max(shape * height - (window.east - window.west), 0.0) / 2
        return replace(window, west=window.west - more, east=window.east + more)


def windows(places: pd.DataFrame) -> list[Window]:
    """One window for everything, and one for the regions alone where they are crowded in a corner of it."""
    regions = places[places["kind"] == "region"]
    pair = [Window.around(places, PAIR_SHAPE), Window.around(regions, PAIR_SHAPE)]
    crowded = pair[1].diagonal < CROWDED * pair[0].diagonal
    return pair if crowded else [Window.around(places, ALONE_SHAPE)]
