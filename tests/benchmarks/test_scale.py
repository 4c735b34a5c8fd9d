from __future__ import annotations

import hashlib

import numpy as np
import pytest

from provgrid_bench.scale import scale_problem
from provgrid_bench.scale_instance import generate


def check_sum(raw: dict[str, object]) -> str:
    """sha256 over the sorted keys and the arrays as float64 rounded to 6 digits, first 16 hex digits."""
    digest = hashlib.sha256()
    for key in sorted(raw):
        digest.update(key.encode())
        digest.update(np.ascontiguousarray(np.round(np.asarray(raw[key], dtype=np.float64), 6)).tobytes())
    return digest.hexdigest()[:16]


@pytest.mark.parametrize(
    ("jobs", "seed", "rigid_share", "expected"),
    [(1000, 0, 0.0, "def4938ea7855bc2"), (10000, 3, 0.5, "5e316641a307301f")],
)
def test_the_frozen_family_is_what_it_was(jobs: int, seed: int, rigid_share: float, expected: str) -> None:
    assert check_sum(generate(jobs, seed=seed, rigid_share=rigid_share)) == expected


def test_the_problem_says_what_the_instance_says() -> None:
    raw = generate(300, pools=6, hours=48, services=5, seed=2, rigid_share=0.5)
    problem = scale_problem(300, pools=6, hours=48, services=5, seed=2, rigid_share=0.5)
    hours = raw["work"][7] / np.where(
        raw["efficiency"][raw["family"][7]] > 0, raw["efficiency"][raw["family"][7]], np.nan
    )
    np.testing.assert_allclose(problem.accelerator_hours(np.array([7]))[0][~np.isnan(hours)], hours[~np.isnan(hours)])
    np.testing.assert_allclose(
        problem.one_off_yuan_everywhere(np.array([7]))[0], raw["data_gb"][7] * raw["gb_price"][raw["origin"][7]]
    )
    assert problem.unserved_yuan[7] == pytest.approx(8.0 * raw["work"][7])
    assert ((problem.service_rate > 0) == raw["eligible"]).all()
    assert problem.floor_yuan == 0.0


def test_memory_is_linear_in_jobs() -> None:
    few, many = scale_problem(1000), scale_problem(2000)
    for name in few.array_fields():
        small, large = getattr(few, name), getattr(many, name)
        assert large.nbytes <= 2 * small.nbytes
        assert small.nbytes <= 8 * max(1000, 40 * 168)
