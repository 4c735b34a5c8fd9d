"""Chips: better software against more of them, and what is left without imported ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provgrid.experiments.catalogue.common import DOMESTIC_CHIPS, SMALLEST, why_cost
from provgrid.experiments.declared import Claim, Lever, Quantity, Side, Test, assumed, times

if TYPE_CHECKING:
    from provgrid.experiments.declared import Figures

TEN_PERCENT = 1.1
MET = 0.01  # of the work may be left where demand still counts as met
WORK = ("work_pflop_h", "max_accelerators", "data_gb", "move_gbps")


def claims() -> tuple[Claim, ...]:
    """Claims about chips."""
    return (
        Claim(
            id="binding_beats_teraflops",
            title="Binding beats raw teraflops",
            says="Where chips are scarce, software that gets more out of each of them is worth more than more of them.",
            facts=(
                "chip_model_binding",
                "software_for_slower_chips",
                "optimisation_over_growth",
                "efficiency_over_teraflops",
            ),
            tests=(_ten_percent(),),
        ),
        Claim(
            id="demand_met_in_scarcity",
            title="Demand can be met under chip scarcity",
            says="Cut off from imported chips, the country meets a growing demand with its own.",
            facts=("supply_against_demand", "limited_services", "domestic_capacity_grows", "efficiency_over_teraflops"),
            tests=(_without_imports(), _frozen_imports()),
        ),
    )


def efficient(factor: float) -> tuple[str, ...]:
    """Return overrides that raise what every family gets out of every chip."""
    return (f"bindings.*.mfu*={factor:g}", f"bindings.*.tokens_per_s*={factor:g}")


def enlarged(factor: float) -> tuple[str, ...]:
    """Return overrides that raise the number of accelerators, and the power that they may draw."""
    return (f"pools.*.accelerators*={factor:g}", f"clusters.*.grid_limit_mw*={factor:g}")


def _training_asked() -> tuple[Lever, ...]:
    return times(assumed("gen_national_training_share").value, *(f"jobs.*.{column}" for column in WORK))


def _ten_percent() -> Test:
    return Test(
        id="ten-percent",
        question="What does all work cost with ten per cent more accelerators, and with ten per cent more out of each?",
        choice="All work of the country, anywhere; the same factor on the number of accelerators, or on MFU and tokens "
        "per second. What either step costs to bring about is not known, and left out of both.",
        a=Side(label="10 % more accelerators", overrides=enlarged(TEN_PERCENT)),
        b=Side(label="10 % more out of each", overrides=efficient(TEN_PERCENT)),
        low=SMALLEST,
        limit="better software is worth more by a hundredth of the cost or more",
        inputs=(assumed("gen_national_training_share", *_training_asked()),),
        explain=why_cost,
    )


def _left(figures: Figures) -> float:
    return max(figures["unserved_training"], figures["unserved_tokens"])


def _what_is_left(_: Figures, b: Figures) -> str:
    return f"left: {b['unserved_training']:.3g} of the training, {b['unserved_tokens']:.3g} of the tokens"


LEFT = Quantity(
    name="work left unserved (training or tokens, the larger share)",
    unit="",
    read=_left,
    dearer=("prices.unserved_multiple*=1.01",),
    cheaper=("prices.unserved_multiple*=0.99",),
)


def _without_imports() -> Test:
    grown = (f"{path}*=" for path in ("pools.*/ascend_910c.accelerators", "clusters.*.grid_limit_mw"))
    return Test(
        id="without-imports",
        question="How much of today's work is left if imported chips are gone?",
        choice="All work of the country, anywhere; work that no domestic chip was ever fitted to is left as well. The "
        "plan serves what is worth most.",
        b=Side(label="domestic chips alone", overrides=DOMESTIC_CHIPS),
        kind="level",
        quantity=LEFT,
        high=MET,
        limit="a hundredth of the work or less is left",
        inputs=(assumed("claims_domestic_growth", *(Lever(path=path) for path in grown), stated=True),),
        explain=_what_is_left,
    )


def _frozen_imports() -> Test:
    asked = [f"jobs.*.{column}*=" for column in WORK] + ["demand.*.tokens_per_s*=", "links.*.bandwidth_gbps*="]
    grown = (f"{path}*=" for path in ("pools.*/ascend_910c.accelerators", "clusters.*.grid_limit_mw"))
    return Test(
        id="frozen-imports",
        question="How much work is left once demand has grown and imported chips have not?",
        choice="Imported chips stay as they are; domestic ones, power and demand grow by factors of their own.",
        b=Side(label="imports frozen"),
        kind="level",
        quantity=LEFT,
        high=MET,
        limit="a hundredth of the work or less is left",
        inputs=(
            assumed("claims_demand_growth", *(Lever(path=path) for path in asked), stated=True),
            assumed("claims_domestic_growth", *(Lever(path=path) for path in grown), stated=True),
        ),
        explain=_what_is_left,
    )
