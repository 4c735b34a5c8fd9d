"""`people`: the national week after years in which people moved, and demand with them."""

from __future__ import annotations

from provgrid_seeds.build_part import layer
from provgrid_seeds.build_rows import Ledger, Record, assumed, derived, fact_value, in_words
from provgrid_seeds.loader import figure, table

INFLOW = "net_inflow_"
THOUSAND_PER_MILLION = 1000.0


def inflow_thousand() -> dict[str, float]:
    """Net inflow of a year by province: Zhejiang's from the document, the others assumed."""
    assumptions = {str(row["id"]): row["value"] for row in table("assumptions")}
    found = {name.removeprefix(INFLOW): float(v or 0.0) for name, v in assumptions.items() if name.startswith(INFLOW)}
    return {"zhejiang": fact_value("zhejiang_net_inflow"), **found}


def population(province: str) -> float:
    """Return the population of a province [million]."""
    return figure("demand_regions", province, "population_million")


def growth_per_year(elasticity: float) -> dict[str, float]:
    """Growth of demand by province: net inflow over population, times what a newcomer asks for."""
    return {
        province: derived(
            round(elasticity * thousand / THOUSAND_PER_MILLION / population(province), 6),
            "facts/zhejiang_net_inflow" if province == "zhejiang" else assumed(INFLOW + province),
            f"demand_regions/{province}",
            assumed("people_elasticity"),
        )
        for province, thousand in inflow_thousand().items()
    }


def tables() -> dict[str, list[Record]]:
    """No table of its own."""
    return {}


def settings() -> Record:
    """`scenario.toml`."""
    read = Ledger()
    growth = growth_per_year(read("people_elasticity"))
    for province in inflow_thousand():
        if province != "zhejiang":
            read(f"{INFLOW}{province}")
    moved = {"growth_per_year": growth, "growth_years": fact_value("zhejiang_inflow_period")}
    return layer(
        "people",
        "Where people move, demand grows",
        "The national week with each province's share of demand moved by five years of net inflow. Zhejiang's inflow "
        "is the document's, read as a yearly figure; the others are named assumptions.",
        "national",
        in_words(*read.used),
        generate={"training": moved, "inference": moved},
    )
