"""Figures that are possible but unlikely: almost always a wrong unit. Warnings only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from provgrid_models.scenario import SHORT_TABLES

if TYPE_CHECKING:
    from provgrid_models.checks.tables import Tables

# table, column, lowest and highest plausible value, what else it might be
BANDS: tuple[tuple[str, str, float, float, str], ...] = (
    ("tariffs", "price_yuan_per_kwh", 0.05, 3.0, "Prices are in yuan per kWh, not per MWh."),
    ("carbon", "carbon_kg_per_kwh", 0.0, 1.5, "Intensities are in kg per kWh."),
    ("regions", "latitude_deg", 3.0, 54.0, "Are latitude and longitude swapped?"),
    ("regions", "longitude_deg", 73.0, 136.0, "Are latitude and longitude swapped?"),
    ("clusters", "latitude_deg", 3.0, 54.0, "Are latitude and longitude swapped?"),
    ("clusters", "longitude_deg", 73.0, 136.0, "Are latitude and longitude swapped?"),
    ("clusters", "pue", 1.0, 2.0, "A PUE above 2 is rare."),
    ("clusters", "grid_limit_mw", 0.01, 20_000.0, "Limits are in MW."),
    ("clusters", "demand_charge_yuan_per_kw_month", 0.0, 200.0, "Charges are in yuan per kW and month."),
    ("contracts", "price_yuan_per_kwh", -1.0, 3.0, "Prices are in yuan per kWh, not per MWh."),
    ("contracts", "capacity_mw", 0.0, 50_000.0, "Capacities are in MW."),
    ("chips", "peak_fp16_tflops", 10.0, 20_000.0, "Peaks are in TFLOPS."),
    ("chips", "busy_kw", 0.02, 5.0, "Power is in kW per accelerator."),
    ("chips", "memory_gb", 4.0, 2000.0, "Memory is in GB."),
    ("chips", "market_price_yuan_per_h", 0.1, 500.0, "Prices are in yuan per accelerator and hour."),
    ("pools", "accelerators", 0.0, 3_000_000.0, "Count accelerators, not PFLOPS."),
    ("links", "price_yuan_per_gb", 0.0, 10.0, "Prices are in yuan per GB."),
    ("links", "bandwidth_gbps", 0.001, 1_000_000.0, "Bandwidth is in Gbit/s."),
    ("bindings", "mfu", 0.01, 0.75, "An MFU is a share of the dense peak."),
    ("bindings", "tokens_per_s", 0.1, 1_000_000.0, "Tokens per second of one accelerator."),
    ("families", "prefill_ms", 0.0, 60_000.0, "Times are in ms."),
    ("families", "tpot_ms", 0.0, 10_000.0, "Times are in ms."),
    ("jobs", "max_accelerators", 0.0, 1_000_000.0, "Count accelerators."),
    ("jobs", "data_gb", 0.0, 100_000_000.0, "Data is in GB."),
    ("services", "slo_ms", 0.5, 600_000.0, "SLOs are in ms."),
)


def check_plausible(tables: Tables) -> None:
    """Warn about figures outside their band, idle power above busy power, and an unlikely carbon price."""
    for table, column, low, high, hint in BANDS:
        if not tables.sound(table, column) or column not in tables.grid(table).data:
            continue
        numbers = _numbers(tables, table, column)
        with np.errstate(invalid="ignore"):
            odd = np.isfinite(numbers) & ((numbers < low) | (numbers > high))
        message = f"figures between {low:g} and {high:g} are usual"
        tables.report(table, column, odd, "implausible", message, hint=hint, severity="warning")
    for row, chip in tables.rows.get("chips", ()):
        idle_kw, busy_kw = getattr(chip, "idle_kw", 0.0), getattr(chip, "busy_kw", 0.0)
        if idle_kw > busy_kw:
            message = f"idle power is above the busy power of {busy_kw:g} kW"
            place = tables.grid("chips").places.at(row)
            tables.findings.warning("implausible", message, column="idle_kw", found=f"{idle_kw:g}", **place)
    if tables.settings is not None and tables.settings.prices.carbon_price_yuan_per_t > 5000:
        found = f"{tables.settings.prices.carbon_price_yuan_per_t:g}"
        tables.findings.warning(
            "implausible",
            "figures below 5000 are usual",
            file=tables.settings_file,
            row="prices.carbon_price_yuan_per_t",
            found=found,
            hint="Carbon prices are in yuan per tonne.",
        )


def _numbers(tables: Tables, table: str, column: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Numbers of a column, shape (rows,); NaN where a short table's row is wrong or blank."""
    if table not in SHORT_TABLES:
        return tables.values(table, column).to_numpy(dtype=np.float64)
    texts = tables.values(table, column)
    numbers = pd.to_numeric(texts.where(texts != "", None), errors="coerce")
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)
