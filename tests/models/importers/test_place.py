import numpy as np
import pandas as pd
import pytest

from provgrid_models.compile import compile_scenario
from provgrid_models.errors import OptionError
from provgrid_models.files import check_loaded, load_scenario, save_scenario
from provgrid_models.importers import (
    AzureOptions,
    PhillyOptions,
    PlaceOptions,
    ServegenOptions,
    import_trace,
    into,
)
from provgrid_models.importers.place import placed
from provgrid_models.reasons import Reason
from provgrid_models.tables import LONG_TABLES
from tiny import tiny_scenario

# In the tiny scenario llm trains on 20 + 100 accelerators of 0.5 PFLOPS and 50 of 0.2 PFLOPS, 70 PFLOPS in all:
# 840 PFLOP-hours in its 12 hours. It serves 12,000 + 2,000 tokens/s.
FLEET_PFLOP_H = 840.0
FLEET_TOKENS_PER_S = 14_000.0
ONE_PFLOP_PER_GPU_HOUR = {"pflops_per_gpu": 1.0, "mfu": 1.0}


@pytest.fixture
def philly(tmp_path):
    def _philly(*rows, **options):
        path = tmp_path / "philly.csv"
        lines = [f"{when},{seconds},{gpus},{seconds * gpus},{tenant}" for when, seconds, gpus, tenant in rows]
        path.write_text("\n".join(["timestamp,duration,num_gpus,gpu_time,cluster", *lines]) + "\n")
        return import_trace("philly", path, PhillyOptions(**(ONE_PFLOP_PER_GPU_HOUR | options)))

    return _philly


@pytest.fixture
def azure(tmp_path):
    path = tmp_path / "chat-code.csv"
    path.write_text(
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 10:00:00.0,500,500\n2023-11-16 10:00:10.0,500,500\n"
    )
    return import_trace("azure-llm", path, AzureOptions(hours=2))  # 2,000 tokens in 10 s = 200 tokens/s


def test_a_given_scale_places_jobs_as_they_are(philly):
    imported = philly(("2017-10-09 01:00:00", 7200, 4, "vc1"), ("2017-10-09 02:30:00", 3600, 1, "vc2"))
    scenario = into(imported, tiny_scenario(), PlaceOptions(scale=1.0, region_map={"unplaced": "west"}))
    jobs = scenario.jobs
    assert jobs["id"].tolist() == ["philly-2", "philly-3"]
    assert jobs["family"].tolist() == ["llm", "llm"]  # the family that reaches most accelerators
    assert jobs["region"].tolist() == ["west", "west"]
    assert jobs["work_pflop_h"].tolist() == pytest.approx([8.0, 1.0])
    assert jobs["release_h"].tolist() == [1.0, 2.5]
    # On the slowest chip (0.2 PFLOPS) 8 PFLOP-h on 4 accelerators take 10 h: later than 1 + 2 + 6 = 9 h.
    # 1 PFLOP-h on 1 accelerator takes 5 h, from the first whole period 3 on: 2.5 + 1 + 6 = 9.5 h is late enough.
    assert jobs["deadline_h"].tolist() == [11.0, 9.5]
    assert [t.id for t in scenario.tenants] == ["city", "firm", "vc1", "vc2"]
    assert scenario.services.empty
    assert scenario.demand.empty
    assert scenario.name == "tiny-philly"
    for name in ("jobs", "services", "demand"):
        assert list(getattr(scenario, name)) == [c.name for c in LONG_TABLES[name].columns]


def test_a_scale_below_one_lowers_the_smallest_pool_with_the_accelerators(philly):
    imported = philly(("2017-10-09 01:00:00", 7200, 1, "vc1"), ("2017-10-09 02:00:00", 3600, 8, "vc1"))
    assert (imported.jobs["min_accelerators"] == 1.0).all()
    scenario = into(imported, tiny_scenario(), PlaceOptions(scale=0.25))
    # 1 and 8 accelerators become 0.25 and 2: the first job no longer needs a whole one, the second still does.
    assert scenario.jobs["max_accelerators"].tolist() == pytest.approx([0.25, 2.0])
    assert scenario.jobs["min_accelerators"].tolist() == [0.0, 1.0]
    assert [finding for finding in check_loaded(scenario) if finding.severity == "error"] == []


