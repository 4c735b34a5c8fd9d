"""`liangzhu`: Hangzhou's start-ups as tenants, with vouchers and a tax incentive as terms of price, at full cost."""

from __future__ import annotations

from provgrid_seeds.build_part import layer
from provgrid_seeds.build_rows import Ledger, Record, assumed, in_words, sourced, value

TERMS = ("voucher_share", "tax_incentive_yuan_per_h")


def tables() -> dict[str, list[Record]]:
    """Terms of the start-ups, laid over the tenants."""
    share = "tenant_share_startups"
    row = {
        "id": "startups",
        "name": "Start-ups of Hangzhou and Liangzhu",
        "kind": "firm",
        "share": value(share),
        "rent_discount": value("voucher_share"),
        "subsidy_yuan_per_accelerator_h": value("tax_incentive_yuan_per_h"),
        "terms_province": "Zhejiang",
    }
    return {"tenants.patch": [sourced(row, "facts/tax_incentives", assumed(share, *TERMS))]}


def settings() -> Record:
    """`scenario.toml`."""
    read = Ledger()
    tenants = {"startups": read("gen_liangzhu_startup_share")}
    return layer(
        "liangzhu",
        "Start-ups of Hangzhou and Liangzhu, with vouchers",
        "The week of zhejiang at full cost. Start-ups ask for more of it, and public money bears a part of the rent of "
        "their accelerators and pays for each hour, wherever in the province the work runs.",
        "zhejiang",
        in_words("gen_liangzhu_startup_share", *TERMS),
        prices={"basis": "full"},
        generate={"training": {"tenants": tenants}},
    )
