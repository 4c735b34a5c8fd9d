"""The headline claims on `national`: indivisible jobs, the heuristic, and its own bound.

Only what leaves the drawn work as it is can be compared here: chips and their efficiency take part in the draw.
"""

from __future__ import annotations

from provgrid.experiments.catalogue.coastal import coastal_power
from provgrid.experiments.catalogue.common import SMALLEST, why_cost
from provgrid.experiments.declared import Claim, Side, Test

SCENARIO = "national"
ENGINE = "heuristic"
CHOICE = "All work of the week on the same machines; unserved work costs the same in both. "


def on_national() -> tuple[Claim, ...]:
    """List the headline claims; each test is on operating cost alone."""
    return (
        Claim(
            id="western_power_cheaper",
            title="Western power makes training cheaper than on the coast",
            says="Western power runs data centres at less cost than the coast's.",
            facts=("west_operates_cheaper", "eastern_power_is_dear"),
            tests=(
                _test(
                    "coastal-power",
                    "What does all work cost if western sites had the coast's power, and with their own?",
                    "Western sites take Zhejiang's tariff and Hangzhou's PUE, and lose their contracts.",
                    Side(label="coastal power", overrides=coastal_power(SCENARIO), scenario=SCENARIO, engine=ENGINE),
                    _as_it_is("western power"),
                ),
            ),
        ),
        Claim(
            id="coordination_beats_own",
            title="Coordination beats everyone-builds-their-own",
            says="Shared out like electricity in a grid, the same capacity does more than in the hands of each.",
            facts=("total_coordination", "everyone_builds_their_own"),
            tests=(
                _test(
                    "siloed",
                    "What does all work cost if each tenant has only its own share, and what in one plan for all?",
                    "The rule siloed is a simple one, and its cost is what it is: no bound takes part.",
                    Side(label="each for itself", scenario=SCENARIO, engine="siloed"),
                    _as_it_is("one plan"),
                ),
                _test(
                    "overflow",
                    "And against the rule that fills the city first, then the province, then the hubs?",
                    "Overflow shares machines as well; only the plan is simpler.",
                    Side(label="overflow", scenario=SCENARIO, engine="overflow"),
                    _as_it_is("one plan"),
                ),
            ),
        ),
    )


def _as_it_is(label: str) -> Side:
    return Side(label=label, scenario=SCENARIO, engine=ENGINE)


def _test(test_id: str, question: str, choice: str, a: Side, b: Side) -> Test:
    return Test(
        id=test_id,
        question=question,
        choice=CHOICE + choice,
        a=a,
        b=b,
        low=SMALLEST,
        limit="B is cheaper by a hundredth or more",
        bases=("operating",),
        explain=why_cost,
    )