def test_fit_scales_the_work_to_the_target(philly):
    imported = philly(*[(f"2017-10-09 0{h}:00:00", 3600, 1, "vc") for h in range(6)])
    scenario = into(imported, tiny_scenario(), PlaceOptions(target_utilisation=0.5))
    assert scenario.jobs["work_pflop_h"].sum() == pytest.approx(0.5 * FLEET_PFLOP_H, rel=0.01)
    # Elastic jobs grow in accelerators as they grow in work: 420 / 6 = 70 times each
    assert scenario.jobs["max_accelerators"].tolist() == pytest.approx([70.0] * 6, rel=0.01)


def test_keeping_leaves_room_for_the_scenarios_own_work(philly):
    imported = philly(("2017-10-09 00:00:00", 3600, 1, "vc"), ("2017-10-09 00:10:00", 3600, 1, "vc"))
    own = tiny_scenario()
    scenario = into(imported, own, PlaceOptions(keep=True, target_utilisation=0.5))
    added = scenario.jobs[len(own.jobs) :]
    # Its jobs ask for 40 PFLOP-h; its services for 210 / 0.7 + 800 / 0.8 tokens/s of 14,000.
    kept = 40.0 / FLEET_PFLOP_H + (210 / 0.7 + 800 / 0.8) / FLEET_TOKENS_PER_S
    assert added["work_pflop_h"].sum() / FLEET_PFLOP_H == pytest.approx(0.5 - kept, rel=0.01)
    pd.testing.assert_frame_equal(scenario.jobs[: len(own.jobs)], own.jobs)
    pd.testing.assert_frame_equal(scenario.services, own.services)
    with pytest.raises(
        OptionError, match=r"own work asks for 0.14 of the accelerator-hours, the target for all is 0.1"
    ):
        into(imported, own, PlaceOptions(keep=True, target_utilisation=0.1))


def test_a_gang_larger_than_every_pool_is_cut_and_said(philly):
    imported = philly(("2017-10-09 00:00:00", 3600, 160, "vc"))
    scenario = into(imported, tiny_scenario(), PlaceOptions(scale=1.0))
    # hub_b has 125 x 0.8 = 100 usable; 160 PFLOP-h on 100 x 0.5 PFLOPS take 3.2 h, within 7 h
    assert scenario.jobs["max_accelerators"].tolist() == [100.0]
    assert scenario.jobs["work_pflop_h"].tolist() == [160.0]
    assert "1 job larger than every pool cut to 100 accelerators." in scenario.settings.assumptions


def test_an_elastic_job_is_cut_to_the_largest_pool_too_so_that_some_pool_can_serve_it_whole(philly):
    imported = philly(("2017-10-09 01:00:00", 3600, 1, "vc"))
    scenario = into(imported, tiny_scenario(), PlaceOptions(scale=300.0))
    assert scenario.jobs["max_accelerators"].tolist() == [100.0]
    # 300 PFLOP-h on hub_b's 100 x 0.5 PFLOPS take 6 h, within the 7 h that its deadline leaves it
    assert scenario.jobs["work_pflop_h"].tolist() == [300.0]
    assert scenario.jobs["deadline_h"].tolist() == [8.0]
    problem = compile_scenario(scenario)
    assert (problem.reasons(slice(None)) == Reason.OPEN).any()
    assert "1 job larger than every pool cut to 100 accelerators." in scenario.settings.assumptions


