"""Whether training in China gets cheaper by 15 %: by moving it, and by subsidies on power."""

from __future__ import annotations

from provgrid.experiments.catalogue.common import (
    TRAINING_ALONE,
    WESTERN_TARIFFS,
    at_home,
    planned_utilisation,
    private_line,
    western_tariffs,
    why_cost,
    wind,
)
from provgrid.experiments.catalogue.power import A_TENTH
from provgrid.experiments.declared import Claim, Lever, Side, Test, assumed

FIFTEEN_PERCENT = 0.15


def claims() -> tuple[Claim, ...]:
    """Claims about the cost of training."""
    return (
        Claim(
            id="training_cost_falls",
            title="Training cost in China falls by at least 15 %",
            says="Running large trainings gets cheaper by 15 % or more, through western data centres and through what "
            "regions add to the power bill.",
            facts=("training_cost_15_percent", "western_centres_cheapen_training"),
            tests=(_by_moving(), _by_subsidy()),
        ),
    )


def _by_moving() -> Test:
    return Test(
        id="by-moving",
        question="What does training cost where its data is, and what where it is cheapest?",
        choice="A tenth of all training, services left out, on one domestic chip everywhere: every region can do its "
        "own, so that both plans serve all of it.",
        a=Side(label="each region's at home", overrides=(*A_TENTH, *at_home("jobs"))),
        b=Side(label="anywhere", overrides=A_TENTH),
        low=FIFTEEN_PERCENT,
        limit="cheaper by 15 % or more",
        inputs=(western_tariffs(), wind(), private_line(), planned_utilisation()),
        explain=why_cost,
    )


def _by_subsidy() -> Test:
    # What is left of the bill is 1 - subsidy.
    levers = tuple(Lever(path=f"tariffs.{one}.price_yuan_per_kwh*=", offset=1.0, slope=-1.0) for one in WESTERN_TARIFFS)
    return Test(
        id="by-subsidy",
        question="What does all training cost with and without a subsidy on western grid power?",
        choice="All training, services left out, today's machines, anywhere: only the western tariffs change.",
        a=Side(label="tariffs as they are", overrides=TRAINING_ALONE),
        b=Side(label="western tariffs subsidised", overrides=TRAINING_ALONE),
        low=FIFTEEN_PERCENT,
        limit="cheaper by 15 % or more",
        inputs=(assumed("claims_power_subsidy", *levers, sides="b", stated=True), planned_utilisation()),
        explain=why_cost,
    )
