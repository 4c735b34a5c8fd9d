"""How demand is drawn: the `[generate]` table of `scenario.toml`, as data."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from provgrid_models.errors import ScenarioError
from provgrid_models.findings import Findings
from provgrid_models.scenario import Fraction, Identifier, NonNegative, Positive, Strict

WeightColumn = Literal["population_million", "gdp_billion_yuan", "demand_weight"]
Growth = Annotated[float, Field(gt=-1, allow_inf_nan=False)]
Shares = dict[Identifier, Fraction]


class Draw(Strict):
    """What both kinds of demand share: seed, regional weights, growth, tenants, residency."""

    seed: int = Field(0, ge=0, description="seed of the draw; the same seed gives the same tables")
    weights: dict[WeightColumn, Fraction] = Field(
        {"demand_weight": 1.0},
        description="share of demand that follows each column of the regions table",
    )
    growth_per_year: dict[Identifier, Growth] = Field(
        default_factory=dict, description="yearly growth by region as a fraction, e.g. net inflow of people"
    )
    growth_years: NonNegative = Field(0.0, description="years of growth after the figures of the regions table")
    tenants: Shares = Field(
        default_factory=dict,
        description="share of the work by tenant; the rest belongs to the tenant named like its region, if any",
    )
    resident_share: Fraction = Field(0.0, description="share whose data may not leave its region's zone")

    @property
    def followed(self) -> dict[WeightColumn, float]:
        """Columns of the regions table that demand follows, with their shares; a share of 0 switches a column off."""
        return {column: share for column, share in self.weights.items() if share > 0}

    @model_validator(mode="after")
    def _shares_make_sense(self) -> Self:
        if not self.weights or sum(self.weights.values()) <= 0:
            raise ValueError("weights must name at least one column with a share above 0")
        if sum(self.tenants.values()) > 1 + 1e-9:
            raise ValueError(f"the shares of tenants sum to {sum(self.tenants.values()):g}; at most 1 is possible")
        return self


class Training(Draw):
    """Training jobs, sized by the measured distribution of planned jobs (tables/size_quantiles)."""

    jobs: int = Field(gt=0, le=5_000_000, description="number of jobs")
    capacity_share: Fraction | None = Field(None, description="work over what all pools can do in the horizon")
    work_pflop_h: Positive | None = Field(None, description="work of all jobs, instead of capacity_share [PFLOP-h]")
    families: Shares = Field(description="share of the jobs by model family")
    population: Literal["planned", "all"] = Field(
        "planned", description="measured jobs of at least 10 GPU-hours, or every job"
    )
    gang_scale: Positive = Field(1.0, description="accelerators of a job over the GPUs of the measured job")
    largest_gang: Annotated[float, Field(ge=1)] = Field(256.0, description="no job uses more accelerators")
    longest_run_share: Annotated[float, Field(gt=0, le=1)] = Field(
        0.5, description="longest run on the mean chip over the horizon"
    )
    window_slack: tuple[Positive, Positive] = Field((1.5, 4.0), description="window over run time, low and high")
    rigid_share: Fraction = Field(0.0, description="share of jobs that hold a fixed gang")
    bases: int = Field(0, ge=0, description="base models, the largest of the jobs")
    verticals_per_base: int = Field(0, ge=0, description="vertical models that come after each base")
    checkpoint_gb: dict[Identifier, NonNegative] = Field(default_factory=dict, description="checkpoint by family [GB]")
    data_gb: tuple[Positive, Positive] = Field((50.0, 5000.0), description="smallest and largest data set [GB]")
    move_gbps: Positive = Field(10.0, description="rate at which data moves [Gbit/s]")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if (self.capacity_share is None) == (self.work_pflop_h is None):
            raise ValueError("give either capacity_share or work_pflop_h")
        if sum(self.families.values()) <= 0:
            raise ValueError("families must name at least one family with a share above 0")
        if self.bases * (1 + self.verticals_per_base) > self.jobs:
            raise ValueError("bases and their verticals are more than all jobs; lower bases or raise jobs")
        for name in ("window_slack", "data_gb"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} has its low end {low:g} above its high end {high:g}")
        if self.window_slack[0] < 1:
            raise ValueError("window_slack must be at least 1, or no job fits its window")
        return self


class ServiceClass(Strict):
    """One latency class of inference, asked for by every region."""

    id: Identifier = Field(description="name of the class; its services are named class-region")
    family: Identifier = Field(description="model family")
    share: Positive = Field(description="share of the inference load; shares are scaled to sum to 1")
    slo_metric: Literal["network_rtt", "ttft", "tpot"] = Field("network_rtt", description="what the SLO bounds")
    slo_ms: Positive = Field(description="SLO [ms]")
    shape: str | tuple[NonNegative, ...] = Field(description="name in tables/diurnal_shapes, or 24 numbers")
    max_utilisation: Annotated[float, Field(gt=0, le=1)] = Field(
        0.7, description="share of its accelerators that it may fill"
    )
    kb_in_per_ktoken: NonNegative = Field(0.0, description="kB received per thousand tokens")
    kb_out_per_ktoken: NonNegative = Field(0.0, description="kB sent per thousand tokens")
    hard: bool = Field(False, description="must be served")
    regions: tuple[Identifier, ...] = Field((), description="regions that ask for it; empty = all")

    @model_validator(mode="after")
    def _day(self) -> Self:
        if not isinstance(self.shape, str) and (len(self.shape) != 24 or sum(self.shape) <= 0):
            raise ValueError(f"shape has {len(self.shape)} numbers; 24 are needed, not all 0")
        return self


class Inference(Draw):
    """Inference services: one per region and class, with a diurnal shape and a level for each day."""

    capacity_share: Fraction | None = Field(None, description="mean accelerators held over all usable accelerators")
    tokens_per_day: Positive | None = Field(None, description="tokens of all services, instead of capacity_share")
    classes: tuple[ServiceClass, ...] = Field(min_length=1, description="latency classes, one table each")
    day_noise: NonNegative = Field(0.0, le=2, description="standard deviation of the logarithm of day totals")
    weekend_factor: Positive = Field(1.0, description="Saturdays and Sundays over working days")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if (self.capacity_share is None) == (self.tokens_per_day is None):
            raise ValueError("give either capacity_share or tokens_per_day")
        names = [one.id for one in self.classes]
        if len(set(names)) < len(names):
            raise ValueError("two classes have the same id")
        return self


class GenerateSettings(Strict):
    """The `[generate]` table: what is drawn, and how."""

    training: Training | None = Field(None, description="training jobs that are drawn")
    inference: Inference | None = Field(None, description="inference services that are drawn")


def parse(generate: dict[str, Any]) -> GenerateSettings:
    """Read the `[generate]` table.

    Raises
    ------
    ScenarioError
        With one finding per key that is unknown, missing or out of range.
    """
    try:
        return GenerateSettings.model_validate(generate)
    except ValidationError as error:
        findings = Findings()
        for problem in error.errors():
            key = ".".join(["generate", *(str(part) for part in problem["loc"])])
            found = problem.get("input")
            findings.error(
                "generate-settings",
                problem["msg"].removeprefix("Value error, "),
                file="scenario.toml",
                row=key,
                found=str(found) if isinstance(found, str | int | float) else None,
                hint="See GenerateSettings in `provgrid schema`.",
            )
        raise settings_error(findings) from error


def settings_error(findings: Findings) -> ScenarioError:
    """One error for all that is wrong with the `[generate]` table."""
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return ScenarioError(f"demand cannot be generated: {findings[0].text()}{more}", findings)
