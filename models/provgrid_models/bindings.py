"""The chip-model binding table as matrices, and text columns as positions: shared by jobs and services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from provgrid_models.errors import ScenarioError
from provgrid_models.problem import Floats, Ints
from provgrid_models.sites import find, positions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provgrid_models.scenario import Binding, Scenario

PRECISIONS = ("fp16", "fp8")


def ported(scenario: Scenario) -> list[Binding]:
    """Rows of bindings that count: those without a cost of porting, and those that `ports` opens."""
    candidates = {f"{row.family}/{row.chip}" for row in scenario.bindings if row.port_yuan is not None}
    for port in scenario.settings.ports:
        if port not in candidates:
            raise ScenarioError(
                f'ports names "{port}", and no row of bindings with a port_yuan is family/chip so; '
                f"give it a row with a port_yuan, or take it out of ports"
            )
    return [
        row
        for row in scenario.bindings
        if row.port_yuan is None or f"{row.family}/{row.chip}" in scenario.settings.ports
    ]


@dataclass(frozen=True)
class Bindings:
    """How every family runs on every chip, shape (families, chips); NaN = never ported."""

    mfu: Floats
    tokens_per_s: Floats
    least_accelerators: Floats
    prefill_ms: Floats
    tpot_ms: Floats
    peak_tflops: Floats  # (precisions, chips), NaN = not supported

    @classmethod
    def of(cls, scenario: Scenario) -> Bindings:
        """Lay the rows out. Raises `ScenarioError` at a family, chip or port that no row has."""
        family_at, chip_at = positions(scenario.families), positions(scenario.chips)
        shape = (len(family_at), len(chip_at))
        mfu, tokens, least = np.full(shape, np.nan), np.full(shape, np.nan), np.ones(shape)
        prefill, tpot = (
            np.repeat(np.array([[getattr(f, name)] for f in scenario.families], dtype=np.float64), shape[1], axis=1)
            for name in ("prefill_ms", "tpot_ms")
        )
        for row in ported(scenario):
            where = f"binding {row.family} - {row.chip}"
            at = find(family_at, row.family, where), find(chip_at, row.chip, where)
            least[at] = row.min_accelerators
            for matrix, figure in (
                (mfu, row.mfu),
                (tokens, row.tokens_per_s),
                (prefill, row.prefill_ms),
                (tpot, row.tpot_ms),
            ):
                if figure is not None:
                    matrix[at] = figure
        peak = [[chip.peak_fp16_tflops, chip.peak_fp8_tflops or np.nan] for chip in scenario.chips]
        return cls(mfu, tokens, least, prefill, tpot, np.array(peak, dtype=np.float64).T)


def text_codes(column: pd.Series, place: Mapping[str, int], table: str) -> Ints:
    """Position of every text, -1 where it is blank; `ScenarioError` at the first that no row has."""
    code, distinct = pd.factorize(column, use_na_sentinel=True)
    known = np.array([place.get(text, -1) if text else -1 for text in distinct] + [-1], dtype=np.int64)
    for text in distinct:
        if text and text not in place:
            row = int(np.argmax((column == text).to_numpy(dtype=np.bool_)))
            raise ScenarioError(
                f'{table} row {row + 1}: {column.name} is "{text}", which no row has; '
                "run `provgrid check` for every finding"
            )
    return known[code]
