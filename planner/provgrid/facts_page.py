"""The page `Where the numbers come from`, as markdown, made from the facts, the tables and the built-in scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provgrid import api
from provgrid.grouping import grouped, quality_text
from provgrid_models.provenance import counts_by_quality
from provgrid_seeds import facts, loader

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHOWN_IN_FULL = "national"

HEAD = """\
# Where the numbers come from

Made by `provgrid facts --page`; a test keeps it current.

Everything that a plan costs follows from numbers, and every number of a built-in scenario is traced: to a fact of one
of the five documents that the project starts from, to a row of the tables of public figures
([seeds/provgrid_seeds/tables](../seeds/provgrid_seeds/tables)), or to a named assumption. `provgrid facts` lists what
the documents say, `provgrid facts --scenario national` where each number comes from, and both take `--json`.

A figure is as sure as its source:

| quality | meaning |
| --- | --- |
| `measured` | an official statistic or a data file that was seen |
| `published` | reported in an article, a paper or a vendor's page that was seen, or arithmetic on such values |
| `secondary` | from a text that calls itself AI analysis |
| `assumed` | judgement that no source at hand confirms; it has a range and a reason |

A number is as sure as the least sure figure behind it: the accelerators of a pool follow from a published capacity, an
assumed share of it that the plan may use, an assumed mix of chips and a chip's published peak, and so are assumed.
"""

COST = """\
## How much of a plan's cost rests on what

`provgrid solve` prints, the run's manifest keeps, and `plan.provenance` holds how the cost of a plan divides over the
four qualities, in two views:

- **by price**: each yuan counts under the quality of the price that it was billed at. Grid energy: the tariff of that
  hour. Contracted energy: the contract's price. Carbon: the carbon price. Demand charge: the charge per kW. Network:
  the price of each link on the way. Unserved work: the less sure of the multiple and the market rent that it
  multiplies, or the price that the work itself states. Rent, at full cost: the less sure of the chip's purchase price
  and the site's price per kW. Subsidy: the terms of the tenant.
- **by the weakest figure**: each yuan counts under the least sure of its price and of the figures that say how much was
  bought: for energy, carbon and demand charge the PUE of the cluster and the power of the chips (busy, idle, server
  overhead), for carbon the intensity of each supply too. A cluster's bill is divided over its pools by their
  kilowatt-hours. For rent and subsidy: rate, lives, planned use and what a server adds, PUE and power. Network and
  unserved work stay as they are.

The bills are those above the idle floor, as the objective is, block by block and hour by hour, so that the parts sum to
the cost components. Where a plan draws less from a block than the idle floor alone would, its part is negative.

## What if the assumed figures were others

`provgrid solve SCENARIO --uncertain` draws every assumed figure that has a range, builds and solves the scenario again
for each draw (`--draws`, at least 50 unless fewer are asked for), audits each plan, and shows how far every headline
number moves, and which three figures move the objective most. Each draw is triangular, with its peak at the figure
itself. Figures of one source move together: the tariff of a province as a whole, its sun and wind each as a whole.
Shares of one whole that come out above it are scaled back. Assumed figures without a range stay as they are, and so do
those that are choices and no figures of the world, such as the number of jobs that work is cut into (it grows where
drawn work is more than the jobs can hold); the report counts them. Draws without a plan are counted too, each with its
reason. A scenario of your own gives ranges in `scenario.toml`:

```toml
[uncertain]
"prices.carbon_price_yuan_per_t" = [40, 120]
"clusters.mine.pue" = [1.15, 1.4]
"tariffs.mine.price_yuan_per_kwh*" = [0.8, 1.2]
```

A path names numbers as `--set` does. With `*` at its end the range is that of a factor on all numbers that it names,
such as every hour of a tariff.
"""


def page_text() -> str:
    """Return the page as markdown."""
    return "\n".join([HEAD, *_scenarios(), COST, *_documents()])


def _scenarios() -> Iterable[str]:
    yield "## The built-in scenarios\n"
    yield _row("scenario", "numbers", *loader.QUALITIES)
    yield _row(*["---"] * (2 + len(loader.QUALITIES)))
    for name in loader.scenario_names():
        counts = counts_by_quality(api.load(name).provenance)
        numbers = (f"{counts.get(quality, 0):,}" for quality in loader.QUALITIES)
        yield _row(f"`{name}`", f"{sum(counts.values()):,}", *numbers)
    layers = ", ".join(f"`{name}`" for name in loader.system_names())
    yield f"\nThe scenarios of the documents' systems are layers over these, traced in the same way: {layers}.\n"
    yield (
        "Most of the assumed numbers are drawn work (sizes, windows, hourly demand), profiles of typical days, and"
        " places in the network.\n"
    )
    yield f"### `{SHOWN_IN_FULL}`, number by number\n"
    yield _row("number", "value", "quality", "from", "facts of the documents")
    yield _row("---", "---", "---", "---", "---")
    for group in grouped(api.load(SHOWN_IN_FULL).provenance):
        quality = quality_text(group.quality)
        yield _row(f"`{group.block}.{group.name}`", group.number_text, quality, group.source_text, group.facts_text)
    yield ""


def _documents() -> Iterable[str]:
    yield "## What the documents say\n"
    yield (
        "In our own words. `confirmed` and the like say what the tables of public figures make of it; the last column"
        " says where it goes.\n"
    )
    for document in facts.documents():
        yield f"### {document.id}: {document.title}\n"
        yield f"{_capital(document.publisher)}; language {document.language}; `{document.quality}`. {document.note}\n"
        yield _row("fact", "what it says", "kind", "public figures", "feeds")
        yield _row("---", "---", "---", "---", "---")
        for one in facts.facts():
            if one.document == document.id:
                yield _fact_row(one)
        yield ""


def _fact_row(one: facts.Fact) -> str:
    evidence = f" ({', '.join(one.evidence)})" if one.evidence else ""
    note = f". {one.note}" if one.note else ""
    confirmation = one.confirmation.replace("_", " ")
    return _row(f"`{one.id}`", one.statement, one.kind, f"{confirmation}{evidence}{note}", ", ".join(one.feeds))


def _row(*cells: str | Sequence[str]) -> str:
    return f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
