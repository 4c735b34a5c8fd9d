"""Where power is cheap: training in the west, on the coast, in Xinjiang; and what western sun and wind replace."""

from __future__ import annotations

from provgrid.experiments.catalogue.coastal import coastal_power
from provgrid.experiments.catalogue.common import (
    COAST,
    DOMESTIC_CHIPS,
    SMALLEST,
    TRAINING_ALONE,
    WEST,
    confined_to,
    part_of_training,
    planned_utilisation,
    private_line,
    scaled_tariffs,
    sites_in,
    sum_of,
    total,
    western_tariffs,
    why_cost,
    wind,
)
from provgrid.experiments.declared import SCENARIO, Claim, Quantity, Side, Test, assumed, times

A_TENTH = (*TRAINING_ALONE, *DOMESTIC_CHIPS, *part_of_training(0.1))
A_FIFTIETH = (*TRAINING_ALONE, *DOMESTIC_CHIPS, *part_of_training(0.02))
EASTERN_TARIFFS = ("beijing", "hebei_north", "shanghai", "anhui", "zhejiang", "guangdong", "guangdong_north")
EASTERN_GRID = total("grid_mwh", sites_in("north", *COAST))


def claims() -> tuple[Claim, ...]:
    """Claims about power and place."""
    return (
        Claim(
            id="western_power_cheaper",
            title="Western power makes training cheaper than on the coast",
            says="Xinjiang's wind and sun, and western power at large, run data centres and train models at less cost "
            "than the coast can.",
            facts=(
                "xinjiang_low_cost_renewables",
                "west_operates_cheaper",
                "western_centres_cheapen_training",
                "eastern_power_is_dear",
            ),
            tests=(_west_against_coast(), _xinjiang_against_coast(), _coastal_power()),
        ),
        Claim(
            id="renewables_relieve_east",
            title="Local renewables cut reliance on the costly eastern grid",
            says="Computing on western wind and sun needs less of the dear grid power of the industrial east.",
            facts=("renewables_relieve_eastern_grid", "xinjiang_sun_and_wind"),
            tests=(_eastern_grid(),),
        ),
    )


def _west_against_coast() -> Test:
    return Test(
        id="west-against-coast",
        question="What does the same training cost in the west, and what at sites on the coast?",
        choice="A tenth of all training, services left out, on one domestic chip everywhere: neither side runs short, "
        "and chips differ nowhere. Data moves to where the work is.",
        a=Side(label="all on the coast", overrides=(*A_TENTH, *confined_to(*COAST))),
        b=Side(label="all in the west", overrides=(*A_TENTH, *confined_to(*WEST))),
        low=SMALLEST,
        limit="the west is cheaper by a hundredth or more",
        inputs=(western_tariffs(), wind(), private_line(), planned_utilisation()),
        explain=why_cost,
    )


def _xinjiang_against_coast() -> Test:
    return Test(
        id="xinjiang-against-coast",
        question="What does the same training cost in Xinjiang, and what on the coast?",
        choice="As above with a fiftieth of all training, for Xinjiang's machines are few.",
        a=Side(label="all on the coast", overrides=(*A_FIFTIETH, *confined_to(*COAST))),
        b=Side(label="all in Xinjiang", overrides=(*A_FIFTIETH, *confined_to("xinjiang"))),
        low=SMALLEST,
        limit="Xinjiang is cheaper by a hundredth or more",
        inputs=(western_tariffs(), wind(), private_line(), planned_utilisation()),
        explain=why_cost,
    )


def _coastal_power() -> Test:
    return Test(
        id="coastal-power",
        question="What does all work cost if western sites had the coast's power, and with their own?",
        choice="All work of the country on the same machines: western sites take Zhejiang's tariff and Hangzhou's PUE, "
        "and lose their contracts. This counts what power is worth at full use, where sun and wind are soon used up.",
        a=Side(label="coastal power in the west", overrides=coastal_power(SCENARIO)),
        b=Side(label="western power"),
        low=SMALLEST,
        limit="western power makes all work cheaper by a hundredth or more",
        inputs=(wind(),),
        explain=why_cost,
    )


def _eastern_grid() -> Test:
    solar, breeze = assumed("hub_solar_share"), assumed("hub_wind_share")
    more = assumed("hub_wind_share", *times(breeze.value, "contracts.*_wind.capacity_mw"), sides="b")
    sun = assumed("hub_solar_share", *times(solar.value, "contracts.*_solar.capacity_mw"), sides="b")
    return Test(
        id="eastern-grid",
        question="How much grid power do the eastern sites draw with western wind and sun, and how much without?",
        choice="All work of the country, the same machines; only the western contracts come and go. Idle accelerators' "
        "power counts as well.",
        a=Side(label="no contracts", overrides=("contracts.*.capacity_mw=0",)),
        b=Side(label="western wind and sun"),
        quantity=Quantity(
            name="grid power of the eastern sites",
            unit="MWh",
            read=lambda figures: sum_of(figures, EASTERN_GRID),
            dearer=scaled_tariffs(1.001, EASTERN_TARIFFS),
            cheaper=scaled_tariffs(0.999, EASTERN_TARIFFS),
        ),
        low=SMALLEST,
        limit="eastern grid power falls by a hundredth or more",
        inputs=(more, sun),
    )
