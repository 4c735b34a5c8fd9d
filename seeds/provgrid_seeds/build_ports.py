"""`ports`: Zhejiang, and what it would cost to bring a model family to a chip that it does not run on."""

from __future__ import annotations

from provgrid_seeds.build_part import layer
from provgrid_seeds.build_rows import FAMILIES, Ledger, Record, assumed, binding, in_words, sourced, unported
from provgrid_seeds.build_zhejiang import CHIPS

COST = ("port_engineer_years", "port_yuan_per_engineer_year", "port_plan_share")


def port_yuan(read: Ledger) -> float:
    """Cost of one port that this plan bears."""
    years, yuan, share = (read(name) for name in COST)
    return years * yuan * share


def tables() -> dict[str, list[Record]]:
    """Candidate ports, laid over the bindings: how well the family would run, and what bringing it there costs."""
    read = Ledger()
    rows = []
    for family in FAMILIES:
        for chip in (one for one in CHIPS if unported(family, one)):
            would_run = binding(family, chip)
            cost = {"port_yuan": port_yuan(read), "port_life_years": read("port_life_years")}
            rows.append(sourced({**would_run, **cost}, str(would_run["source"]), assumed(*COST, "port_life_years")))
    return {"bindings.patch": rows}


def settings() -> Record:
    """`scenario.toml`."""
    return layer(
        "ports",
        "Chip-model binding: which port pays in Zhejiang",
        "The week of zhejiang with candidate ports priced. A port is closed until `ports` names it as family/chip.",
        "zhejiang",
        in_words(*COST, "port_life_years"),
    )
