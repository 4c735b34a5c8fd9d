"""Broken scenarios: each is one small slip in the folder that the tiny scenario is saved to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

Mutation = Callable[[Path], object]


def replace(file: str, old: str, new: str) -> Mutation:
    """Replace one text of a file; it must be there."""

    def mutate(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text, (file, old, text)
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    return mutate


def everywhere(old: str, new: str) -> Mutation:
    """Replace a text in every CSV file."""

    def mutate(folder: Path) -> None:
        for path in folder.glob("*.csv"):
            path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    return mutate


def append(file: str, *lines: str) -> Mutation:
    """Add lines at the end of a file."""

    def mutate(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8") if (folder / file).exists() else ""
        (folder / file).write_text(text + "".join(f"{line}\n" for line in lines), encoding="utf-8")

    return mutate


def write(file: str, data: bytes) -> Mutation:
    """Write a file anew."""
    return lambda folder: (folder / file).write_bytes(data)


def remove(*files: str) -> Mutation:
    """Take files away."""
    return lambda folder: [(folder / file).unlink() for file in files]


def column(file: str, name: str, *values: str) -> Mutation:
    """Add a column at the end of a CSV file."""

    def mutate(folder: Path) -> None:
        header, *rows = (folder / file).read_text(encoding="utf-8").splitlines()
        cells = [*values, *[values[-1]] * len(rows)]
        lines = [f"{header},{name}", *(f"{row},{cells[i]}" for i, row in enumerate(rows))]
        (folder / file).write_text("\n".join(lines) + "\n", encoding="utf-8")

    return mutate


def both(*mutations: Mutation) -> Mutation:
    """Apply several slips."""
    return lambda folder: [mutation(folder) for mutation in mutations]


def as_parquet(table: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Mutation:
    """Turn a table into Parquet, changed on the way."""

    def mutate(folder: Path) -> None:
        frame = pd.read_csv(folder / f"{table}.csv", keep_default_na=False)
        change(frame).to_parquet(folder / f"{table}.parquet", index=False)
        (folder / f"{table}.csv").unlink()

    return mutate


def again_as_parquet(folder: Path) -> None:
    """Leave a Parquet file beside the CSV file of the same table."""
    pd.read_csv(folder / "jobs.csv").to_parquet(folder / "jobs.parquet")


SCENARIOS: dict[str, Mutation] = {
    # The folder and scenario.toml
    "no-settings-file": lambda folder: (folder / "scenario.toml").rename(folder / "senario.toml"),
    "broken-toml": replace("scenario.toml", 'name = "tiny"', "name = tiny"),
    "settings-not-utf-8": write("scenario.toml", 'name = "浙江"\n'.encode("gbk")),
    "settings-empty": write("scenario.toml", b""),
    "bad-name": replace("scenario.toml", 'name = "tiny"', 'name = "我的 省"'),
    "unknown-section": replace("scenario.toml", "[prices]", "[price]"),
    "unknown-key": replace("scenario.toml", "unserved_multiple", "unserved_mutiple"),
    "number-in-quotes": replace(
        "scenario.toml", "carbon_price_yuan_per_t = 0.0", 'carbon_price_yuan_per_t = "80 yuan"'
    ),
    "negative-carbon-price": replace(
        "scenario.toml", "carbon_price_yuan_per_t = 0.0", "carbon_price_yuan_per_t = -5.0"
    ),
    "infinite-setting": replace("scenario.toml", "unserved_multiple = 3.0", "unserved_multiple = inf"),
    "too-many-periods": replace("scenario.toml", "periods = 12", "periods = 99999"),
    "half-a-period": replace("scenario.toml", "periods = 12", "periods = 12.5"),
    "no-horizon-start": replace("scenario.toml", "start = 2026-07-01 00:00:00\n", ""),
    "start-with-zone": replace("scenario.toml", "start = 2026-07-01 00:00:00", "start = 2026-07-01T00:00:00Z"),
    "keys-of-other-tables": both(
        replace("scenario.toml", "[latency]", "[latency]\ncarbon_budget_t = 2"),
        append("scenario.toml", "[sources]", "links = false", "jobs = 100"),
    ),
    "bad-date": replace("scenario.toml", "start = 2026-07-01 00:00:00", 'start = "1 July"'),
    "blocks-do-not-sum": replace("scenario.toml", "blocks = []", "blocks = [{ start = 2026-07-01, periods = 8 }]"),
    "unknown-open-zone": replace("scenario.toml", "open_zones = []", 'open_zones = [["east", "wset"]]'),
    "extends-itself": replace("scenario.toml", 'name = "tiny"', 'name = "tiny"\nextends = "."'),
    "extends-nowhere": replace("scenario.toml", 'name = "tiny"', 'name = "tiny"\nextends = "../nowhere"'),
    "extends-unknown-builtin": replace("scenario.toml", 'name = "tiny"', 'name = "tiny"\nextends = "builtin:atlantis"'),
    "extends-a-number": replace("scenario.toml", 'name = "tiny"', 'name = "tiny"\nextends = 3'),
    "generate-nonsense": append("scenario.toml", "[generate]", "nonsense = 1"),
    # Files
    "missing-table": remove("chips.csv"),
    "settings-renamed": lambda folder: (folder / "scenario.toml").rename(folder / "scenario.toml.txt"),
    "a-run": lambda folder: (
        (folder / "scenario").mkdir(),
        (folder / "scenario.toml").rename(folder / "scenario" / "scenario.toml"),
    ),
    "a-workbook": lambda folder: (folder / "links.csv").rename(folder / "links.xlsx"),
    "no-header": lambda folder: (folder / "chips.csv").write_text(
        "".join((folder / "chips.csv").read_text(encoding="utf-8").splitlines(keepends=True)[1:]), encoding="utf-8"
    ),
    "semicolons-and-commas": lambda folder: (folder / "jobs.csv").write_text(
        (folder / "jobs.csv").read_text(encoding="utf-8").replace(",", ";").replace(".", ","), encoding="utf-8"
    ),
    "decimal-comma": lambda folder: (folder / "chips.csv").write_text(
        (folder / "chips.csv").read_text(encoding="utf-8").replace("0.5,", "0,5,", 1), encoding="utf-8"
    ),
    "unknown-file": lambda folder: (folder / "contracts.csv").rename(folder / "contract.csv"),
    "csv-and-parquet": again_as_parquet,
    "short-table-as-parquet": lambda folder: (folder / "chips.csv").rename(folder / "chips.parquet"),
    "empty-file": write("pools.csv", b""),
    "blank-file": write("pools.csv", b"\n\n"),
    "header-only": write("pools.csv", b"id,cluster,chip,accelerators\n"),
    "gbk-file": write("tenants.csv", "id,name\ncity,杭州\nfirm,企业\n".encode("gbk")),
    "semicolons": write("tenants.csv", b"id;name\ncity;x\nfirm;y\n"),
    "open-quote": append("tenants.csv", '"never closed,firm,'),
    "full-width-digits": replace("pools.csv", ",20.0", ",２０"),
    "full-width-comma": replace("pools.csv", "fast,20.0", "fast，20.0"),
    "no-row-that-can-be-read": write("pools.csv", b"id,cluster,chip,accelerators\ncity_a/fast,city_a,fast\n"),
    "ragged-rows": append("links.csv", "north,10", "south,1,000,0.1,,"),
    "duplicate-column": replace("links.csv", "bandwidth_gbps,price_yuan_per_gb", "bandwidth_gbps,bandwidth_gbps"),
    "unnamed-column": column("links.csv", "", "x"),
    "unknown-column": replace("clusters.csv", "pue", "PUE_total"),
    "broken-parquet": both(remove("demand.csv"), write("demand.parquet", b"PAR1 and then nothing")),
    "parquet-text-for-number": as_parquet("demand", lambda frame: frame.astype({"tokens_per_s": str})),
    "parquet-number-for-text": as_parquet("demand", lambda frame: frame.assign(service=1)),
    "parquet-fraction-for-integer": as_parquet("demand", lambda frame: frame.assign(period=frame["period"] + 0.5)),
    "parquet-null": as_parquet("demand", lambda f: f.assign(tokens_per_s=f["tokens_per_s"].where(f["period"] > 0))),
    "patch-without-key": append("clusters.patch.csv", "pue", "1.3"),
    "patch-unknown-column": append("clusters.patch.csv", "id,puee", "hub_b,1.3"),
    # Cells
    "blank-required-cell": replace("regions.csv", "east,Donghai,east", "east,Donghai,"),
    "blank-long-cell": replace("jobs.csv", "base,city,east,llm,elastic,20.0", "base,city,east,llm,elastic,"),
    "text-for-number": replace("jobs.csv", "base,city,east,llm,elastic,20.0", "base,city,east,llm,elastic,lots"),
    "text-for-number-in-short-table": replace(
        "pools.csv", "city_a/fast,city_a,fast,20.0", "city_a/fast,city_a,fast,few"
    ),
    "thousands-separator": replace("jobs.csv", "elastic,20.0", 'elastic,"20,000"'),
    "thousands-separator-in-short-table": replace("pools.csv", "fast,20.0", 'fast,"20,000"'),
    "percent": replace("pools.csv", "fast,125.0,0.8", "fast,125.0,80%"),
    "date-for-hours": replace("jobs.csv", "15.0,2.0,10.0", "15.0,2026-07-01 02:00,10.0"),
    "time-for-an-hour": replace("tariffs.csv", "east,summer,1,", "east,summer,1:00,"),
    "unit-in-cell": replace("links.csv", "metro,200.0", "metro,200 Gbps"),
    "nan": replace("demand.csv", "chat,0,210.0", "chat,0,nan"),
    "infinity": replace("jobs.csv", "elastic,20.0", "elastic,1e999"),
    "infinity-in-short-table": replace("links.csv", "metro,200.0", "metro,inf"),
    "negative-capacity": replace("pools.csv", "fast,20.0", "fast,-20"),
    "negative-work": replace("jobs.csv", "elastic,20.0", "elastic,-20"),
    "no-gang": replace("jobs.csv", "2.0,10.0,10.0", "2.0,10.0,0"),
    "availability-above-one": replace("pools.csv", "fast,125.0,0.8", "fast,125.0,8"),
    "pue-below-one": replace("clusters.csv", "1.5,east,east", "0.15,east,east"),
    "capacity-factor-above-one": replace("renewables.csv", "sun,8,0.5", "sun,8,50"),
    "unknown-tier": replace("clusters.csv", "national_hub", "nationalhub"),
    "unknown-mode": replace("jobs.csv", "rigid", "rigd"),
    "unknown-flag": column("jobs.csv", "hard", "maybe", "no"),
    "fraction-for-integer": replace("demand.csv", "chat,3,", "chat,3.5,"),
    "hour-24": replace("tariffs.csv", "east,summer,23,", "east,summer,24,"),
    "one-bad-id-in-many-rows": everywhere("hub_b", "枢纽"),
    "bad-id": replace("tenants.csv", "city,", "the city!,"),
    # References
    "unknown-region": replace("jobs.csv", "base,city,east", "base,city,eastt"),
    "unknown-family": replace("services.csv", "east,llm", "east,llama"),
    "unknown-tenant": replace("jobs.csv", "base,city", "base,town"),
    "no-tenants": remove("tenants.csv"),
    "no-links": remove("links.csv"),
    "no-routes": remove("routes.csv"),
    "no-route-to-a-cluster": lambda folder: (folder / "routes.csv").write_text(
        "".join(
            line
            for line in (folder / "routes.csv").read_text(encoding="utf-8").splitlines(keepends=True)
            if "prov_c" not in line
        ),
        encoding="utf-8",
    ),
    "unknown-source-of-a-row": column("links.csv", "source", "offer of 3 May;assumptions/nosuch", "offer a/b"),
    "closed-link": replace("links.csv", "metro,200.0", "metro,0.0"),
    "no-renewables": remove("renewables.csv"),
    "no-services": remove("services.csv"),
    "unknown-tariff": replace("clusters.csv", "1.5,east,east", "1.5,eas,east"),
    "unknown-carbon": replace("clusters.csv", "1.5,east,east", "1.5,east,eats"),
    "unknown-profile": replace("contracts.csv", ",sun", ",sunshine"),
    "unknown-cluster": replace("pools.csv", "hub_b/fast,hub_b", "hub_b/fast,hub_c"),
    "unknown-chip": replace("pools.csv", "hub_b/fast,hub_b,fast", "hub_b/fast,hub_b,fats"),
    "unknown-link": replace("routes.csv", "backbone;metro", "backbone;meter"),
    "links-between-commas": replace("routes.csv", "backbone;metro", '"backbone,metro"'),
    "links-between-wide-semicolons": replace("routes.csv", "backbone;metro", "backbone；metro"),
    "links-between-arrows": replace("routes.csv", "backbone;metro", "backbone -> metro"),
    "link-twice": replace("routes.csv", "backbone;metro", "backbone;backbone"),
    "unknown-binding-chip": append("bindings.csv", "llm,b200,0.3,,1.0,"),
    "unknown-base": replace("jobs.csv", "east,base", "east,bass"),
    "unknown-pinned-pool": column("jobs.csv", "pinned_pool", "hub_b/fsat", ""),
    "pinned-without-route": both(
        column("jobs.csv", "pinned_pool", "", "hub_b/fast", "hub_b/fast"),
        replace("routes.csv", "east,hub_b,backbone\n", ""),
    ),
    "unknown-residency": replace("jobs.csv", "east,base", "eastt,base"),
    "unknown-service": append("demand.csv", "chatt,0,1.0"),
    # Keys
    "job-twice": replace("jobs.csv", "gang,firm", "base,firm"),
    "cluster-twice": replace("clusters.csv", "prov_c,", "city_a,"),
    "route-twice": append("routes.csv", "east,city_a,metro"),
    "demand-twice": append("demand.csv", "chat,0,5.0"),
    "tariff-twice": append("tariffs.csv", "west,,,0.5"),
    # Meaning
    "deadline-before-release": replace("jobs.csv", "15.0,2.0,10.0", "15.0,10.0,2.0"),
    "job-after-itself": replace("jobs.csv", "east,base", "east,vertical"),
    "after-cycle": replace("jobs.csv", "10.0,90.0,1.0,,,", "10.0,90.0,1.0,,vertical,"),
    "job-after-horizon": replace("jobs.csv", "15.0,2.0,10.0", "15.0,12.0,20.0"),
    "job-over-the-end": replace("jobs.csv", "15.0,2.0,10.0", "15.0,2.0,24.0"),
    "min-above-max": column("jobs.csv", "min_accelerators", "16.0", "1.0"),
    "done-above-work": column("jobs.csv", "work_done_pflop_h", "30.0", "0.0"),
    "demand-after-horizon": append("demand.csv", "chat,12,5.0"),
    "service-without-demand": append("services.csv", "silent,firm,east,llm,,network_rtt,100.0,0.7,0.0,0.0,"),
    "shares-above-one": replace("tenants.csv", "firm,firm,", "firm,firm,0.6"),
    "tariff-lacks-an-hour": replace("tariffs.csv", "east,summer,7,0.5\n", ""),
    "tariff-of-another-season": replace("scenario.toml", "start = 2026-07-01", "start = 2026-01-01"),
    "profile-lacks-a-period": replace("renewables.csv", "sun,7,0.0\n", ""),
    "profile-by-both": column("renewables.csv", "hour", "3", ""),
    "window-over-weights": replace(
        "scenario.toml",
        "blocks = []",
        "blocks = [{start = 2026-07-01, periods = 8, weight = 13.0}, {start = 2026-07-02, periods = 4, weight = 1.0}]",
    ),
    # Two typical weeks, as it were: equal weights, and still no hour follows from the first block's end to the second
    "window-over-equal-blocks": replace(
        "scenario.toml",
        "blocks = []",
        "blocks = [{start = 2026-07-01, periods = 8, weight = 13.0}, {start = 2026-08-01, periods = 4, weight = 13.0}]",
    ),
    "carbon-budget-below-floor": append("scenario.toml", "[limits]", "carbon_budget_t = 0.1"),
    "no-work": remove("jobs.csv", "services.csv", "demand.csv"),
    # Unlikely figures
    "price-per-mwh": replace("tariffs.csv", "west,,,0.3", "west,,,3.6"),
    "pue-above-two": replace("clusters.csv", "1.5,east,east", "2.5,east,east"),
    "watts-for-kilowatts": replace("chips.csv", "0.9,0.1", "900,0.1"),
    "idle-above-busy": replace("chips.csv", "0.9,0.1", "0.1,0.9"),
    "swapped-coordinates": replace("regions.csv", "30.0,120.0", "120.0,30.0"),
    "swapped-plausible-coordinates": replace("regions.csv", "40.0,100.0", "80.0,40.0"),
    # What cannot be served
    "class-too-large": replace("demand.csv", "chat,3,210.0", "chat,3,9000.0"),
    "hard-class-too-large": both(
        replace("demand.csv", "chat,3,210.0", "chat,3,9000.0"), column("services.csv", "hard", "true")
    ),
    "slo-too-tight": replace("services.csv", "10.0,", "0.6,"),
    "jobs-too-large": append(
        "jobs.csv", *(f"big-{i},firm,west,llm,elastic,400.0,0.0,12.0,80.0,0.0,1.0,,,0.0" for i in range(4))
    ),
    "hard-job-too-large": both(
        replace("jobs.csv", "elastic,20.0", "elastic,2000.0"), column("jobs.csv", "hard", "true", "false")
    ),
    "link-too-small": both(
        replace("links.csv", "backbone,100.0", "backbone,0.0"),
        replace("links.csv", "metro,200.0", "metro,0.0"),
        replace("routes.csv", "east,city_a,", "east,city_a,metro"),
    ),
    "floor-above-grid-limit": replace("clusters.csv", "1.0,36.5", "0.015,36.5"),
    "load-above-grid-limit": replace("clusters.csv", "1.0,36.5", "0.1,36.5"),
}
