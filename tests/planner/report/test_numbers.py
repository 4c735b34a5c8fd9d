from __future__ import annotations

import math

import pytest

from provgrid.report.numbers import Numbers

ENGLISH, CHINESE = Numbers("en"), Numbers("zh")


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (0.0, "0", "0"),
        (0.000114, "0.000114", "0.000114"),
        (0.1234, "0.123", "0.123"),
        (1.0, "1", "1"),
        (3.14159, "3.14", "3.14"),
        (31.4159, "31.4", "31.4"),
        (314.159, "314", "314"),
        (9_999.4, "9,999", "9,999"),
        (9_999.6, "10,000", "1万"),  # rounds to 10,000, which is one 万
        (15_189.0, "15,189", "1.519万"),  # 1.5189
        (15_000.0, "15,000", "1.5万"),
        (1_215_961.0, "1.216 million", "121.6万"),
        (99_996_000.0, "100 million", "1亿"),  # 9,999.6万 rounds to 10,000万 = 1亿
        (123_456_789.0, "123.5 million", "1.235亿"),
        (999_970_000.0, "1 billion", "10亿"),  # 999.97 million rounds to 1,000 million
        (4.0e12, "4 trillion", "4万亿"),
        (-25_589.0, "−25,589", "−2.559万"),
        (math.inf, "∞", "∞"),
        (math.nan, "–", "–"),
        (None, "–", "–"),
    ],
)
def test_numbers_are_written_in_the_words_of_each_language(value: float | None, english: str, chinese: str) -> None:
    assert ENGLISH.number(value) == english
    assert CHINESE.number(value) == chinese


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [(302.4, "302 yuan", "302元"), (673_208.0, "673,208 yuan", "67.32万元"), (None, "–", "–")],
)
def test_money_is_yuan_with_a_space_and_its_sign_without(value: float | None, english: str, chinese: str) -> None:
    assert ENGLISH.yuan(value) == english
    assert CHINESE.yuan(value) == chinese


def test_a_latin_unit_keeps_its_space_in_chinese() -> None:
    assert CHINESE.with_unit(60.0, "Gbit/s") == "60 Gbit/s"
    assert CHINESE.with_unit(16.0, "吨") == "16吨"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0%"),
        (1e-12, "0%"),  # rounding
        (0.00001, "<0.01%"),
        (-0.00001, "−<0.01%"),
        (0.0206, "2.06%"),
        (0.0999, "9.99%"),
        (0.09996, "10.0%"),
        (0.3786, "37.9%"),
        (0.9999, "99.99%"),
        (0.99999, "99.99%"),  # not yet the whole
        (1.0 - 1e-12, "100%"),  # rounding
        (1.0, "100%"),
        (-0.1234, "−12.3%"),
        (25.5, "2,550.0%"),
        (math.inf, "∞"),
        (None, "–"),
    ],
)
def test_a_share_never_looks_like_nothing_or_the_whole_where_it_is_not(share: float | None, text: str) -> None:
    assert ENGLISH.percent(share) == text
    assert CHINESE.percent(share) == text
