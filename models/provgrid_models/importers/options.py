"""What a planner may choose when a trace is read, one typed class per format, and when it is placed in a grid."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from math import isfinite
from typing import Any, Literal

from provgrid_models.errors import OptionError

UNPLACED = "unplaced"  # region of work whose trace names none; `into` places it


@dataclass(frozen=True, kw_only=True)
class TraceOptions:
    """Options of every format.

    `start` is the trace's own moment that becomes hour 0: a timestamp as in the file, or seconds for a trace that
    counts seconds; None = midnight before the first row (or second 0), so that hours of the day stay what they are.
    `hours` is how much of the trace is read from there; None = all of it.
    """

    start: str | float | None = None
    hours: float | None = None
    family: str = "traced-model"
    region: str = UNPLACED
    region_map: dict[str, str] = field(default_factory=dict)
    scale: float = 1.0
    seed: int = 0
    drop_duplicates: bool = True

    def __post_init__(self) -> None:
        for name in ("hours", "scale", "period_h", "slo_ms", "pflops_per_gpu", "tokens_per_request"):
            value = getattr(self, name, None)
            if value is not None and not (isfinite(value) and value > 0):
                raise OptionError(f"{name} is {value}; give a number above 0")
        if not 0 <= self.seed < 2**63:
            raise OptionError(f"seed is {self.seed}; give a whole number from 0 to 2^63 - 1")


@dataclass(frozen=True, kw_only=True)
class JobOptions(TraceOptions):
    """Options of traces whose rows become jobs.

    A GPU-hour of the trace is `pflops_per_gpu * mfu` PFLOP-hours of work. A job's deadline is its release plus the
    larger of `deadline_slack` times its run time and its run time plus `least_slack_h`. Jobs on at least
    `rigid_from_gpus` GPUs that run for at least `rigid_from_h` are rigid gangs; None = every job is elastic.
    """

    reference_chip: str = "a100"
    pflops_per_gpu: float = 0.312
    mfu: float = 0.4
    deadline_slack: float = 3.0
    least_slack_h: float = 6.0
    rigid_from_gpus: int | None = 2
    rigid_from_h: float = 1.0
    max_jobs: int | None = None
    data_gb: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.mfu <= 1:
            raise OptionError(f"mfu is {self.mfu}; give a share above 0 and at most 1")
        if not self.deadline_slack >= 1:
            raise OptionError(f"deadline_slack is {self.deadline_slack}; a job needs at least 1 times its run time")
        for name in ("least_slack_h", "rigid_from_h", "data_gb"):
            if not (isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise OptionError(f"{name} is {getattr(self, name)}; give a number from 0 up")
        if self.max_jobs is not None and self.max_jobs < 1:
            raise OptionError(f"max_jobs is {self.max_jobs}; give at least 1, or leave it out for all jobs")


@dataclass(frozen=True, kw_only=True)
class PhillyOptions(JobOptions):
    """Options of the Philly table (one row per job, virtual cluster = tenant)."""


@dataclass(frozen=True, kw_only=True)
class OpenbOptions(JobOptions):
    """Options of the openb pod list. `qos` keeps only pods of these classes; empty = all."""

    qos: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ServiceOptions(TraceOptions):
    """Options of traces whose rows become services.

    `prompt_weight` is how many tokens an input token counts as, next to 1 for an output token.
    """

    period_h: float = 1.0
    tenant: str = ""
    slo_ms: float = 100.0
    slo_metric: Literal["network_rtt", "ttft", "tpot"] = "network_rtt"
    max_utilisation: float = 0.7
    prompt_weight: float = 1.0
    kb_per_ktoken: float = 4.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.slo_metric not in ("network_rtt", "ttft", "tpot"):
            raise OptionError(f"slo_metric is {self.slo_metric!r}; choose network_rtt, ttft or tpot")
        if not 0 < self.max_utilisation <= 1:
            raise OptionError(f"max_utilisation is {self.max_utilisation}; give a share above 0 and at most 1")
        for name in ("prompt_weight", "kb_per_ktoken"):
            if not (isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise OptionError(f"{name} is {getattr(self, name)}; give a number from 0 up")


@dataclass(frozen=True, kw_only=True)
class AzureOptions(ServiceOptions):
    """Options of the Azure LLM request lists.

    `repeat`: "mean" = the mean rate of the measured span in every period; "span" = the measured periods only, 0 in
    the rest. `hours` is the length of the demand curve (None = 24), not a cut of the trace.
    """

    repeat: Literal["mean", "span"] = "mean"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.repeat not in ("mean", "span"):
            raise OptionError(f"repeat is {self.repeat!r}; choose mean or span")


@dataclass(frozen=True, kw_only=True)
class ServegenOptions(ServiceOptions):
    """Options of ServeGen folders.

    `services`: one per "client", or one per "model" (folder). `tokens_per_request` stands in for token data where no
    client of a model has any.
    """

    services: Literal["client", "model"] = "client"
    tokens_per_request: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.services not in ("client", "model"):
            raise OptionError(f"services is {self.services!r}; choose client or model")


@dataclass(frozen=True, kw_only=True)
class PlaceOptions:
    """How imported work is placed.

    `region_map`: region of the import -> region of the scenario; the rest is drawn by demand weight (seeded).
    `from_hour`: hour of the import that becomes the horizon's start; None = the whole day, at the horizon's hour of
    the day, from which most jobs are released within the horizon.
    `scale`: a factor, or "fit" = so that kept and imported work together ask for `target_utilisation` of the usable
    accelerator-hours. `keep`: the scenario's own jobs and services stay beside the imported ones.
    `max_jobs`: so many of the jobs that are released within the horizon, drawn at random (seeded); None = all of them.
    `split_services`: each service is split over all regions by demand weight; None = only where there are fewer
    services than regions.
    """

    region_map: dict[str, str] = field(default_factory=dict)
    job_family: str | None = None
    service_family: str | None = None
    from_hour: float | None = None
    scale: float | Literal["fit"] = "fit"
    target_utilisation: float = 0.6
    keep: bool = False
    max_jobs: int | None = None
    split_services: bool | None = None
    seed: int = 0
    name: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.scale, str):
            if self.scale != "fit":
                raise OptionError(f"scale is {self.scale!r}; give a factor above 0, or fit")
        elif not (isfinite(self.scale) and self.scale > 0):
            raise OptionError(f"scale is {self.scale}; give a factor above 0, or fit")
        if not 0 < self.target_utilisation <= 1:
            raise OptionError(f"target_utilisation is {self.target_utilisation}; give a share above 0 and at most 1")
        if self.from_hour is not None and not (isfinite(self.from_hour) and self.from_hour >= 0):
            raise OptionError(f"from_hour is {self.from_hour}; give an hour from 0 up")
        if self.max_jobs is not None and self.max_jobs < 1:
            raise OptionError(f"max_jobs is {self.max_jobs}; give at least 1, or leave it out for all jobs")
        if not 0 <= self.seed < 2**63:
            raise OptionError(f"seed is {self.seed}; give a whole number from 0 to 2^63 - 1")


OPTIONS: dict[str, type[TraceOptions]] = {
    "philly": PhillyOptions,
    "openb": OpenbOptions,
    "azure-llm": AzureOptions,
    "servegen": ServegenOptions,
}


def options_for(kind: str, **given: Any) -> TraceOptions:
    """Build the options of one format from keywords; an unknown name is an `OptionError` that lists the known ones."""
    known = sorted(f.name for f in fields(OPTIONS[kind]))
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise OptionError(f"{kind} has no option {', '.join(unknown)}; it has {', '.join(known)}")
    return OPTIONS[kind](**given)
