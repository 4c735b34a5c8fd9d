"""`provgrid facts`: what the documents say, and where each number of a scenario comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from provgrid import exits
from provgrid.cli.console import Reporter, print_json
from provgrid_models.errors import OptionError

if TYPE_CHECKING:
    from provgrid_models.provenance import Provenance

CONFIRMATION_WIDTH, QUALITY_WIDTH = 17, 10
LEGEND = "second column: what public figures make of it; not found: none was seen that confirms or denies it"


def facts(
    scenario: Annotated[
        str | None,
        typer.Option("--scenario", "-s", help="Folder of a scenario, or a built-in one: where its numbers come from."),
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Override, e.g. prices.carbon_price_yuan_per_t=80.")
    ] = None,
    page: Annotated[bool, typer.Option("--page", help="Print the page `Where the numbers come from`.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON, every number of its own.")] = False,
) -> int:
    """List what the five documents say and whether public figures confirm it, or trace a scenario's numbers."""
    if page and (scenario is not None or overrides or as_json):
        raise OptionError("--page prints the whole page; leave --scenario, --set and --json away")
    if overrides and scenario is None:
        raise OptionError("--set changes a scenario; name one with --scenario")
    if page:
        from provgrid.facts_page import page_text

        print(page_text(), end="")
    elif scenario is None:
        _print_documents(as_json)
    else:
        from provgrid import api

        with Reporter() as reporter:
            reporter.stage(f"reading {scenario}")
            loaded = api.load(scenario, overrides or ())
            reporter.stage("tracing its numbers")
            traced = api.provenance(loaded)
        _print_scenario(loaded.name, traced, as_json)
    return exits.SOLVED


def _print_documents(as_json: bool) -> None:
    from dataclasses import asdict

    from provgrid_seeds import facts as seeds

    if as_json:
        record = {"documents": [asdict(d) for d in seeds.documents()], "facts": [asdict(f) for f in seeds.facts()]}
        print_json(record)
        return
    for document in seeds.documents():
        print(f"{document.id}  {document.title} ({document.publisher}; {document.quality})")
        for fact in seeds.facts():
            if fact.document == document.id:
                confirmation = fact.confirmation.replace("_", " ")
                print(f"  {fact.kind:<9} {confirmation:<{CONFIRMATION_WIDTH}} {fact.id}: {fact.statement}")
        print()
    print(LEGEND)


def _print_scenario(name: str, traced: tuple[Provenance, ...], as_json: bool) -> None:
    from dataclasses import asdict

    from provgrid.grouping import grouped, quality_text
    from provgrid_models.provenance import counts_by_quality

    counts = {quality_text(quality): count for quality, count in counts_by_quality(traced).items()}
    if as_json:
        numbers = [asdict(one) | {"documents": one.documents} for one in traced]
        print_json({"scenario": name, "by_quality": counts, "numbers": numbers})
        return
    total = sum(counts.values())
    print(f"{name}: {total:,} numbers")
    for quality, count in counts.items():
        print(f"  {quality:<{QUALITY_WIDTH}} {count:>9,}  {count / total:>6.1%}")
    block = ""
    for group in grouped(traced):
        if group.block != block:
            block = group.block
            print(f"\n{block}")
        said = f"  [document {group.facts_text}]" if group.facts else ""
        quality = quality_text(group.quality)
        print(f"  {quality:<{QUALITY_WIDTH}} {group.name}: {group.number_text} <- {group.source_text}{said}")
