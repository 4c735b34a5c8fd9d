"""A basis carried from one program to a larger one, label by label.

New columns start at 0 and new rows with their slack, as they implicitly were; an hour that was full and is free now
starts at its limit. So the point stays what it was, and the simplex method goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provgrid_optimizer.highs import AT_LOWER, AT_UPPER, BASIC, Basis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provgrid_models.problem import Ints
    from provgrid_optimizer.columns.choice import Choice
    from provgrid_optimizer.matrix.program import Block, LinearProgram

    Statuses = dict[str, tuple[Ints, NDArray[np.int8]]]


@dataclass(frozen=True)
class Labels:
    """What each column and row of a program is, whatever else takes part: ascending numbers by kind."""

    columns: dict[str, Ints]
    rows: dict[str, Ints]

    @classmethod
    def of(cls, choice: Choice, program: LinearProgram) -> Labels:
        """Label the program of a choice."""
        pair, rigid = np.flatnonzero(choice.taken), choice.pairs.rigid[choice.taken]
        chosen = {
            "z": pair,
            "n": choice.free,
            "s": choice.starts,
            "y": np.flatnonzero(choice.serving),
        }
        rows = {
            "work": pair[~rigid],
            "start": pair[rigid],
            "limit": choice.free[choice.limited[choice.free // choice.problem.n_periods]],
        }
        return cls(_or_place(program.columns, chosen), _or_place(program.rows, rows))


def _or_place(blocks: dict[str, Block], chosen: dict[str, Ints]) -> dict[str, Ints]:
    return {kind: chosen[kind] if kind in chosen else np.arange(block.size) for kind, block in blocks.items()}


@dataclass(frozen=True)
class Carried:
    """The statuses of a solved program by label, and which hours were full in it."""

    columns: Statuses
    rows: Statuses
    full: Ints

    @classmethod
    def of(cls, choice: Choice, program: LinearProgram, basis: Basis) -> Carried:
        """Remember where a run ended."""
        labels = Labels.of(choice, program)
        return cls(
            {kind: (labels.columns[kind], basis.columns[block.slice]) for kind, block in program.columns.items()},
            {kind: (labels.rows[kind], basis.rows[block.slice]) for kind, block in program.rows.items()},
            choice.full,
        )

    def to(self, choice: Choice, program: LinearProgram) -> Basis:
        """Return the basis that a larger program starts from."""
        labels = Labels.of(choice, program)
        columns = {kind: _look_up(self.columns[kind], wanted, AT_LOWER) for kind, wanted in labels.columns.items()}
        columns["n"][np.isin(labels.columns["n"], self.full, assume_unique=True)] = AT_UPPER
        rows = {kind: _look_up(self.rows[kind], wanted, BASIC) for kind, wanted in labels.rows.items()}
        return Basis(
            columns=np.concatenate([columns[kind] for kind in program.columns]),
            rows=np.concatenate([rows[kind] for kind in program.rows]),
        )


def _look_up(known: tuple[Ints, NDArray[np.int8]], wanted: Ints, otherwise: int) -> NDArray[np.int8]:
    labels, statuses = known
    found = np.full(wanted.size, otherwise, dtype=np.int8)
    if labels.size:
        at = np.minimum(np.searchsorted(labels, wanted), labels.size - 1)
        same = labels[at] == wanted
        found[same] = statuses[at[same]]
    return found
