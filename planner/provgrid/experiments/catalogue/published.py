"""Findings of others on East Data, West Computing: reproduced in sign, or the difference explained from inputs."""

from __future__ import annotations

from provgrid.experiments.catalogue.common import (
    COAST,
    WEST,
    closed,
    confined_to,
    western_tariffs,
    why_carbon,
    why_cost,
    why_energy,
)
from provgrid.experiments.catalogue.power import A_FIFTIETH, A_TENTH
from provgrid.experiments.declared import Claim, Input, Lever, Quantity, Side, Test, assumed
from provgrid_seeds.loader import figure

PAPER = "Zhang, Li, Wang: Applied Energy 392 (2025)"
ENERGY = Quantity(name="energy at the meter", unit="MWh", read=lambda figures: figures["work_mwh"])
CARBON = Quantity(name="CO2 of the work", unit="t", read=lambda figures: figures["work_carbon_t"])


def claims() -> tuple[Claim, ...]:
    """List published findings."""
    return (
        Claim(
            id="energy_saved",
            title="Moving work west saves 4.8 to 12.5 % of its energy",
            says="Moved from the east to the west, work needs 4.8 to 12.5 % less energy.",
            published=PAPER,
            tests=(_energy(),),
        ),
        Claim(
            id="no_gain_when_duplicated",
            title="No gain is left once duplicated western sites are paid for",
            says="What moving saves does not pay for data centres that are built in the west beside those of the east.",
            published=PAPER,
            tests=(_duplicated_sites(), _duplicated_machines()),
        ),
        Claim(
            id="beijing_inner_mongolia_carbon",
            title="From Beijing to Inner Mongolia CO2 rises",
            says="Work that moves from Beijing to Inner Mongolia emits more: 24.9 % in the paper.",
            published=PAPER,
            tests=(
                _carbon(
                    "beijing-inner-mongolia",
                    ("north", "zhangjiakou", "Beijing"),
                    ("inner_mongolia", "", "Inner Mongolia"),
                    up=True,
                ),
            ),
        ),
        Claim(
            id="shanghai_sichuan_carbon",
            title="From Shanghai to Sichuan CO2 falls",
            says="Work that moves from Shanghai to Sichuan emits less: 79.6 % in the paper.",
            published=PAPER,
            tests=(
                _carbon(
                    "shanghai-sichuan",
                    ("lower_yangtze", "wuhu", "Shanghai"),
                    ("southwest", "guian", "Sichuan"),
                    up=False,
                ),
            ),
        ),
    )


def _energy() -> Test:
    return Test(
        id="energy-west",
        question="How much energy does the same training draw on the coast, and how much in the west?",
        choice="A tenth of all training, services left out, on one domestic chip everywhere: PUE alone differs.",
        a=Side(label="all on the coast", overrides=(*A_TENTH, *confined_to(*COAST))),
        b=Side(label="all in the west", overrides=(*A_TENTH, *confined_to(*WEST))),
        quantity=ENERGY,
        low=0.048,
        high=0.125,
        limit="4.8 to 12.5 % less",
        inputs=(_western_pue(),),
        explain=why_energy,
    )


def _western_pue() -> Input:
    sites = ("horinger", "guian", "qingyang", "zhongwei", "xining_haidong", "hami_yiwu", "tacheng_toli", "tianfu")
    mean = {
        end: sum(figure("clusters", one, f"pue_{end}") for one in sites) / len(sites)
        for end in ("low", "typical", "high")
    }
    levers = tuple(Lever(path=f"clusters.{one}.pue*=", slope=1.0 / mean["typical"]) for one in sites)
    return Input(
        source=";".join(f"clusters/{one}" for one in sites),
        label="the mean PUE of western sites",
        unit="",
        value=round(mean["typical"], 4),
        low=round(mean["low"], 4),
        high=round(mean["high"], 4),
        levers=levers,
        sides="b",
    )


