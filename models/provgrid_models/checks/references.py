"""Every name that refers to another row must find it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from provgrid_models.checks.columns import report_unknown
from provgrid_models.findings import MOST_PER_KIND, did_you_mean
from provgrid_models.tables import LONG_TABLES

if TYPE_CHECKING:
    from provgrid_models.checks.tables import Tables

OTHER_SEPARATORS = re.compile(r"->|[^A-Za-z0-9_.\-/]+")  # what no id has in it, such as , or the full-width ；
REQUIRED_TABLES = ("regions", "clusters", "chips", "pools", "families", "bindings", "tariffs", "carbon")
REFERENCES: tuple[tuple[str, str, str], ...] = (
    ("clusters", "region", "regions.id"),
    ("clusters", "tariff", "tariffs.tariff"),
    ("clusters", "carbon", "carbon.carbon"),
    ("contracts", "cluster", "clusters.id"),
    ("contracts", "profile", "renewables.profile"),
    ("pools", "cluster", "clusters.id"),
    ("pools", "chip", "chips.id"),
    ("pools", "tenant", "tenants.id"),
    ("expansions", "pool", "pools.id"),
    ("routes", "region", "regions.id"),
    ("routes", "cluster", "clusters.id"),
    ("bindings", "family", "families.id"),
    ("bindings", "chip", "chips.id"),
    ("tenants", "terms_province", "clusters.province"),
    *(
        (table.name, column.name, column.reference)
        for table in LONG_TABLES.values()
        for column in table.columns
        if column.reference
    ),
)
NOUNS = {
    "regions": "region",
    "clusters": "cluster",
    "chips": "chip",
    "pools": "pool",
    "links": "link",
    "families": "model family",
    "tenants": "tenant",
    "tariffs": "tariff",
    "carbon": "carbon intensity",
    "renewables": "profile",
    "jobs": "job",
    "services": "service",
}
NOUN_OF_COLUMN = {"clusters.province": "cluster lies in this province"}


def check_references(tables: Tables) -> None:
    """Check every reference between tables, the links of routes, and the names of data zones."""
    lost: dict[str, list[tuple[str, str]]] = {}
    for table, column, target in REFERENCES:
        target_table, target_column = target.split(".")
        if not (tables.sound(table, column) and tables.sound(target_table, target_column)):
            continue
        grid, named = tables.grid(table), tables.grid(target_table)
        if column not in grid.data or named.ragged:
            continue
        if not named.rows:
            if not grid.column(column)[1].all():
                lost.setdefault(target_table, []).append((table, column))
            continue
        known = pd.Index(tables.values(target_table, target_column)).astype(str)
        message = NOUN_OF_COLUMN.get(target, f"such {NOUNS[target_table]}")
        report_unknown(tables, grid, column, known, "unknown-reference", f"no {message}")
    _check_route_links(tables, lost)
    _report_lost(tables, lost)
    _check_reached(tables)
    _check_pinned(tables)
    _check_ports(tables)
    _check_zones(tables)


def _report_lost(tables: Tables, lost: dict[str, list[tuple[str, str]]]) -> None:
    """Report each table that is not there, or holds nothing, although others name rows of it; once, not per row."""
    for target, columns in lost.items():
        grid = tables.grid(target)
        if target in REQUIRED_TABLES:
            continue  # was reported as missing, or as empty
        state = "has no rows" if grid.data else "is missing"
        namers = " and ".join(dict.fromkeys(table for table, _ in columns))
        blanks = ", ".join(f"{table}.{column}" for table, column in columns)
        message = f"the table {state}, and {namers} {'name' if ' and ' in namers else 'names'} rows of it"
        hint = f"Put those rows back, or take out what names them: {blanks}."
        tables.findings.error("missing-table", message, file=grid.places.files[0], hint=hint)


def _check_route_links(tables: Tables, lost: dict[str, list[tuple[str, str]]]) -> None:
    """Report links of a route, between semicolons, that are unknown or stand twice."""
    if not (tables.sound("routes", "links") and tables.sound("links", "id")) or tables.grid("links").ragged:
        return
    grid, known = tables.grid("routes"), set(tables.values("links", "id").astype(str))
    texts, blank = grid.column("links")
    if not known:
        if not blank.all():
            lost.setdefault("links", []).append(("routes", "links"))
        return
    reported = 0
    for row in np.flatnonzero(~blank).tolist():
        names = [name.strip() for name in str(texts.iloc[row]).split(";")]
        for name in dict.fromkeys(names):
            message = "no such link" if name not in known else "the link is twice in one route"
            if name in known and names.count(name) == 1:
                continue
            reported += 1
            if reported > MOST_PER_KIND:
                continue
            several = [part for part in OTHER_SEPARATORS.split(name) if part]
            hint = did_you_mean(name, known) or "Separate the links of a route with semicolons."
            if len(several) > 1:
                hint = f"Separate the links of a route with semicolons: {';'.join(several)}."
            tables.findings.error(
                "unknown-reference" if name not in known else "duplicate-link",
                message,
                column="links",
                found=name,
                hint=hint if name not in known else "Keep one.",
                **grid.places.at(row),
            )
    left_out = reported - MOST_PER_KIND
    if left_out > 0:
        message, file = f"{left_out:,} more unknown or doubled links", grid.places.files[0]
        tables.findings.error("unknown-reference", message, file=file, column="links", count=left_out)


def _check_reached(tables: Tables) -> None:
    """Warn about clusters with a pool that no route leads to; without any route, one warning stands for all."""
    needs = {"clusters": "id", "pools": "cluster", "routes": "cluster"}
    if not all(tables.sound(table, column) and not tables.grid(table).ragged for table, column in needs.items()):
        return
    ids, with_pool, reached = (tables.values(table, column).astype(str) for table, column in needs.items())
    if not len(reached):
        return
    lost = (ids.isin(with_pool) & ~ids.isin(reached)).to_numpy(dtype=np.bool_)
    message = "no route leads there, so that no work reaches its pools"
    hint = "Add rows to routes.csv, one for each region that may use it."
    tables.report("clusters", "id", lost, "no-route-to", message, hint=hint, severity="warning")


def _check_pinned(tables: Tables) -> None:
    """Report jobs that run already in a pool that their region has no route to: one of the two must be wrong."""
    needs = {"jobs": ("region", "pinned_pool"), "pools": ("id", "cluster"), "routes": ("region", "cluster")}
    if not all(tables.sound(table, *columns) for table, columns in needs.items()):
        return
    pinned, blank = tables.grid("jobs").column("pinned_pool")
    rows = np.flatnonzero(~blank)
    if not rows.size or not tables.sound("regions", "id"):
        return
    pools, cluster = (tables.values("pools", name).astype(str) for name in needs["pools"])
    region = tables.values("jobs", "region").iloc[rows].astype(str)
    there = pinned.iloc[rows].astype(str).map(dict(zip(pools, cluster, strict=True)))
    known = there.notna() & region.isin(tables.values("regions", "id").astype(str))
    routes = pd.MultiIndex.from_arrays([tables.values("routes", name).astype(str) for name in needs["routes"]])
    lost = np.zeros(len(pinned), dtype=np.bool_)
    lost[rows] = known.to_numpy() & ~pd.MultiIndex.from_arrays([region, there]).isin(routes)
    message = "the job is pinned to a pool that its region has no route to"
    hint = "Add the route to routes, or unpin the job."
    tables.report("jobs", "pinned_pool", lost, "pinned-without-route", message, hint=hint)


def _check_ports(tables: Tables) -> None:
    """Report ports that are opened and are no row of bindings with a cost of porting."""
    opened = tables.settings.ports if tables.settings else ()
    if not opened or not tables.sound("bindings", "family", "chip", "port_yuan"):
        return
    grid = tables.grid("bindings")
    names = [f"{family}/{chip}" for family, chip in zip(*(grid.column(c)[0] for c in ("family", "chip")), strict=True)]
    blank = grid.column("port_yuan")[1]
    known = [name for name, without in zip(names, blank.tolist(), strict=True) if not without]
    for i, port in enumerate(opened):
        if port not in known:
            tables.findings.error(
                "unknown-port",
                "no row of bindings with a port_yuan is called so",
                file=tables.settings_file,
                row=f"ports.{i}",
                found=port,
                hint=did_you_mean(port, known) or "Write family/chip.",
            )


def _check_zones(tables: Tables) -> None:
    """Zones that jobs, services and `open_zones` name must be a region's or a cluster's."""
    if not (tables.sound("regions", "zone") and tables.sound("clusters", "zone")):
        return
    zones = pd.concat([tables.values("regions", "zone"), tables.values("clusters", "zone")]).astype(str)
    known = pd.Index(zones[zones != ""].unique())
    for table in ("jobs", "services"):
        if tables.sound(table, "residency") and "residency" in tables.grid(table).data:
            message = "no region or cluster lies in this zone"
            report_unknown(tables, tables.grid(table), "residency", known, "unknown-zone", message)
    groups = tables.settings.switches.open_zones if tables.settings else ()
    for i, group in enumerate(groups):
        for zone in group:
            if zone not in set(known):
                tables.findings.error(
                    "unknown-zone",
                    "no region or cluster lies in this zone",
                    file=tables.settings_file,
                    row=f"switches.open_zones.{i}",
                    found=zone,
                    hint=did_you_mean(zone, known),
                )
