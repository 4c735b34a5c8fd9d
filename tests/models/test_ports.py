"""Porting a family to a chip as an investment, by hand on tiny."""

import numpy as np
import pytest

from provgrid_models.bindings import Bindings
from provgrid_models.compile import compile_scenario
from provgrid_models.errors import ScenarioError
from provgrid_models.files import check_scenario, save_scenario
from provgrid_optimizer.audit import case_from_scenario
from tiny import SHORT, tiny_scenario

# Vision runs on fast alone; bringing it to small costs 8,760,000 yuan over two years without interest.
PORT = {"family": "vision", "chip": "small", "mfu": 0.3, "port_yuan": 8_760_000.0, "port_life_years": 2.0}
BINDINGS = [*SHORT["bindings"], PORT]


def with_port(*ports: str):
    settings = {"ports": list(ports), "capital": {"discount_rate": 0.0}}
    return tiny_scenario(bindings=BINDINGS, settings=settings)


def test_a_port_that_nobody_pays_for_is_closed():
    assert np.isnan(Bindings.of(with_port()).mfu[1, 1])
    assert compile_scenario(with_port()).constants_yuan == compile_scenario(tiny_scenario()).constants_yuan


def test_a_port_that_is_paid_for_is_open_and_costs_its_share_of_the_horizon():
    scenario = with_port("vision/small")
    assert Bindings.of(scenario).mfu[1, 1] == 0.3
    # 4,380,000 yuan a year, 500 an hour, twelve hours
    problem = compile_scenario(scenario)
    assert problem.ports_yuan == pytest.approx(6_000.0)
    assert problem.constants_yuan == pytest.approx(compile_scenario(with_port()).constants_yuan + 6_000.0)
    assert case_from_scenario(scenario).ports_yuan == pytest.approx(6_000.0)


def test_a_port_that_is_on_no_list_is_an_error(tmp_path):
    with pytest.raises(ScenarioError, match='ports names "llm/small"'):
        compile_scenario(with_port("llm/small"))
    save_scenario(with_port("vision/smal"), tmp_path)
    found = [one for one in check_scenario(tmp_path) if one.code == "unknown-port"]
    assert [(one.found, one.row) for one in found] == [("vision/smal", "ports.0")]
    assert "vision/small" in found[0].hint
