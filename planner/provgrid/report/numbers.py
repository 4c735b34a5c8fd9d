"""Numbers as planners read them: 15,189 yuan and 1.235 million in English, 1.519万元 and 1.235亿 in Chinese."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid.report.texts import Language

NONE = "–"
MINUS = "\N{MINUS SIGN}"
# Where large numbers change their word, ascending; below the first one all digits are written.
SCALES: dict[Language, Sequence[tuple[float, str]]] = {
    "en": ((1e6, " million"), (1e9, " billion"), (1e12, " trillion")),
    "zh": ((1e4, "万"), (1e8, "亿"), (1e12, "万亿")),
}
SIGNIFICANT = 4  # digits in front of the word of a scale
ROUNDING_PERCENT = 1e-7  # what is left below it is rounding
SMALL_SIGNIFICANT = 3  # digits of a number below 1


class Numbers:
    """Formats of one language."""

    def __init__(self, lang: Language) -> None:
        self.lang = lang

    def number(self, value: float | None) -> str:
        """Write a number of any size; a dash for one that is not there, the sign for infinity."""
        if value is None or math.isnan(value):
            return NONE
        sign = MINUS if value < 0 else ""
        if math.isinf(value):
            return f"{sign}∞"
        text = self._magnitude(abs(value))
        return text if text == "0" else f"{sign}{text}"

    def _magnitude(self, value: float) -> str:
        scales = SCALES[self.lang]
        # Rounding may carry a number over into the next scale: 9,999.6 is 1万, and 999.97 million is a billion.
        whole = float(f"{value:.{_decimals(value)}f}") if value < scales[0][0] else float(f"{value:.{SIGNIFICANT}g}")
        for least, word in reversed(scales):
            if whole >= least:
                return f"{_trimmed(whole / least, SIGNIFICANT)}{word}"
        text = f"{value:,.{_decimals(value)}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text

    def with_unit(self, value: float | None, unit: str) -> str:
        """Write a number and its unit: a space between them, but for a Chinese unit, which follows the number."""
        text = self.number(value)
        if text == NONE or not unit:
            return text
        return f"{text}{unit}" if unit and ord(unit[0]) > 0x2E7F else f"{text} {unit}"

    def yuan(self, value: float | None) -> str:
        """Write an amount of money."""
        return self.with_unit(value, "元" if self.lang == "zh" else "yuan")

    def percent(self, share: float | None) -> str:
        """Write a share as per cent: 37.9%, 2.06%, and <0.01% for what is more than nothing."""
        if share is None or math.isnan(share):
            return NONE
        sign, size = (MINUS if share < 0 else ""), abs(share) * 100.0
        if math.isinf(size):
            return f"{sign}∞"
        if size < ROUNDING_PERCENT:
            return "0%"
        if size < 0.005:
            return f"{sign}<0.01%"
        # Nothing that is short of the whole may look like it.
        if 99.95 <= size < 100.0 - ROUNDING_PERCENT:
            return f"{sign}{min(math.floor(size * 100.0) / 100.0, 99.99):.2f}%"
        if abs(size - 100.0) < ROUNDING_PERCENT:
            return f"{sign}100%"
        return f"{sign}{size:,.1f}%" if size >= 9.995 else f"{sign}{size:.2f}%"


def _decimals(value: float) -> int:
    """Decimals that a number below the first scale needs to show three digits or so."""
    if value >= 100.0 or value == 0.0:
        return 0
    if value >= 1.0:
        return 1 if value >= 10.0 else 2
    return min(SMALL_SIGNIFICANT - 1 - math.floor(math.log10(value)), 9)


def _trimmed(value: float, digits: int) -> str:
    """Write a number of at least 1 with so many significant digits, without zeros at the end of its decimals."""
    decimals = max(digits - 1 - math.floor(math.log10(value)), 0)
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
