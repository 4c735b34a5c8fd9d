"""The scenario as a planner writes it: short tables as pydantic rows, long tables as columns.

A scenario is a folder: `scenario.toml` plus one CSV or Parquet file per table. Short tables (a few hundred rows at
most) become tuples of the row classes below. Long tables (`jobs`, `services`, `demand` and the profiles `tariffs`,
`renewables`, `carbon`) stay pandas frames whose columns `tables.py` describes. Every name carries its unit. Blank
cells mean "none"; unknown columns and keys are errors. Hours are Beijing time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NaiveDatetime

from provgrid_models.words import counted

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from provgrid_models.provenance import Provenance

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.\-/]*$"
Identifier = Annotated[str, Field(pattern=ID_PATTERN, max_length=120)]
NAME_LETTERS = (
    "A-Za-z0-9\u00c0-\u024f\u3400-\u9fff"  # Latin and Chinese; spelled out, as tools read patterns differently
)
NAME_PATTERN = rf"^[{NAME_LETTERS}][{NAME_LETTERS}_.\-/]*$"
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=120)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class Strict(BaseModel):
    """Base of everything that a planner writes: frozen, and no key passes unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


# scenario.toml -------------------------------------------------------------------------------------------------


class HorizonBlock(Strict):
    """Consecutive periods that share a weight, e.g. one typical week that stands for thirteen."""

    start: datetime = Field(description="Beijing time of the block's first period, no zone suffix")
    periods: int = Field(gt=0, description="periods in the block")
    weight: Positive = Field(1.0, description="real periods that each period stands for")


class Horizon(Strict):
    """When the plan runs."""

    start: datetime = Field(description="Beijing time of the first period, no zone suffix")
    periods: int = Field(gt=0, le=8784, description="number of periods T")
    period_h: Positive = Field(1.0, description="length of a period [h]")
    blocks: tuple[HorizonBlock, ...] = Field(
        (),
        description="typical blocks in order; their periods sum to `periods`; empty = one block of weight 1",
    )


class Switches(Strict):
    """What takes part in the model."""

    demand_charge: bool = Field(True, description="charge each cluster's peak grid power")
    links: bool = Field(True, description="limit traffic by link bandwidth")
    latency: bool = Field(True, description="close pools whose latency is above a service's SLO")
    residency: bool = Field(True, description="keep data in the zones that a job or service names")
    open_zones: tuple[tuple[str, ...], ...] = Field(
        (), description="groups of data zones that count as one, e.g. [['guangdong', 'hongkong']]"
    )


class PriceSettings(Strict):
    """Prices that hold everywhere, and which costs count."""

    basis: Literal["energy", "operating", "full"] = Field(
        "operating",
        description="energy: neither network nor demand charge; full: operating cost and the rent of accelerators",
    )
    carbon_price_yuan_per_t: NonNegative = Field(0.0, description="price of emitted CO2 [yuan/t]")
    unserved_multiple: Positive = Field(
        3.0, description="unserved work costs this many times the market price of its accelerator-hours"
    )


class CapitalSettings(Strict):
    """What accelerators and sites cost to own; counts where the cost basis is full."""

    discount_rate: Annotated[float, Field(ge=0, le=1)] = Field(0.06, description="cost of capital per year")
    server_capital_factor: Annotated[float, Field(ge=1)] = Field(
        1.4, description="price of a server with its network and storage over that of its accelerators"
    )
    chip_life_years: Positive = Field(5.0, description="years that an accelerator is written off over")
    site_yuan_per_kw: NonNegative = Field(
        20_000.0, description="building, power and cooling of a site per kW drawn at the meter [yuan/kW]"
    )
    site_life_years: Positive = Field(15.0, description="years that a site is written off over")
    planned_utilisation: Annotated[float, Field(gt=0, le=1)] = Field(
        0.6, description="share of all hours that an accelerator is planned to be in use"
    )


class Limits(Strict):
    """Limits over the whole horizon."""

    carbon_budget_t: NonNegative | None = Field(None, description="most CO2 of all clusters, idle floor included [t]")


