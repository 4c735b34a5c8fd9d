import pytest

from provgrid_models.importers import OpenbOptions, import_trace

HEADER = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time"
GOOD = """\
pod-0,12000,16384,1,460,,LS,Running,7200,21600,10800
pod-1,12000,16384,4,1000,V100M16|V100M32,BE,Succeeded,3600,10800,3600
pod-2,12000,16384,0,0,,LS,Running,0,100,0
pod-3,12000,16384,1,1000,,BE,Pending,0,100,
pod-4,12000,16384,1,1000,,BE,Failed,50,100,100
"""


@pytest.fixture
def write(tmp_path):
    def _write(body):
        path = tmp_path / "openb_pod_list_default.csv"
        path.write_text(f"{HEADER}\n{body}", encoding="utf-8")
        return path

    return _write


def test_a_pod_is_a_job_with_its_share_of_a_gpu_from_scheduling_to_deletion(write):
    imported = import_trace("openb", write(GOOD), OpenbOptions(pflops_per_gpu=1.0, mfu=0.5))
    jobs = imported.jobs
    assert jobs["id"].tolist() == ["pod-1", "pod-0"]
    # pod-1: 4 GPUs x 2 h x 0.5 PFLOPS; pod-0: 0.46 GPU x 3 h x 0.5 PFLOPS, released at its creation
    assert jobs["work_pflop_h"].tolist() == pytest.approx([4.0, 0.69])
    assert jobs["release_h"].tolist() == [1.0, 2.0]
    assert jobs["max_accelerators"].tolist() == pytest.approx([4.0, 0.46])
    assert jobs["mode"].tolist() == ["rigid", "elastic"]
    assert jobs["tenant"].tolist() == ["", ""]
    assert imported.tenants == ()


def test_what_is_no_training_work_is_counted_by_its_reason(write):
    imported = import_trace("openb", write(GOOD))
    assert imported.counts == {
        "files": 1,
        "rows_read": 5,
        "rows_kept": 2,
        "bad_rows": 0,
        "duplicate_rows": 0,
        "zero_gpu": 1,
        "other_qos": 0,
        "never_scheduled": 1,
        "zero_lifetime": 1,
        "outside_window": 0,
        "beyond_max_jobs": 0,
    }
    assert "1 pods that were never scheduled held no GPU and were left out." in imported.assumptions
    assert "1 pods name GPU models that they may use; this was not used, bindings decide." in imported.assumptions


def test_pods_can_be_chosen_by_class(write):
    imported = import_trace("openb", write(GOOD), OpenbOptions(qos=("BE",)))
    assert imported.jobs["id"].tolist() == ["pod-1"]
    assert imported.counts["other_qos"] == 1  # pod-0; pod-2 counts as a pod without a GPU


def test_the_window_is_given_in_seconds_of_the_trace(write):
    imported = import_trace("openb", write(GOOD), OpenbOptions(start=5400, hours=1))
    assert imported.jobs["release_h"].tolist() == [0.5]  # (7200 - 5400) / 3600
    assert imported.counts["outside_window"] == 1


BAD = {
    "pod-9,1,1,1,0,,LS,Running,0,9,0": ("gpu_milli", "0", "a pod with one GPU needs a share above 0"),
    "pod-9,1,1,1,1500,,LS,Running,0,9,0": ("gpu_milli", "1500", "more than a whole GPU (1000)"),
    "pod-9,1,1,2.5,1000,,LS,Running,0,9,0": ("num_gpu", "2.5", "not a whole number"),
    "pod-9,1,1,-1,1000,,LS,Running,0,9,0": ("num_gpu", "-1", "must be at least 0"),
    "pod-9,1,1,1,1000,,VIP,Running,0,9,0": ("qos", "VIP", "not one of LS, BE, Burstable, Guaranteed"),
    "pod-9,1,1,1,1000,,LS,Running,,9,0": ("creation_time", "", "not a number"),
    "pod-9,1,1,1,1000,,LS,Running,10,9,10": ("deletion_time", "9", "before creation_time"),
    "pod-9,1,1,1,1000,,LS,Running,5,9,4": ("scheduled_time", "4", "before creation_time"),
    "pod-9,1,1,1,1000,,LS,Running,5,9,10": ("scheduled_time", "10", "after deletion_time"),
    "pod-9,1,1,1,1000,,LS,Running,5,9,soon": ("scheduled_time", "soon", "not a number"),
    "pod 9,1,1,1,1000,,LS,Running,5,9,6": ("name", "pod 9", "not a name (letters, digits, _ . - /)"),
    "pod-0,1,1,1,1000,,LS,Running,5,9,6": ("name", "pod-0", "an earlier pod has this name"),
}


@pytest.mark.parametrize("row", BAD)
def test_a_bad_pod_is_listed_with_its_line_and_problem_and_the_others_stay(write, row):
    imported = import_trace("openb", write(f"{GOOD}{row}\n"))
    column, found, problem = BAD[row]
    first = imported.bad_rows.to_dict("records")[0]
    assert first == {
        "file": "openb_pod_list_default.csv",
        "line": 7,
        "column": column,
        "found": found,
        "problem": problem,
    }
    assert imported.counts["bad_rows"] == 1
    assert imported.jobs["id"].tolist() == ["pod-1", "pod-0"]
