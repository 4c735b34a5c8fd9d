"""What the pools of a scenario can do for each model family, as arrays: the yardstick of drawn demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from provgrid_models.scenario import Scenario

    Floats = NDArray[np.float64]
    Texts = NDArray[Any]


@dataclass(frozen=True)
class Pools:
    """What the pools of a scenario can do: accelerators (P,), and rates by family (F, P), 0 where not ported."""

    accelerators: Floats
    zones: tuple[str, ...]
    families: dict[str, int]
    train_pflops: Floats
    tokens_per_s: Floats
    smallest_gang: Floats  # (F,) accelerators that the family's memory needs on the chip with the least

    @classmethod
    def of(cls, scenario: Scenario) -> Pools:
        """Read the pools, chips and bindings of a scenario."""
        families = {family.id: i for i, family in enumerate(scenario.families)}
        chips = {chip.id: chip for chip in scenario.chips}
        zone = {cluster.id: cluster.zone for cluster in scenario.clusters}
        usable = np.array([pool.accelerators * pool.availability for pool in scenario.pools], dtype=np.float64)
        train, tokens = np.zeros((2, len(families), usable.size))
        smallest = np.ones(len(families))
        for binding in scenario.bindings:
            if binding.port_yuan is not None:  # what is drawn does not depend on the ports that are opened
                continue
            f = families[binding.family]
            on_chip = np.array([pool.chip == binding.chip for pool in scenario.pools], dtype=np.bool_)
            fits = on_chip & (usable >= binding.min_accelerators)
            train[f, fits] = (binding.mfu or 0.0) * chips[binding.chip].peak_fp16_tflops / 1000.0
            tokens[f, fits] = binding.tokens_per_s or 0.0
            smallest[f] = max(smallest[f], binding.min_accelerators)
        return cls(usable, tuple(zone[pool.cluster] for pool in scenario.pools), families, train, tokens, smallest)

    def mean_rate(self, rates: Floats, families: Sequence[str]) -> Floats:
        """Mean rate of an accelerator over the pools that a family is ported to, shape (len(families),); 0 if none."""
        chosen = rates[[self.families[name] for name in families]]
        held = ((chosen > 0) * self.accelerators).sum(axis=1)
        return np.asarray((chosen * self.accelerators).sum(axis=1) / np.where(held > 0, held, 1.0))

    def in_zone(
        self, rates: Floats, family: Texts, zone: Texts, accelerators: Floats, least_rate: Floats
    ) -> NDArray[np.bool_]:
        """Whether each piece of work has a pool of its own zone that is large and fast enough for it, shape (n,)."""
        same = np.array(self.zones)[None, :] == zone[:, None]
        here = rates[[self.families[name] for name in family]]
        able = (here > 0) & (here >= least_rate[:, None]) & (self.accelerators[None, :] >= accelerators[:, None])
        return np.asarray((same & able).any(axis=1))
