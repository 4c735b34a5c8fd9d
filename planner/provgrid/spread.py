"""How far headline numbers spread over draws, and which drawn figures move the objective most."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from provgrid_models.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from provgrid.draws import Draw, Numbers, Task

PERCENTILES = (5, 50, 95)
SHUFFLES = 400  # of the objective, to see how strongly figures seem to move it by chance
CHANCE = 0.95
MOST_MOVERS = 3
FEWEST_FOR_RANKS = 3
TITLES = ("as named", "p5", "p50", "p95", "least", "most")
LARGE = 1_000.0  # from here on a number is shown without decimals


@dataclass(frozen=True)
class Spread:
    """A headline number at the figures as they are, and its spread over the draws that have a plan."""

    name: str
    named: float
    p5: float
    p50: float
    p95: float
    least: float
    most: float


@dataclass(frozen=True)
class Mover:
    """A drawn figure and its rank correlation with the objective, from -1 to 1.

    `beyond_chance` says that a correlation as strong as this shows up in fewer than one in twenty sets of draws in
    which no figure has anything to do with the objective.
    """

    id: str
    correlation: float
    value: float
    low: float
    high: float
    beyond_chance: bool


@dataclass(frozen=True)
class Uncertainty:
    """What came out of the draws. `table` has one row each: number, reason, headline numbers, drawn figures."""

    scenario: str
    engine: str
    seed: int
    draws: int
    spreads: tuple[Spread, ...]
    movers: tuple[Mover, ...]  # strongest first, all of them
    chance: float  # the strongest correlation that chance alone gives, in 19 of 20 cases
    without_plan: dict[str, int]  # reason: how many draws
    held: tuple[str, ...]  # assumed figures without a range, and choices of the scenario
    example: str  # what the first draw without a plan said
    table: pd.DataFrame = field(repr=False, compare=False)

    @property
    def solved(self) -> int:
        """How many draws have a plan."""
        return self.draws - sum(self.without_plan.values())

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "draws": self.draws,
            "seed": self.seed,
            "solved": self.solved,
            "without_plan": self.without_plan,
            "without_plan_example": self.example or None,
            "spread": {one.name: _finite(asdict(one), "name") for one in self.spreads},
            "movers": [asdict(one) for one in self.movers],
            "chance_correlation": None if np.isnan(self.chance) else self.chance,
            "held": list(self.held),
        }

    def summary(self) -> str:
        """Say in some lines how far the headline numbers spread, and what moves the objective."""
        lines = [
            f"{counted(self.draws, 'draw')} of {counted(len(self.movers), 'assumed figure')} in their ranges "
            f"(seed {self.seed}): {self.solved} solved and audited{self._failures()}",
            *_columns([["", *TITLES], *([one.name, *_texts(one)] for one in self.spreads)]),
        ]
        lines.append(f"moves the objective most (rank correlation; chance alone gives up to {self.chance:.2f}):")
        lines += [
            f"  {one.correlation:+.2f}  {one.id}: {one.value:g} ({one.low:g} to {one.high:g})"
            f"{'' if one.beyond_chance else ', may be chance'}"
            for one in self.movers[:MOST_MOVERS]
        ]
        if self.held:
            lines.append(f"held: {len(self.held)} assumed figures, without a range or a choice of the scenario")
        return "\n".join(lines)

    def _failures(self) -> str:
        if not self.without_plan:
            return ""
        counts = ", ".join(f"{count} {reason}" for reason, count in self.without_plan.items())
        return f"; {counts} (the first: {self.example})"


def spread_of(task: Task, seed: int, named: Numbers, draws: Sequence[Draw]) -> Uncertainty:
    """Gather the draws."""
    solved = [one for one in draws if not one.reason]
    failed = [one for one in draws if one.reason]
    ranges = {one.id: (one.value, one.low, one.high) for one in task.figures}
    ranges |= {path: (value, low, high) for path, value, low, high in task.own}
    movers, chance = _movers(solved, ranges, seed)
    return Uncertainty(
        scenario=task.name,
        engine=task.engine,
        seed=seed,
        draws=len(draws),
        spreads=tuple(_spread(name, value, [one.headline[name] for one in solved]) for name, value in named.items()),
        movers=movers,
        chance=chance,
        without_plan=dict(Counter(one.reason for one in failed)),
        held=task.held,
        example=failed[0].message if failed else "",
        table=pd.DataFrame([{"draw": d.number, "reason": d.reason, **d.headline, **d.drawn} for d in draws]),
    )


def _spread(name: str, named: float, values: Sequence[float]) -> Spread:
    """Percentiles of a headline number; NaN where no draw has it."""
    there = np.array([value for value in values if np.isfinite(value)], dtype=np.float64)
    if not there.size:
        return Spread(name, named, *[float("nan")] * 5)
    p5, p50, p95 = (float(p) for p in np.percentile(there, PERCENTILES))
    return Spread(name, named, p5, p50, p95, float(there.min()), float(there.max()))


def _movers(
    solved: Sequence[Draw], ranges: dict[str, tuple[float, float, float]], seed: int
) -> tuple[tuple[Mover, ...], float]:
    """Figures by the strength of their rank correlation with the objective, and what chance alone would give.

    Chance: the objectives are shuffled among the draws, many times; each time the strongest correlation of all figures
    is noted. Its 95 % quantile is what a figure has to beat.
    """
    names = list(ranges)
    if len(solved) < FEWEST_FOR_RANKS:
        return tuple(Mover(name, 0.0, *ranges[name], beyond_chance=False) for name in names), float("nan")
    drawn = _ranks(np.array([[one.drawn[name] for name in names] for one in solved], dtype=np.float64))
    objective = _ranks(np.array([[one.headline["objective_yuan"]] for one in solved], dtype=np.float64))[:, 0]
    correlation = drawn.T @ objective
    rng = np.random.default_rng([seed, len(solved)])
    shuffled = np.stack([rng.permutation(objective) for _ in range(SHUFFLES)], axis=1)
    chance = float(np.quantile(np.abs(drawn.T @ shuffled).max(axis=0), CHANCE))
    order = np.argsort(-np.abs(correlation), kind="stable")
    return tuple(
        Mover(
            names[i],
            float(correlation[i]),
            *ranges[names[i]],
            beyond_chance=bool(abs(correlation[i]) > chance),
        )
        for i in order.tolist()
    ), chance


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks of each column (n, m), scaled to mean 0 and length 1, ties averaged; a constant column is all 0."""
    ranks = pd.DataFrame(values).rank().to_numpy(dtype=np.float64)
    ranks = ranks - ranks.mean(axis=0)
    length = np.sqrt((ranks**2).sum(axis=0))
    return np.asarray(ranks / np.where(length > 0, length, 1.0))


def _finite(values: dict[str, Any], drop: str) -> dict[str, Any]:
    """JSON knows no NaN: what is not there is null."""
    kept = {name: value for name, value in values.items() if name != drop}
    return {name: value if np.isfinite(value) else None for name, value in kept.items()}


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align a table as narrow as it can be: names to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        f"  {name:<{widths[0]}}" + "".join(f"  {text:>{width}}" for text, width in zip(texts, widths[1:], strict=True))
        for name, *texts in rows
    ]


def _texts(one: Spread) -> list[str]:
    numbers = (one.named, one.p5, one.p50, one.p95, one.least, one.most)
    share = one.name.endswith(("share", "gap")) or one.name.startswith("saving")
    return [_text(number, share=share) for number in numbers]


def _text(number: float, *, share: bool) -> str:
    if np.isnan(number):
        return "-"
    if share:
        return f"{number:.2%}"
    return f"{number:,.0f}" if abs(number) >= LARGE else f"{number:,.2f}"
