"""`export-controls`: imported chips stay as many as they are, domestic ones grow, and demand grows with the country."""

from __future__ import annotations

from provgrid_seeds import build_zhejiang
from provgrid_seeds.build_part import layer
from provgrid_seeds.build_rows import (
    GANG_STEP,
    Ledger,
    Record,
    assumed,
    derived,
    full_load_mw,
    in_words,
    sourced,
    value,
)
from provgrid_seeds.loader import figure, table, table_row

USED = ("export_control_years", "domestic_chip_growth", "availability")


def growth() -> float:
    """Factor on domestic accelerators at the end of the years ahead."""
    return float((1.0 + value("domestic_chip_growth")) ** value("export_control_years"))


def demand_growth_row() -> str:
    """Row of `national` with the yearly growth of intelligent computing."""
    return str(next(row["id"] for row in table("national") if row["scope"] == "China growth 2025"))


def demand_growth() -> float:
    """Factor on demand at the end of the years ahead."""
    return float((1.0 + figure("national", demand_growth_row(), "value") / 100.0) ** value("export_control_years"))


def is_domestic(row: Record) -> bool:
    """Whether a pool's chips are made at home."""
    return table_row("chips", str(row["chip"]))["origin"] == "CN"


def grown(row: Record) -> Record:
    """Row of `pools` at the end of the years ahead, in whole servers."""
    servers = round(row["accelerators"] / GANG_STEP * growth())
    sources = (str(row["source"]), assumed("domestic_chip_growth", "export_control_years"))
    return sourced({**row, "accelerators": servers * GANG_STEP}, *sources)


def tables() -> dict[str, list[Record]]:
    """Pools of domestic chips, and grid connections that grow with them."""
    before = build_zhejiang.pools()
    after = {name: [grown(row) if is_domestic(row) else row for row in rows] for name, rows in before.items()}
    pue = {one["id"]: one["pue"] for one in build_zhejiang.tables()["clusters"]}
    clusters = []
    for name, rows in after.items():
        side = "west" if name in build_zhejiang.WESTERN else "east"
        limit = round(full_load_mw(rows, float(pue[name])) * value(f"grid_limit_{side}"), 3)
        sources = (assumed(f"grid_limit_{side}", "domestic_chip_growth", "export_control_years"),)
        clusters.append(sourced({"id": name, "grid_limit_mw": limit}, *sources))
    return {
        "pools.patch": [row for rows in after.values() for row in rows if is_domestic(row)],
        "clusters.patch": clusters,
    }


def usable(rows: list[Record]) -> float:
    """Accelerators in some rows of `pools`."""
    return float(sum(row["accelerators"] for row in rows))


def sources(part: str) -> tuple[str, ...]:
    """Name the sources of a grown share of demand, or of the grown number of jobs."""
    grown_from = "gen_zhejiang_jobs" if part == "jobs" else f"gen_zhejiang_{part}_share"
    return f"national/{demand_growth_row()}", assumed(grown_from, "domestic_chip_growth", "export_control_years")


def settings() -> Record:
    """`scenario.toml`: demand is that of `zhejiang` times its growth, told as a share of the grown pools."""
    read = Ledger()
    before = [row for rows in build_zhejiang.pools().values() for row in rows]
    now = [grown(row) if is_domestic(row) else row for row in before]
    factor = demand_growth() * usable(before) / usable(now)
    shares = {
        part: {"capacity_share": derived(round(read(f"gen_zhejiang_{part}_share") * factor, 4), *sources(part))}
        for part in ("training", "inference")
    }
    jobs = derived(round(read("gen_zhejiang_jobs") * demand_growth()), *sources("jobs"))
    return layer(
        "export-controls",
        "Export controls: imported chips frozen, domestic ones growing",
        "Zhejiang some years on: no imported accelerator is added, domestic ones grow at an assumed rate, and demand "
        "grows as intelligent computing did in the country in 2025.",
        "zhejiang",
        in_words(*USED, *read.used),
        generate={**shares, "training": {**shares["training"], "jobs": jobs}},
    )
