"""Which places become main nodes: Xinjiang by 2028, Guangdong by 2025."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provgrid.experiments.catalogue.common import installed, scaled_tariffs, sites_in
from provgrid.experiments.declared import Claim, Input, Lever, Quantity, Side, Test, assumed
from provgrid_seeds import facts
from provgrid_seeds.build_national_lite import SITES
from provgrid_seeds.loader import assumption, figure

if TYPE_CHECKING:
    from provgrid.experiments.declared import Figures

XINJIANG = sites_in("xinjiang")
GUANGDONG = ("shaoguan", "shenzhen")
PRIMARY = 3  # a primary node is among this many largest


def claims() -> tuple[Claim, ...]:
    """Claims about the rank of places."""
    return (
        Claim(
            id="xinjiang_primary_node",
            title="Xinjiang becomes a primary training node by 2028",
            says="With 170 billion yuan of state-owned firms' projects, computing among them, Xinjiang turns into one "
            "of the main places of AI training by 2028.",
            facts=("xinjiang_primary_by_2028", "xinjiang_primary_hub", "capital_carries_power_demand"),
            tests=(_xinjiang(),),
        ),
        Claim(
            id="guangdong_leads",
            title="Guangdong leads the country in intelligent computing power by 2025",
            says="Guangdong wants more intelligent computing power than any other province by 2025.",
            facts=("guangdong_first_2025",),
            tests=(_guangdong(),),
        ),
    )


def rank(places: tuple[str, ...], n: int) -> Quantity:
    """Training of some sites together over that of the n-th largest of all others: 1 or more = among the n largest."""
    others = [site for site in SITES if site not in places]

    def read(figures: Figures) -> float:
        largest = sorted((figures[f"training_h:{site}"] for site in others), reverse=True)
        return sum(figures[f"training_h:{site}"] for site in places) / largest[n - 1]

    tariff = {"hami_yiwu": ("xinjiang",), "shaoguan": ("guangdong_north", "guangdong")}[places[0]]
    ordinal = {1: "largest", 3: "third-largest"}[n]
    return Quantity(
        name=f"accelerator-hours of training over those of the {ordinal} other site",
        unit="",
        read=read,
        dearer=scaled_tariffs(1.001, tariff),
        cheaper=scaled_tariffs(0.999, tariff),
    )


def bought_accelerators() -> float:
    """Accelerators of the plan that all of the 170 billion yuan would buy, with servers and site."""
    yuan = (facts.fact("xinjiang_investment").value or 0.0) * 1e9
    chip_yuan = figure("chips", "ascend_910c", "price_yuan") * assumption("capital_server_capital_factor").value
    kw = figure("chips", "ascend_910c", "tdp_w") / 1000.0 * figure("chips", "ascend_910c", "server_overhead_factor")
    site_yuan = kw * figure("clusters", "hami_yiwu", "pue_typical") * assumption("capital_site_yuan_per_kw").value
    return yuan / (chip_yuan + site_yuan) * assumption("platform_share_national").value


def _xinjiang() -> Test:
    today = installed("hami_yiwu/ascend_910c")
    share = assumed(
        "xinjiang_compute_share",
        Lever(path="pools.hami_yiwu/ascend_910c.accelerators=", offset=today, slope=bought_accelerators()),
        stated=True,
    )
    elsewhere = [site for site in SITES if site not in XINJIANG]
    grown = [f"pools.{site}/*.accelerators*=" for site in elsewhere]
    grown += [f"clusters.{site}.grid_limit_mw*=" for site in elsewhere]
    grown += ["links.*.bandwidth_gbps*=", "demand.*.tokens_per_s*="]
    grown += [f"jobs.*.{column}*=" for column in ("work_pflop_h", "max_accelerators", "data_gb", "move_gbps")]
    growth = assumed("claims_growth_elsewhere", *(Lever(path=path) for path in grown), stated=True)
    return Test(
        id="xinjiang-rank",
        question="Do Xinjiang's sites together train more than the third-largest site elsewhere?",
        choice="Xinjiang grows by the accelerators that its part of the 170 billion yuan buys, power included; sites "
        "and work elsewhere grow by one factor.",
        b=Side(label="2028", overrides=('clusters.hami_yiwu.grid_limit_mw=""',)),
        kind="multiple",
        quantity=rank(XINJIANG, PRIMARY),
        low=1.0,
        limit=f"among the {PRIMARY} largest by accelerator-hours of training",
        inputs=(share, growth),
    )


def _guangdong() -> Test:
    capacity = {name: figure("clusters", name, "capacity_pflops") for name in GUANGDONG}
    bounds = [sum(figure("clusters", name, f"capacity_{end}") for name in GUANGDONG) for end in ("low", "high")]
    whole = sum(capacity.values())
    scale = Input(
        source="clusters/shaoguan;clusters/shenzhen",
        label="Guangdong's capacity",
        unit="PFLOPS",
        value=whole,
        low=bounds[0],
        high=bounds[1],
        levers=tuple(
            Lever(path=f"{path}*=", slope=1.0 / whole)
            for name in GUANGDONG
            for path in (f"pools.{name}/*.accelerators", f"clusters.{name}.grid_limit_mw")
        ),
    )
    return Test(
        id="guangdong-rank",
        question="Do Guangdong's sites together train more than the largest site elsewhere?",
        choice="All work of the country on the machines of the public tables, which are of 2025 and 2026.",
        b=Side(label="today's machines"),
        kind="multiple",
        quantity=rank(GUANGDONG, 1),
        low=1.0,
        limit="more accelerator-hours of training than any site elsewhere",
        inputs=(scale,),
    )