def test_work_that_cannot_fill_the_pools_is_multiplied_no_further_than_it_helps(philly):
    imported = philly(("2017-10-09 01:00:00", 3600, 1, "vc"))
    found = placed(imported, tiny_scenario(), PlaceOptions(target_utilisation=0.9))
    # Moved out to the horizon's end, one job has 11 h of hub_b's 50 PFLOPS: 550 of the 840 PFLOP-hours of the grid.
    assert found.size.falls_short
    assert found.size.share == pytest.approx(550 / FLEET_PFLOP_H)
    assert found.size.scale == pytest.approx(0.9 * FLEET_PFLOP_H)
    (warning,) = found.warnings
    assert warning.startswith(
        "to fill 90% of the accelerators, all imported work was multiplied by 756, and fills 65%, since no pool holds "
        "more of it: 1 of the 1 jobs that the trace has in the horizon are left"
    )


def test_work_after_the_horizon_is_cut_and_jobs_without_a_whole_period_are_left_out(philly):
    imported = philly(
        ("2017-10-09 02:00:00", 36000, 1, "vc"),  # 10 PFLOP-h on one accelerator of 0.2 PFLOPS: 2 within 10 h
        ("2017-10-09 11:30:00", 3600, 1, "vc"),  # released within the last period
    )
    scenario = into(imported, tiny_scenario(), PlaceOptions(scale=1.0))
    assert scenario.jobs["work_pflop_h"].tolist() == pytest.approx([2.0])
    assert scenario.jobs["deadline_h"].tolist() == [12.0]
    said = scenario.settings.assumptions
    # 8 of 11 PFLOP-hours
    assert "1 job has too little time before the horizon's end: 72.7 % of the work left out." in said
    assert "1 job has no whole period left before the horizon's end, and no place in the plan." in said


def test_windows_end_with_the_block_of_the_horizon_that_they_start_in(philly):
    hours = ("02:00", "05:30", "08:00")  # the second begins with the first whole period after it, in the other block
    imported = philly(*[(f"2017-10-09 {hour}:00", 3600, 1, "vc") for hour in hours])
    starts = ("2026-07-01T00:00:00", "2026-08-01T00:00:00")
    blocks = [{"start": start, "periods": 6, "weight": 182.5} for start in starts]
    scenario = into(imported, tiny_scenario(settings={"horizon": {"blocks": blocks}}), PlaceOptions(scale=1.0))
    assert scenario.jobs["deadline_h"].tolist() == [6.0, 12.0, 12.0]
    # 1 PFLOP-h each, on one accelerator of 0.2 PFLOPS: 0.8 of it in the 4 h that are left to the first and the last
    assert scenario.jobs["work_pflop_h"].tolist() == pytest.approx([0.8, 1.0, 0.8])
    said = list(scenario.settings.assumptions)
    assert "Hours of the import fill the 2 blocks of the horizon one after the other." in said
    ends = said.index("A job's window ends with the block of the horizon that it starts in.")
    assert said[ends + 1 : ends + 3] == [
        "3 deadlines after the block's end moved to that end.",
        "2 jobs have too little time before the block's end: 13.3 % of the work left out.",  # 0.4 of 3
    ]
    assert [finding.text() for finding in check_loaded(scenario) if finding.severity == "error"] == []


def test_what_is_cut_is_told_before_what_is_multiplied_and_the_shares_agree(philly):
    imported = philly(
        ("2017-10-09 02:00:00", 36000, 1, "vc"),  # 10 PFLOP-h, of which 2 are done before the horizon ends
        ("2017-10-09 11:30:00", 3600, 1, "vc"),
    )
    said = list(into(imported, tiny_scenario(), PlaceOptions(scale=2.0)).settings.assumptions)
    cut = said.index("1 job has too little time before the horizon's end: 72.7 % of the work left out.")
    # 11 / 840 = 0.0131 asked for, 2 / 840 = 0.00238 fit; times 2 is 0.00476
    assert said[cut + 2] == (
        "As it is in the trace, the imported work asks for 0.0131 of the usable accelerator-hours of its families, "
        "services counted at their peak, and for 0.00238 without what does not fit into the horizon."
    )
    assert said[cut + 3].startswith("What fits was multiplied by 2 (as asked): ")
    assert said[cut + 3].endswith("All work in the scenario now asks for 0.00476.")
    assert not any("deadline" in line for line in said[cut:])


