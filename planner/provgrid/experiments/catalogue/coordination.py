"""What coordination is worth: against regions that build for themselves, and against today's machines kept apart."""

from __future__ import annotations

from collections import defaultdict

from provgrid.experiments.catalogue.common import SMALLEST, at_home, private_line, rows, why_cost
from provgrid.experiments.declared import Claim, Lever, Side, Test, assumed, times
from provgrid_seeds.build_national_lite import region_of
from provgrid_seeds.loader import assumption

APART = at_home("jobs", "services")


def claims() -> tuple[Claim, ...]:
    """Claims about coordination."""
    return (
        Claim(
            id="coordination_beats_own",
            title="Coordination beats everyone-builds-their-own",
            says="Small data centres that each start-up, factory or town builds for itself waste power and money; "
            "shared out like electricity in a grid, the same capacity does more.",
            facts=("total_coordination", "everyone_builds_their_own", "layered_services", "province_as_computer"),
            tests=(_own_sites(), _same_machines()),
        ),
    )


def own_sites() -> tuple[str, ...]:
    """Return overrides that put the country's machines where its work is: each region has its share of each chip."""
    asked: dict[str, float] = defaultdict(float)
    for job in rows("jobs"):
        asked[job["region"]] += float(job["work_pflop_h"])
    whole_work = sum(asked.values())
    there: dict[tuple[str, str], float] = defaultdict(float)
    whole: dict[str, float] = defaultdict(float)
    for pool in rows("pools"):
        there[region_of(pool["cluster"]), pool["chip"]] += float(pool["accelerators"])
        whole[pool["chip"]] += float(pool["accelerators"])
    parts = []
    for pool in rows("pools"):
        region = region_of(pool["cluster"])
        factor = asked[region] / whole_work * whole[pool["chip"]] / there[region, pool["chip"]]
        parts.append(f"pools.{pool['id']}.accelerators*={factor:.6g}")
    return (*parts, 'clusters.*.grid_limit_mw=""')


def _own_sites() -> Test:
    return Test(
        id="own-sites",
        question="What does all work cost if each region has its share of the machines, in small sites for itself, and "
        "what on today's sites shared by all?",
        choice="The same number of each chip in the country; a region's share of them is its share of the work, which "
        "stays at home. Each region plans its own perfectly. Unserved work costs the same in both.",
        a=Side(label="each region for itself", overrides=(*own_sites(), *APART)),
        b=Side(label="shared"),
        low=SMALLEST,
        limit="sharing is cheaper by a hundredth or more",
        inputs=(
            assumed("rack_city", Lever(path="clusters.*.pue="), sides="a", stated=True),
            private_line(),
        ),
        explain=why_cost,
    )


def _same_machines() -> Test:
    multiple = assumption("unserved_multiple").value
    return Test(
        id="same-machines",
        question="What does all work cost if each region may use only the sites that stand in it today?",
        choice="The same machines at the same places; only who may use them changes. Unserved work costs the same in "
        "both, and is most of the difference.",
        a=Side(label="kept apart", overrides=APART),
        b=Side(label="shared"),
        low=SMALLEST,
        limit="sharing is cheaper by a hundredth or more",
        inputs=(assumed("unserved_multiple", *times(multiple, "prices.unserved_multiple")),),
        explain=why_cost,
    )
