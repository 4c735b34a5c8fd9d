"""What the figures of an axis are divided by, so that their ticks stay short: thousands and millions, or 万 and 亿."""

from __future__ import annotations

from dataclasses import dataclass

_STEPS = {
    "en": ((1e9, "billion "), (1e6, "million "), (1e3, "thousand ")),
    "zh": ((1e8, "亿"), (1e4, "万")),
}
SHORT = 2e4  # figures below are written as they are


@dataclass(frozen=True)
class Scale:
    """A divisor, and the word for it that stands before the axis's unit."""

    divisor: float
    word: str


def scale(largest: float, lang: str) -> Scale:
    """Choose the scale of an axis by its largest figure.

    >>> scale(15_000, "en").word, scale(3_500_000, "en").word, scale(3_500_000, "zh").word
    ('', 'million ', '万')
    """
    for size, word in _STEPS[lang]:
        if abs(largest) >= max(size, SHORT):
            return Scale(size, word)
    return Scale(1.0, "")
