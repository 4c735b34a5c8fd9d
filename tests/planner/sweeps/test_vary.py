"""What a sweep varies: ranges, lists, factors, and everything that is no such thing."""

from __future__ import annotations

import pytest

from provgrid.sweeps.vary import axes_of, check_axes, grid
from provgrid_models.errors import OptionError, ScenarioError

PRICE = "prices.carbon_price_yuan_per_t"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0:300:100", ("0", "100", "200", "300")),
        ("0:250:100", ("0", "100", "200")),  # the end is not on the way
        ("0.1:0.5:0.2", ("0.1", "0.3", "0.5")),  # as decimals: 0.1 + 0.2 is 0.3
        ("2:0:-1", ("2", "1", "0")),
        ("1e2:3e2:1e2", ("100", "200", "300")),
        ("5,1,5,2", ("5", "1", "2")),  # each once
        ('["a","b"],["c"]', ('["a","b"]', '["c"]')),  # a list is one value
        ("energy,full", ("energy", "full")),
    ],
)
def test_ranges_and_lists_are_read(text, values):
    (axis,) = axes_of([f"{PRICE}={text}"])
    assert axis.values == values


def test_the_last_axis_varies_fastest_and_factors_keep_their_star():
    axes = axes_of({PRICE: "0:1:1", "pools.*/h20.accelerators*": [0.5, 2]})
    assert grid(axes) == [("0", "0.5"), ("0", "2"), ("1", "0.5"), ("1", "2")]
    assert axes[1].override("2") == "pools.*/h20.accelerators*=2"
    assert [axes[1].shown(value) for value in axes[1].values] == [0.5, 2]


@pytest.mark.parametrize(
    ("vary", "said"),
    [
        ([], "nothing is varied"),
        ([PRICE], "cannot be read"),
        ([f"{PRICE}="], "cannot be read"),
        ([f"{PRICE}=1,,2"], "empty value"),
        ([f"{PRICE}=1:2:0"], "never comes from 1 to 2"),
        ([f"{PRICE}=1:2:-1"], "never comes from 1 to 2"),
        ([f"{PRICE}=0:1:0.000001"], "1,000,001 values"),
        ([f"{PRICE}=0:999:1", "prices.unserved_multiple=1:999:1"], "999,000 points"),
        ([f"{PRICE}=1", f"{PRICE}=2"], "varied twice"),
        (["pools.accelerators=1"], "path=value is needed"),
        (["pools.*/h20.accelerators*=many"], "a factor is a number"),
        ({PRICE: []}, "has no values"),
    ],
)
def test_what_cannot_be_varied_is_refused_with_a_hint(vary, said):
    with pytest.raises(OptionError, match=said) as refused:
        axes_of(vary)
    assert "\n" not in str(refused.value)


def test_a_key_that_no_value_fits_is_an_error_and_a_single_wrong_value_is_not():
    with pytest.raises(ScenarioError, match=r"first: --vary key prices\.nothing: no such key"):
        check_axes(axes_of(["prices.nothing=1,2"]), "toy", ())
    check_axes(axes_of(["clusters.jiashan.pue=0.5,1.2"]), "toy", ())


@pytest.mark.parametrize("values", ["10,abc", "abc,10"])
def test_a_value_of_a_kind_that_the_key_never_takes_is_an_error_beside_values_that_fit(values):
    with pytest.raises(ScenarioError, match=r"--vary key prices\.carbon_price_yuan_per_t"):
        check_axes(axes_of([f"prices.carbon_price_yuan_per_t={values}"]), "toy", ())


def test_a_bare_key_is_told_with_the_path_that_it_means():
    with pytest.raises(ScenarioError) as refused:
        check_axes(axes_of(["carbon_price=1,2"]), "toy", ())
    said = '--vary key carbon_price: no such key. Did you mean "prices.carbon_price_yuan_per_t"?'
    assert str(refused.value).endswith(said)