def test_the_busiest_day_is_placed_unless_an_hour_is_given(philly):
    imported = philly(
        ("2017-10-09 01:00:00", 3600, 1, "vc"),
        ("2017-10-11 02:00:00", 3600, 1, "vc"),
        ("2017-10-11 03:00:00", 3600, 1, "vc"),
    )
    assert into(imported, tiny_scenario()).jobs["release_h"].tolist() == [2.0, 3.0]
    assert into(imported, tiny_scenario(), PlaceOptions(from_hour=0.5)).jobs["release_h"].tolist() == [0.5]
    with pytest.raises(OptionError, match="no imported job is released in hours 20 to 32; change from_hour"):
        into(imported, tiny_scenario(), PlaceOptions(from_hour=20.0))


def test_hours_of_the_day_stay_in_step_with_the_horizon(philly):
    imported = philly(("2017-10-09 09:00:00", 3600, 1, "vc"))
    scenario = tiny_scenario(settings={"horizon": {"start": "2026-07-01T06:00:00"}})
    assert into(imported, scenario).jobs["release_h"].tolist() == [3.0]


def test_jobs_are_spread_by_demand_weight_the_same_way_for_a_seed(philly):
    imported = philly(*[(f"2017-10-09 00:{m:02d}:{s:02d}", 3600, 1, "vc") for m in range(50) for s in range(20)])
    scenario = tiny_scenario(regions={"east": {"demand_weight": 3.0}, "west": {"demand_weight": 1.0}})
    regions = [into(imported, scenario, PlaceOptions(seed=s)).jobs["region"].tolist() for s in (1, 1, 2)]
    assert regions[0] == regions[1] != regions[2]
    assert regions[0].count("east") / 1000 == pytest.approx(0.75, abs=0.05)


def test_a_service_is_split_over_regions_and_repeated_over_the_horizon(azure):
    scenario = tiny_scenario(regions={"east": {"demand_weight": 3.0}, "west": {"demand_weight": 1.0}})
    placed = into(azure, scenario, PlaceOptions(scale=2.0))
    assert placed.services["id"].tolist() == ["chat-code/east", "chat-code/west"]
    assert placed.services["region"].tolist() == ["east", "west"]
    table = placed.demand.pivot_table(index="service", columns="period", values="tokens_per_s")
    assert table.shape == (2, 12)
    assert np.allclose(table.loc["chat-code/east"], 200 * 2 * 0.75)
    assert np.allclose(table.loc["chat-code/west"], 200 * 2 * 0.25)
    assert "The imported demand covers 2 h and is repeated over the horizon." in placed.settings.assumptions


def test_fit_scales_services_to_their_peak(azure):
    placed = into(azure, tiny_scenario())
    # 0.6 of the fleet's 14,000 tokens/s, filled to 0.7
    by_period = placed.demand.groupby("period")["tokens_per_s"].sum()
    assert by_period.max() == pytest.approx(0.6 * 0.7 * FLEET_TOKENS_PER_S)


def test_services_can_be_drawn_to_one_region_each(azure):
    placed = into(azure, tiny_scenario(), PlaceOptions(split_services=False))
    assert placed.services["id"].tolist() == ["chat-code"]
    assert placed.services["region"].iloc[0] in {"east", "west"}


