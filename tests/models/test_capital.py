"""The capital model, and the cost bases that decide which money counts, by hand."""

from typing import Any

import numpy as np
import pytest

from provgrid_models.capital import annuity, rent_yuan_per_h
from provgrid_models.compile import compile_scenario
from provgrid_models.errors import ArrayError, ScenarioError
from provgrid_models.problem import Problem
from provgrid_models.scenario import CapitalSettings
from provgrid_seeds import loader
from tiny import tiny_scenario

# Without interest, so that a hand can check: the chip is 1/5 a year, the site 1/10, half of 8760 hours in use.
CAPITAL = {
    "discount_rate": 0.0,
    "server_capital_factor": 1.5,
    "chip_life_years": 5.0,
    "site_yuan_per_kw": 10_000.0,
    "site_life_years": 10.0,
    "planned_utilisation": 0.5,
}
PRICES = {"fast": {"price_yuan": 87_600.0}, "small": {"price_yuan": 14_600.0}}
# fast in city_a draws 0.9 kW * 1.25 * PUE 1.5 = 1.6875 kW: (1.5 * 87,600 / 5 + 1,000 * 1.6875) / 4,380
CITY_RENT = (26_280.0 + 1_687.5) / 4_380.0


def full_cost(**changes: Any) -> Problem:
    settings = {"prices": {"basis": "full"}, "capital": CAPITAL}
    return compile_scenario(tiny_scenario(**({"settings": settings, "chips": PRICES} | changes)))


def test_an_annuity_pays_a_price_off_over_its_life():
    # 100,000 at 10 % over two years: 100,000 * 0.1 * 1.21 / 0.21; paid twice and discounted it is the price again.
    yearly = float(annuity(100_000.0, 2.0, 0.1))
    assert yearly == pytest.approx(57_619.05, abs=0.01)
    assert yearly / 1.1 + yearly / 1.21 == pytest.approx(100_000.0)
    assert float(annuity(100_000.0, 4.0, 0.0)) == pytest.approx(25_000.0)
    assert float(annuity(100_000.0, 4.0, 1e-9)) == pytest.approx(25_000.0)


def test_rent_spreads_chip_and_site_over_the_hours_in_use():
    # 8,760 yuan a year for the chip and 0.5 kW at 876 yuan a year, over half of all hours: (8,760 + 438) / 4,380
    rent = rent_yuan_per_h(43_800.0, 8_760.0, 0.5, lives=(5.0, 10.0), rate=0.0, in_use=0.5)
    assert float(rent) == pytest.approx(2.1)


def test_full_cost_adds_the_rent_of_chip_and_site_to_every_pool():
    # small in prov_c draws 0.5 kW * PUE 1.25 = 0.625 kW: (1.5 * 14,600 / 5 + 625) / 4,380
    rent = full_cost().rent_yuan_per_h
    assert rent[0] == pytest.approx(CITY_RENT)
    assert rent[2] == pytest.approx((4_380.0 + 625.0) / 4_380.0)


def test_a_site_may_have_a_price_of_its_own():
    assert full_cost(clusters={"city_a": {"site_yuan_per_kw": 20_000.0}}).rent_yuan_per_h[0] == pytest.approx(
        (26_280.0 + 2_000.0 * 1.6875) / 4_380.0
    )


def test_a_chip_without_a_price_has_no_full_cost():
    with pytest.raises(ScenarioError, match="chip small has no price_yuan, so work on it has no full cost"):
        full_cost(chips={"fast": {"price_yuan": 1.0}})
    assert not compile_scenario(tiny_scenario()).rent_yuan_per_h.any()


def test_the_energy_basis_leaves_out_network_and_demand_charge():
    energy = compile_scenario(tiny_scenario(settings={"prices": {"basis": "energy"}}))
    operating = compile_scenario(tiny_scenario())
    assert operating.demand_charge_yuan_per_kw.any()
    assert not energy.demand_charge_yuan_per_kw.any()
    assert set(energy.gb_yuan.ravel()) == {0.0}
    assert set(energy.service_yuan.ravel()) == {0.0}
    np.testing.assert_array_equal(energy.block_yuan_per_kwh, operating.block_yuan_per_kwh)
    np.testing.assert_array_equal(energy.route_length, operating.route_length)  # links still fill


def test_the_terms_of_a_tenant_hold_in_their_province():
    terms = {"rent_discount": 0.25, "subsidy_yuan_per_accelerator_h": 0.5, "terms_province": "Donghai"}
    problem = full_cost(tenants={"firm": terms})
    assert problem.rent_discount.tolist() == [[0.0, 0.0, 0.0], [0.25, 0.0, 0.25]]
    assert problem.subsidy_yuan_per_h.tolist() == [[0.0, 0.0, 0.0], [0.5, 0.0, 0.5]]
    # Nobody and the city pay the rent, the firm three quarters of it less half a yuan.
    assert problem.held_yuan_per_h[:, 0] == pytest.approx([CITY_RENT, CITY_RENT, 0.75 * CITY_RENT - 0.5])
    # The gang of the firm is 15 PFLOP-h / 0.5 PFLOPS = 30 accelerator-hours in city_a, and moves nothing.
    gang = problem.labels.jobs.index("gang")
    assert problem.one_off_yuan(np.array([gang]), np.array([0]))[0] == pytest.approx(30.0 * (0.75 * CITY_RENT - 0.5))


def test_a_discount_above_the_rent_is_refused():
    with pytest.raises(ArrayError, match=r"rent_discount\[0, 0\] is 1\.5; it must be at most 1\.0"):
        Problem(capacity=np.ones((1, 2)), rent_discount=np.array([[1.5]]))


def test_the_defaults_are_the_named_assumptions():
    defaults = CapitalSettings().model_dump()
    assert defaults == {name: loader.assumption(f"capital_{name}").value for name in defaults}