class LatencySettings(Strict):
    """Round trip = 2 * (great circle * us_per_km * route_factor + equipment); design §2."""

    us_per_km: Positive = Field(4.9, description="one-way propagation in fibre [us/km]")
    route_factor: Annotated[float, Field(ge=1, le=5)] = Field(1.6, description="fibre route over great circle")
    equipment_ms: NonNegative = Field(1.0, description="one-way equipment delay [ms]")
    queue_ms: NonNegative = Field(20.0, description="queueing in front of the model, part of ttft [ms]")


class Settings(Strict):
    """`scenario.toml`, apart from `extends`, which the loader resolves."""

    name: Name = Field(description="short name; runs are named after it")
    title: str = Field("", description="one line for reports")
    description: str = Field("", description="what the scenario is about, in words")
    horizon: Horizon = Field(description="when the plan runs")
    switches: Switches = Field(default_factory=lambda: Switches(), description="what takes part in the model")
    prices: PriceSettings = Field(
        default_factory=lambda: PriceSettings(), description="prices that hold everywhere, and which costs count"
    )
    capital: CapitalSettings = Field(
        default_factory=lambda: CapitalSettings(),
        description="what accelerators and sites cost to own; counts where the cost basis is full",
    )
    limits: Limits = Field(default_factory=lambda: Limits(), description="limits over the whole horizon")
    latency: LatencySettings = Field(
        default_factory=lambda: LatencySettings(), description="how round trips are worked out that no route gives"
    )
    ports: tuple[str, ...] = Field(
        (), description="ports that are paid for, as family/chip: rows of bindings with a port_yuan"
    )
    assumptions: tuple[str, ...] = Field((), description="what was assumed when this scenario was made, in words")
    sources: dict[str, str] = Field(
        default_factory=dict,
        description="where numbers come from: dotted path of a setting, or table.column, or table, to `table/row` "
        "tokens separated by semicolons",
    )
    uncertain: dict[str, tuple[float, float]] = Field(
        default_factory=dict,
        description="range of a number that is unsure, low and high, by the path that --set takes (of a "
        "factor on all that it names, with * at its end); `solve --uncertain` draws it",
    )
    generate: dict[str, Any] = Field(
        default_factory=dict,
        description="how jobs and services are drawn where no table gives them (see demand.GenerateSettings)",
    )


# Short tables --------------------------------------------------------------------------------------------------


class Row(Strict):
    """A row of a short table; `source` and `quality` say where its figures come from."""

    source: str | None = Field(
        None, description="facts, table rows and assumptions behind the figures: `table/row` tokens with semicolons"
    )
    quality: Literal["measured", "published", "assumed", "secondary"] | None = Field(
        None, description="how sure its figures are"
    )


class Region(Row):
    """Where demand starts: a province or a city."""

    id: Identifier = Field(description="region that jobs, services and routes name")
    name: str = Field("", description="name in English, for reports")
    name_zh: str = Field("", description="name in Chinese, for reports")
    province: str = Field("", description="province that the region is or lies in")
    zone: str = Field(description="data zone")
    latitude_deg: Latitude = Field(description="north is positive [degrees]")
    longitude_deg: Longitude = Field(description="east is positive [degrees]")
    population_million: NonNegative | None = Field(None, description="people, for generated demand [million]")
    gdp_billion_yuan: NonNegative | None = Field(None, description="GDP, for generated demand [billion yuan a year]")
    demand_weight: NonNegative | None = Field(None, description="share of generated demand, any scale")


class Cluster(Row):
    """A data-centre site."""

    id: Identifier = Field(description="cluster that pools, contracts and routes name")
    name: str = Field("", description="name in English, for reports")
    name_zh: str = Field("", description="name in Chinese, for reports")
    province: str = Field("", description="province that the cluster lies in")
    region: str | None = Field(None, description="home region, where the cluster is a city's own")
    zone: str = Field(description="data zone")
    tier: Literal["city", "provincial", "national_hub"] = Field(
        description="whose site it is; orders the policy overflow"
    )
    latitude_deg: Latitude = Field(description="north is positive [degrees]")
    longitude_deg: Longitude = Field(description="east is positive [degrees]")
    pue: Annotated[float, Field(ge=1.0, le=3.0)] = Field(description="power usage effectiveness")
    tariff: str = Field(description="key into the tariffs table")
    carbon: str = Field(description="key into the carbon table, intensity of grid power")
    grid_limit_mw: NonNegative | None = Field(None, description="most grid power; blank = no limit [MW]")
    demand_charge_yuan_per_kw_month: NonNegative = Field(
        0.0, description="charge on the month's peak of grid power [yuan/kW and month]"
    )
    site_yuan_per_kw: NonNegative | None = Field(
        None, description="building, power and cooling per kW drawn; blank = capital.site_yuan_per_kw [yuan/kW]"
    )