def _duplicated_sites() -> Test:
    # The sites of the east stand already: on the full basis, too, nothing is paid for them.
    sunk = ("prices.basis=operating",)
    no_chips = ("chips.*.price_yuan=1",)
    return Test(
        id="duplicated-sites",
        question="What does training cost on the coast, and what in the west, where sites are built in addition?",
        choice="A tenth of all training on equal chips, which move from the coast and cost nothing anew. On the full "
        "basis the west pays for its buildings, power and cooling, and the coast, which has them, does not; on the "
        "other two nobody pays for sites.",
        a=Side(
            label="on the coast, sites paid for long ago",
            overrides=(*A_TENTH, *confined_to(*COAST)),
            by_basis={"full": sunk},
        ),
        b=Side(label="in the west, sites new", overrides=(*A_TENTH, *confined_to(*WEST)), by_basis={"full": no_chips}),
        high=0.0,
        limit="nothing is saved",
        inputs=(
            assumed("capital_site_yuan_per_kw", Lever(path="capital.site_yuan_per_kw="), bases=("full",)),
            assumed("capital_planned_utilisation", Lever(path="capital.planned_utilisation="), bases=("full",)),
            western_tariffs(),
        ),
        explain=why_cost,
    )


def _duplicated_machines() -> Test:
    return Test(
        id="duplicated-machines",
        question="And what if the western machines are bought in addition as well?",
        choice="As above, with the chips and servers of the west new, and those of the coast paid for.",
        a=Side(
            label="on the coast, all paid for long ago",
            overrides=(*A_TENTH, *confined_to(*COAST)),
            by_basis={"full": ("prices.basis=operating",)},
        ),
        b=Side(label="in the west, all new", overrides=(*A_TENTH, *confined_to(*WEST))),
        high=0.0,
        limit="nothing is saved",
        inputs=(assumed("capital_planned_utilisation", Lever(path="capital.planned_utilisation="), bases=("full",)),),
        bases=("full",),
        explain=why_cost,
    )


def _carbon(test_id: str, start: tuple[str, str, str], end: tuple[str, str, str], *, up: bool) -> Test:
    """Test of CO2 from one place to another; each is a region, the site of it that is left out, and a name."""
    (from_region, from_without, from_name), (to_region, to_without, to_name) = start, end
    shut = closed(*(site for site in (from_without, to_without) if site))
    plain = (*A_FIFTIETH, *shut) if up else (*A_FIFTIETH, *shut, "contracts.*.capacity_mw=0")
    contracts = Input(
        source="assumptions/hub_wind_share;assumptions/hub_solar_share",
        label="the part of the assumed western wind and sun that counts as the site's own power",
        unit="",
        value=0.0,
        low=0.0,
        high=1.0,
        levers=(Lever(path="contracts.*.capacity_mw*="),),
        stated=True,
    )
    return Test(
        id=test_id,
        question=f"How much CO2 does the same training cause in {from_name}, and how much in {to_name}?",
        choice="A fiftieth of all training, services left out, on one domestic chip. Power counts with the mean factor "
        "of the province's grid, as in the official statistics, and contracted wind and sun not at all"
        + ("; they come in as an input." if up else "."),
        a=Side(label=f"all in {from_name}", overrides=(*plain, *confined_to(from_region))),
        b=Side(label=f"all in {to_name}", overrides=(*plain, *confined_to(to_region))),
        kind="rise" if up else "saving",
        quantity=CARBON,
        low=0.0,
        limit="CO2 rises" if up else "CO2 falls",
        # Sichuan has no contracts in the scenario.
        inputs=(contracts, *_factors(up)) if up else _factors(up),
        explain=why_carbon,
    )


def _factors(beijing: bool) -> tuple[Input, ...]:
    """Emission factor of the place that work moves to: the official ones of 2021 and 2023."""
    place, name = ("inner_mongolia", "Inner Mongolia") if beijing else ("sichuan", "Sichuan")
    years = {year: figure("emission_factors", f"ef_{place}_{year}", "kgco2_per_kwh") for year in (2021, 2023)}
    return (
        Input(
            source=f"emission_factors/ef_{place}_2021;emission_factors/ef_{place}_2023",
            label=f"the emission factor of {name}",
            unit="kg/kWh",
            value=years[2023],
            low=min(years.values()),
            high=max(years.values()),
            levers=(Lever(path=f"carbon.ef_{place}_2023.carbon_kg_per_kwh="),),
        ),
    )
