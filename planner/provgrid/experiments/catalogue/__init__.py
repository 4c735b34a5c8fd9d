"""All claims, in the order in which they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provgrid.experiments.catalogue import chips, coordination, nodes, power, published, training_cost, untested
from provgrid_models.errors import OptionError
from provgrid_models.findings import as_clause, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provgrid.experiments.declared import Claim

PARTS = (power, training_cost, nodes, coordination, chips, published, untested)


def catalogue() -> tuple[Claim, ...]:
    """Every claim that is declared."""
    return tuple(claim for part in PARTS for claim in part.claims())


def chosen(claims: Sequence[Claim], ids: Sequence[str]) -> tuple[Claim, ...]:
    """Return the claims with these ids in the order of the catalogue, all where none is named.

    Raises
    ------
    OptionError : there is no claim of that name.
    """
    known = [claim.id for claim in claims]
    for one in ids:
        if one not in known:
            hint = did_you_mean(one, known) or f"Known: {', '.join(known)}."
            raise OptionError(f"there is no claim {one!r}; {as_clause(hint)}")
    return tuple(claim for claim in claims if not ids or claim.id in ids)