def test_demand_is_averaged_exactly_over_other_periods(tmp_path):
    folder = tmp_path / "m"
    folder.mkdir()
    windows = [f"{600 * i},{i // 6 + 1},1,Gamma,1,1" for i in range(18)]  # 1, 2, 3 requests/s in the three hours
    (folder / "chunk-1-trace.csv").write_text("\n".join(windows))
    imported = import_trace("servegen", folder, ServegenOptions(tokens_per_request=10.0))
    scenario = tiny_scenario(settings={"horizon": {"periods": 2, "period_h": 1.5}})
    placed = into(imported, scenario, PlaceOptions(scale=1.0, split_services=False))
    # Hours 0 to 1.5: 10 and half of 20; hours 1.5 to 3: half of 20 and 30
    assert placed.demand["tokens_per_s"].tolist() == pytest.approx([20 / 1.5, 40 / 1.5])


def test_placed_work_passes_the_checks_compiles_and_is_open_everywhere(philly, azure, tmp_path):
    imported = philly(
        ("2017-10-09 00:10:00", 7200, 16, "vc1"),
        ("2017-10-09 03:00:00", 360000, 8, "vc1"),
        ("2017-10-09 09:59:00", 60, 1, "vc2"),
        data_gb=100.0,
    )
    jobs = into(imported, tiny_scenario(), PlaceOptions(keep=True))
    scenario = into(azure, jobs, PlaceOptions(keep=True, target_utilisation=0.9))
    assert [f.text() for f in check_loaded(scenario) if f.severity == "error"] == []
    problem = compile_scenario(scenario)
    assert problem.never_served == ()
    assert problem.n_jobs == 3 + 3
    assert problem.n_services == 2 + 2  # split over two regions
    reasons = problem.reasons(slice(3, None))
    assert set(reasons.ravel()) <= {Reason.OPEN, Reason.GANG_TOO_LARGE}  # scaled gangs may outgrow the small pools
    assert (reasons == Reason.OPEN).any(axis=1).all()
    assert (problem.service_reason[2:] == 0).all()
    loaded = load_scenario(save_scenario(scenario, tmp_path / "placed"))
    pd.testing.assert_frame_equal(loaded.jobs, scenario.jobs)
    pd.testing.assert_frame_equal(loaded.demand, scenario.demand)
    assert loaded.settings == scenario.settings


def test_repeated_placing_beside_itself_renames_the_second(philly):
    imported = philly(("2017-10-09 00:00:00", 3600, 1, "vc"))
    once = into(imported, tiny_scenario(), PlaceOptions(scale=1.0))
    twice = into(imported, once, PlaceOptions(scale=1.0, keep=True, name="twice"))
    assert twice.jobs["id"].tolist() == ["philly-2", "philly/philly-2"]
    assert twice.name == "twice"
    assert [t.id for t in twice.tenants].count("vc") == 1


def test_every_assumption_of_the_import_stands_in_the_scenario(philly):
    imported = philly(("2017-10-09 00:00:00", 3600, 1, "vc"))
    said = into(imported, tiny_scenario(settings={"assumptions": ["own"]})).settings.assumptions
    assert said[0] == "own"
    lasting = [sentence for sentence in imported.assumptions if sentence not in imported.until_placed]
    assert len(imported.until_placed) == 2  # its region and its model, which are others in the scenario
    assert len(lasting) == len(imported.assumptions) - 2
    assert {f"Imported from philly: {s}" for s in lasting} <= set(said)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"region_map": {"unplaced": "north"}}, "region_map leads to north, which tiny does not have"),
        ({"job_family": "gpt"}, "family 'gpt' has no pool with a binding and mfu in tiny; choose one of llm, vision"),
    ],
)
def test_unknown_places_and_families_are_refused(philly, wrong, message):
    with pytest.raises(OptionError, match=message):
        into(philly(("2017-10-09 00:00:00", 3600, 1, "vc")), tiny_scenario(), PlaceOptions(**wrong))


@pytest.mark.parametrize(
    "wrong", [{"scale": 0.0}, {"scale": "big"}, {"target_utilisation": 0.0}, {"from_hour": -1.0}, {"seed": -1}]
)
def test_place_options_out_of_range_are_refused(wrong):
    with pytest.raises(OptionError, match=next(iter(wrong))):
        PlaceOptions(**wrong)