class Contract(Row):
    """Contracted renewable power of a cluster: one supply block beside the grid."""

    id: Identifier = Field(description="name of the contract")
    cluster: Identifier = Field(description="cluster that it supplies")
    energy: Literal["solar", "wind", "hydro", "nuclear", "storage", "other"] = Field(description="kind of energy")
    capacity_mw: NonNegative = Field(description="nameplate that the contract covers [MW]")
    price_yuan_per_kwh: Annotated[float, Field(allow_inf_nan=False)] = Field(description="price of its energy")
    carbon_kg_per_kwh: NonNegative = Field(0.0, description="CO2 of one kWh of its energy")
    take_or_pay: bool = Field(False, description="paid whether used or not: a constant, with no marginal price")
    profile: str | None = Field(None, description="key into the renewables table; blank = always available")


class Chip(Row):
    """An accelerator type."""

    id: Identifier = Field(description="chip that pools and bindings name")
    name: str = Field("", description="name for reports")
    vendor: str = Field("", description="who makes it")
    origin: str = Field("", description="country of the vendor")
    peak_fp16_tflops: Positive = Field(description="dense FP16/BF16 peak [TFLOPS]")
    peak_fp8_tflops: Positive | None = Field(None, description="dense FP8/INT8 peak; blank = not supported [TFLOPS]")
    memory_gb: Positive = Field(description="memory of one accelerator [GB]")
    busy_kw: Positive = Field(description="power of one busy accelerator, without server overhead [kW]")
    idle_kw: NonNegative = Field(description="power of one idle accelerator, without server overhead [kW]")
    server_overhead: Annotated[float, Field(ge=1, le=3)] = Field(1.0, description="server power over accelerator power")
    market_price_yuan_per_h: Positive = Field(description="rent of one accelerator for an hour [yuan/h]")
    price_yuan: Positive | None = Field(None, description="purchase price; blank = unknown [yuan]")


class Pool(Row):
    """The accelerators of one chip at one cluster."""

    id: Identifier = Field(description="pool that prices and plans name, e.g. cluster/chip")
    cluster: Identifier = Field(description="cluster that it stands in")
    chip: Identifier = Field(description="chip of all its accelerators")
    accelerators: NonNegative = Field(description="installed accelerators")
    availability: Fraction = Field(1.0, description="share of the installed accelerators that is usable")
    tenant: str | None = Field(None, description="owner; blank = shared by all tenants")


class Expansion(Row):
    """Accelerators that join a pool on a date: capacity that grows along the horizon."""

    pool: Identifier = Field(description="pool that grows")
    start: NaiveDatetime = Field(description="Beijing time from which on they are there, no zone suffix")
    accelerators: NonNegative = Field(description="accelerators added, as available as those of the pool")


class Link(Row):
    """A network link; traffic of both directions counts against its bandwidth."""

    id: Identifier = Field(description="link that routes name")
    from_place: str = Field("", description="one end, for reports")
    to_place: str = Field("", description="the other end, for reports")
    bandwidth_gbps: NonNegative = Field(description="most traffic, both directions together [Gbit/s]")
    price_yuan_per_gb: NonNegative = Field(0.0, description="price of moving data [yuan/GB]")


class Route(Row):
    """The links from a region to a cluster, in order, separated by semicolons; blank = same place, no link."""

    region: Identifier = Field(description="where the route begins")
    cluster: Identifier = Field(description="where it ends")
    links: str | None = Field(None, description="links in order, with semicolons; blank = same place, no link")
    round_trip_ms: NonNegative | None = Field(None, description="given round trip; blank = by formula [ms]")


