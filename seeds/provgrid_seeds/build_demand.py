"""The `[generate]` tables of the built-in scenarios, made from the assumptions."""

from __future__ import annotations

from provgrid_seeds.build_rows import FAMILIES, Ledger, Record


def weights(read: Ledger) -> Record:
    """Say what regional demand follows."""
    return {
        "gdp_billion_yuan": read("gen_any_weight_gdp"),
        "population_million": read("gen_any_weight_population"),
        "demand_weight": read("gen_any_weight_industry"),
    }


def training(scenario: str, read: Ledger, tenants: Record, follow: Record, *, lengths: str = "any") -> Record:
    """Make the `[generate.training]` table of a scenario; `lengths` says whose assumptions give runs and windows."""
    own = f"gen_{scenario}_"
    return {
        "seed": read(own + "seed"),
        "jobs": read(own + "jobs"),
        "capacity_share": read(own + "training_share"),
        "families": {name: read(f"gen_any_family_share_{name}") for name in FAMILIES},
        "gang_scale": read(f"gen_{lengths}_gang_scale"),
        "largest_gang": read(own + "largest_gang"),
        "longest_run_share": read(f"gen_{lengths}_longest_run_share"),
        "window_slack": [read(f"gen_{lengths}_window_slack_{end}") for end in ("low", "high")],
        "rigid_share": read(own + "rigid_share"),
        "resident_share": read(own + "resident_share"),
        "bases": read(own + "bases"),
        "verticals_per_base": read(own + "verticals_per_base"),
        "checkpoint_gb": {name: read(f"checkpoint_gb_{name}") for name in FAMILIES},
        "data_gb": [read("gen_any_data_gb_low"), read("gen_any_data_gb_high")],
        "move_gbps": read("gen_any_move_gbps"),
        "weights": follow,
        "tenants": tenants,
    }


def inference(scenario: str, read: Ledger, classes: list[Record], tenants: Record, follow: Record) -> Record:
    """Make the `[generate.inference]` table of a scenario."""
    own = f"gen_{scenario}_"
    return {
        "seed": read(own + "seed"),
        "capacity_share": read(own + "inference_share"),
        "day_noise": read("gen_any_day_noise"),
        "resident_share": read(own + "resident_share"),
        "weights": follow,
        "tenants": tenants,
        "classes": classes,
    }


def service_class(
    read: Ledger,
    name: str,
    family: str,
    metric: str,
    *,
    limit: str = "",
    shape: str = "m_small",
    regions: tuple[str, ...] = (),
) -> Record:
    """One class of inference; pictures go in where the family is vision."""
    text = read("gen_any_kb_per_ktoken_text")
    record: Record = {
        "id": name,
        "family": family,
        "share": read(f"gen_any_class_share_{name}"),
        "slo_metric": metric,
        "slo_ms": read(f"gen_any_slo_ms_{limit or name}"),
        "shape": shape,
        "max_utilisation": read("max_utilisation"),
        "kb_in_per_ktoken": read("gen_any_kb_in_per_ktoken_image") if family == "vision" else text,
        "kb_out_per_ktoken": text,
    }
    return {**record, "regions": list(regions)} if regions else record
