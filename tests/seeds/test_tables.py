import pytest

from provgrid_seeds import loader

PUBLIC = [name for name in loader.table_names() if name != "assumptions"]
HAS_RANGE = ("low", "capacity_low", "price_low", "fp16_low", "solar_cf_low", "pv_cf_low")
ONLY_VALUES = {"cluster_facts", "demand_regions"}  # exact statistics; ranges stand in the note


@pytest.mark.parametrize("name", loader.table_names())
def test_every_row_has_an_id_of_its_own_a_source_and_a_quality(name):
    rows = loader.table(name)
    assert len({row["id"] for row in rows}) == len(rows) > 0
    assert all(isinstance(row["source"], str) for row in rows)
    assert {row["quality"] for row in rows} <= set(loader.QUALITIES)


@pytest.mark.parametrize("name", sorted(set(PUBLIC) - ONLY_VALUES))
def test_tables_carry_low_and_high_columns(name):
    columns = set(loader.table(name)[0])
    assert any(low in columns and low.replace("low", "high") in columns for low in HAS_RANGE)


def test_ranges_hold_their_values():
    for row in loader.table("assumptions"):
        assert row["low"] <= row["value"] <= row["high"], row["id"]
        assert row["why"], row["id"]
    for row in loader.table("tariffs"):
        assert row["price_low"] <= row["price_yuan_per_kwh"] <= row["price_high"], row["id"]


def test_counts_are_those_of_the_country():
    regions = loader.table("demand_regions")
    assert sum(row["level"] == "province" for row in regions) == 31
    assert len(loader.table("clusters")) == 21
    assert len(loader.table("tariffs")) == 17 * 4 * 24
    assert len(loader.table("renewables")) == 16 * 4 * 24


def test_city_rows_lie_inside_a_province_row():
    rows = loader.table("demand_regions")
    province = {row["province"]: row for row in rows if row["level"] == "province"}
    for city in (row for row in rows if row["level"] == "city"):
        assert city["gdp_bn_yuan"] < province[city["province"]]["gdp_bn_yuan"]
        assert city["demand_weight_default"] is None  # the weights of provinces alone sum to 1
    assert sum(row["demand_weight_default"] for row in province.values()) == pytest.approx(1.0, abs=1e-3)


def test_no_formula_output_passes_for_a_measurement():
    derived = [row for row in loader.table("latency") if row["kind"] == "derived_rule"]
    assert derived
    assert {row["quality"] for row in derived} == {"assumed"}


def test_tariffs_follow_from_their_components():
    # price(band) = (F - B) + B * multiplier: Zhejiang at the summer peak 0.5305 - 0.435 + 0.435 * 1.85 = 0.90025
    assert loader.figure("tariffs", "zhejiang_summer_16", "price_yuan_per_kwh") == pytest.approx(0.90025, abs=1e-4)
    for row in loader.table("tariffs"):
        flat = loader.figure("tariffs_source", str(row["province"]), "flat_price")
        floating = loader.table_row("tariffs_source", str(row["province"]))["floating_base"]
        if isinstance(floating, float) and row["province"] != "anhui":
            by_formula = flat - floating + floating * row["multiplier"]
            assert row["price_yuan_per_kwh"] == pytest.approx(by_formula, abs=2e-3), row["id"]


def test_diurnal_shapes_have_24_hours_and_a_mean_of_one():
    rows = loader.table("diurnal_shapes")
    for shape in {row["shape"] for row in rows}:
        day = [row["value"] for row in rows if row["shape"] == shape]
        assert len(day) == 24
        assert sum(day) / 24 == pytest.approx(1.0, abs=1e-3)


def test_size_quantiles_rise_and_shares_sum_to_one():
    rows = loader.table("size_quantiles")
    for population in ("planned", "all"):
        mine = [row for row in rows if row["population"] == population]
        assert sum(row["value"] for row in mine if row["quantity"] == "job_share") == pytest.approx(1.0, abs=1e-3)
        for gpus in {row["gpus_high"] for row in mine}:
            band = [row for row in mine if row["gpus_high"] == gpus and row["quantity"] == "gpu_hours"]
            values = [row["value"] for row in sorted(band, key=lambda row: row["probability"])]
            assert values == sorted(values)


def test_unknown_names_are_key_errors_that_say_what_exists():
    with pytest.raises(KeyError, match="chips"):
        loader.table("chip")
    with pytest.raises(KeyError, match="no row 'b200'"):
        loader.table_row("chips", "b200")
    with pytest.raises(KeyError, match="a number is needed"):
        loader.figure("chips", "h100", "vendor")
    with pytest.raises(KeyError, match="toy, zhejiang, national"):
        loader.scenario_folder("mars")
    with pytest.raises(KeyError, match="not of the form"):
        loader.resolve("h100")


def test_a_row_is_as_sure_as_its_least_sure_source():
    assert loader.weakest_quality("emission_factors/ef_zhejiang_2023") == "measured"
    assert loader.weakest_quality("emission_factors/ef_zhejiang_2023;chips/h20") == "published"
    assert loader.weakest_quality("chips/h20;assumptions/availability") == "assumed"