class Family(Row):
    """A model family."""

    id: Identifier = Field(description="family that jobs, services and bindings name")
    name: str = Field("", description="name for reports")
    prefill_ms: NonNegative = Field(0.0, description="time to process the prompt, part of ttft [ms]")
    tpot_ms: NonNegative = Field(0.0, description="time per output token [ms]")


class Binding(Row):
    """The chip-model binding: how well a family runs on a chip. No row, or a blank figure, means never ported."""

    family: Identifier = Field(description="model family")
    chip: Identifier = Field(description="chip that it runs on")
    mfu: Annotated[float, Field(gt=0, le=1)] | None = Field(None, description="model FLOPs utilisation in training")
    tokens_per_s: Positive | None = Field(None, description="inference tokens/s of one accelerator")
    min_accelerators: Annotated[float, Field(ge=1)] = Field(
        1.0, description="accelerators that the family's memory needs at the least"
    )
    prefill_ms: NonNegative | None = Field(None, description="overrides the family's figure on this chip [ms]")
    tpot_ms: NonNegative | None = Field(None, description="overrides the family's figure on this chip [ms]")
    port_yuan: NonNegative | None = Field(
        None, description="cost of porting the family; the row then counts only where `ports` opens it [yuan]"
    )
    port_life_years: Positive = Field(3.0, description="years that the port is written off over")


class Tenant(Row):
    """Whose work it is: a city, a firm, a programme."""

    id: Identifier = Field(description="tenant that jobs, services and pools name")
    name: str = Field("", description="name for reports")
    kind: Literal["city", "firm", "programme", "province"] = Field("firm", description="what kind of tenant it is")
    share: Fraction | None = Field(
        None,
        description="share of each shared pool where nobody shares; blank = in proportion to its asked work",
    )
    rent_discount: Fraction = Field(0.0, description="share of the rent of its work that the public purse bears")
    subsidy_yuan_per_accelerator_h: NonNegative = Field(
        0.0, description="public money for each accelerator-hour that its work uses [yuan/h]"
    )
    terms_province: str | None = Field(
        None, description="province whose clusters discount and subsidy hold in; blank = everywhere"
    )


SHORT_TABLES: dict[str, type[Row]] = {
    "regions": Region,
    "clusters": Cluster,
    "contracts": Contract,
    "chips": Chip,
    "pools": Pool,
    "expansions": Expansion,
    "links": Link,
    "routes": Route,
    "families": Family,
    "bindings": Binding,
    "tenants": Tenant,
}


@dataclass(frozen=True, eq=False)
class Scenario:
    """Everything that a plan needs, resolved: settings, short tables as rows, long tables as frames.

    `jobs`, `services`, `demand`, `tariffs`, `renewables` and `carbon` follow `tables.LONG_TABLES`; optional columns
    are filled with their defaults. `folder` is where it was loaded from, if anywhere.
    """

    settings: Settings
    regions: tuple[Region, ...]
    clusters: tuple[Cluster, ...]
    chips: tuple[Chip, ...]
    pools: tuple[Pool, ...]
    families: tuple[Family, ...]
    bindings: tuple[Binding, ...]
    tariffs: pd.DataFrame
    carbon: pd.DataFrame
    renewables: pd.DataFrame
    jobs: pd.DataFrame
    services: pd.DataFrame
    demand: pd.DataFrame
    contracts: tuple[Contract, ...] = ()
    expansions: tuple[Expansion, ...] = ()
    links: tuple[Link, ...] = ()
    routes: tuple[Route, ...] = ()
    tenants: tuple[Tenant, ...] = ()
    folder: Path | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        periods, jobs, services = self.settings.horizon.periods, len(self.jobs), len(self.services)
        work = f"{counted(jobs, 'job')}, {counted(services, 'service')}"
        return f"<Scenario {self.name}: {work}, {counted(len(self.pools), 'pool')}, {counted(periods, 'period')}>"

    @property
    def name(self) -> str:
        """The scenario's identifier."""
        return self.settings.name

    @cached_property
    def provenance(self) -> tuple[Provenance, ...]:
        """Where each of its numbers comes from."""
        from provgrid_models.provenance import provenance

        return provenance(self)
