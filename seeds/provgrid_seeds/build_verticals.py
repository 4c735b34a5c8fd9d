"""`verticals`: a provincial base model, fine-tunes that start from its checkpoint, and their services near users.

The chain is written as jobs (base, fine-tune, roll-out); the service of a vertical model is asked for from the hour on
in which its roll-out has to be done.
"""

from __future__ import annotations

from provgrid_seeds.build_part import HORIZON_H, layer
from provgrid_seeds.build_rows import Ledger, Record, in_words

FAMILY = "dense_llm"
VERTICALS = {
    "machinery": ("wenzhou", "Machines of a factory"),
    "port_logistics": ("ningbo", "Logistics of a port"),
    "commerce": ("hangzhou", "Trade over the net"),
}
USED = (
    "verticals_base_pflop_h",
    "verticals_tune_pflop_h",
    "verticals_rollout_pflop_h",
    "verticals_gang",
    "verticals_tune_accelerators",
    "verticals_base_days",
    "verticals_tune_days",
    "verticals_rollout_days",
    "verticals_tokens_per_s",
    "verticals_slo_ms",
    f"checkpoint_gb_{FAMILY}",
    "gen_any_move_gbps",
    "gen_any_data_gb_low",
    "gen_any_kb_per_ktoken_text",
)


def tables() -> dict[str, list[Record]]:
    """Jobs, services and their demand; they come before what `zhejiang` draws."""
    read = Ledger()
    days = [read(f"verticals_{stage}_days") for stage in ("base", "tune", "rollout")]
    tuned_h, served_h = 24 * (days[0] + days[1]), 24 * sum(days)
    moves = {"family": FAMILY, "data_gb": read("gen_any_data_gb_low"), "move_gbps": read("gen_any_move_gbps")}
    checkpoint = {"checkpoint_gb": read(f"checkpoint_gb_{FAMILY}")}
    blank = {"after": None, "checkpoint_gb": 0}
    base = {
        "id": "provincial-base",
        "tenant": "provincial_programme",
        "region": "hangzhou",
        "mode": "rigid",
        "work_pflop_h": read("verticals_base_pflop_h"),
        "release_h": 0,
        "deadline_h": 24 * days[0],
        "max_accelerators": read("verticals_gang"),
        **moves,
        **blank,
    }
    jobs, services, demand = [base], [], []
    for name, (city, _) in VERTICALS.items():
        common = {"tenant": city, "region": city, "mode": "elastic", **moves, **checkpoint}
        tune = {"work_pflop_h": read("verticals_tune_pflop_h"), "release_h": 0, "deadline_h": tuned_h}
        rollout = {"work_pflop_h": read("verticals_rollout_pflop_h"), "release_h": 0, "deadline_h": served_h}
        most = {"max_accelerators": read("verticals_tune_accelerators")}
        jobs.append({"id": f"{name}-tune", **common, **tune, **most, "after": "provincial-base"})
        jobs.append({"id": f"{name}-rollout", **common, **rollout, **most, "after": f"{name}-tune"})
        kb = read("gen_any_kb_per_ktoken_text")
        services.append(
            {
                "id": f"{name}-service",
                "tenant": city,
                "region": city,
                "family": FAMILY,
                "slo_class": name,
                "slo_metric": "network_rtt",
                "slo_ms": read("verticals_slo_ms"),
                "kb_in_per_ktoken": kb,
                "kb_out_per_ktoken": kb,
            }
        )
        demand += [
            {
                "service": f"{name}-service",
                "period": t,
                "tokens_per_s": read("verticals_tokens_per_s") if t >= served_h else 0,
            }
            for t in range(HORIZON_H)
        ]
    return {"jobs": jobs, "services": services, "demand": demand}


def settings() -> Record:
    """`scenario.toml`."""
    return layer(
        "verticals",
        "One base model, three vertical models, their services near users",
        "The week of zhejiang with a chain on top: a provincial base model, fine-tunes from its checkpoint for "
        "machinery, port logistics and commerce, a roll-out in each city, and then a service a few milliseconds away.",
        "zhejiang",
        in_words(*USED),
    )
