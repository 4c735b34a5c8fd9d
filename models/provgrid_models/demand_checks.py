"""Checks the `[generate]` table against the scenario that it is to fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provgrid_models.demand_pools import Pools
from provgrid_models.demand_settings import Draw, Inference, Training
from provgrid_models.findings import Findings, did_you_mean
from provgrid_seeds import loader

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from provgrid_models.scenario import Scenario


def check_names(settings: Draw, scenario: Scenario, findings: Findings) -> None:
    """Every name in the settings exists, and the figures that weights need are there."""
    kind = "training" if isinstance(settings, Training) else "inference"
    regions = [region.id for region in scenario.regions]
    families = [family.id for family in scenario.families]

    def known(key: str, names: Iterable[str], existing: Sequence[str], table: str) -> None:
        for name in names:
            if name not in existing:
                findings.error(
                    "generate-reference",
                    f"there is no such row in {table}",
                    file="scenario.toml",
                    row=f"generate.{kind}.{key}",
                    found=name,
                    hint=did_you_mean(name, existing),
                )

    known("tenants", settings.tenants, [tenant.id for tenant in scenario.tenants], "tenants")
    known("growth_per_year", settings.growth_per_year, regions, "regions")
    if isinstance(settings, Training):
        known("families", settings.families, families, "families")
        known("checkpoint_gb", settings.checkpoint_gb, families, "families")
    elif isinstance(settings, Inference):
        shapes = sorted({str(row["shape"]) for row in loader.table("diurnal_shapes")})
        for k, one in enumerate(settings.classes):
            known(f"classes.{k}.family", [one.family], families, "families")
            known(f"classes.{k}.regions", one.regions, regions, "regions")
            if isinstance(one.shape, str):
                known(f"classes.{k}.shape", [one.shape], shapes, "tables/diurnal_shapes")
    _check_weights(settings, scenario, kind, findings)
    _check_rates(settings, scenario, kind, findings)


def _check_weights(settings: Draw, scenario: Scenario, kind: str, findings: Findings) -> None:
    """Every region has the figures that demand follows, and they do not sum to 0."""
    for column in settings.followed:
        figures = [getattr(region, column) for region in scenario.regions]
        blank = [region.id for region, figure in zip(scenario.regions, figures, strict=True) if figure is None]
        if blank or not sum(figure or 0.0 for figure in figures) > 0:
            findings.error(
                "generate-weights",
                f"demand follows {column}, which is blank or 0 in {', '.join(blank[:5]) or 'every region'}",
                file="scenario.toml",
                row=f"generate.{kind}.weights",
                found=column,
                hint="Fill the column in the regions table, or let demand follow another one.",
            )


def _check_rates(settings: Draw, scenario: Scenario, kind: str, findings: Findings) -> None:
    """Every family that is drawn runs in some pool."""
    pools = Pools.of(scenario)
    rates = pools.train_pflops if isinstance(settings, Training) else pools.tokens_per_s
    drawn_families: list[str] = []
    if isinstance(settings, Training):
        drawn_families = [name for name, share in settings.families.items() if share > 0]
    elif isinstance(settings, Inference):
        drawn_families = [one.family for one in settings.classes]
    for name in sorted(set(drawn_families) & set(pools.families)):
        if not (rates[pools.families[name]] > 0).any():
            findings.error(
                "generate-no-pool",
                "no pool can run this family",
                file="scenario.toml",
                row=f"generate.{kind}",
                found=name,
                hint="Add a row to the bindings table, or a larger pool.",
            )
