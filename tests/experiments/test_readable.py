"""Numbers and times as people read them."""

import pytest

from recsys_lib.experiments.readable import digits, duration, shown_metric


@pytest.mark.parametrize(
    ("value", "unit", "number", "shown_unit"),
    [
        (0.123456, "fraction", "0.123", ""),
        (0.0, "fraction", "0", ""),
        (0.0023456, "fraction", "0.0023", ""),
        (-0.5, "nats", "-0.500", "nats"),
        (0.00001234, "fraction", "1.23e-05", ""),
        (98114, "count", "98,114", ""),
        (1998, "count", "1998", ""),
        (12.345, "ms", "12.3", "ms"),
        (2.5, "widgets", "2.50", "widgets"),
        (0.0123, "s", "12.3", "ms"),
        (0.000213, "s", "213", "µs"),
        (235912.4, "per_s", "235,912", "per s"),
        (1_500_000, "bytes", "1.50", "MB"),
        (12, "bytes", "12", "B"),
    ],
)
def test_numbers_are_shown_as_people_read_them(value, unit, number, shown_unit):
    assert shown_metric({"value": value, "unit": unit}) == (number, "", shown_unit)


def test_an_interval_has_the_scale_of_its_value():
    metric = {"value": 0.0123, "low": 0.0005, "high": 1.5, "unit": "s"}
    assert shown_metric(metric) == ("12.3", "0.500 to 1500", "ms")


def test_a_missing_value_is_shown_with_its_reason():
    metric = {"value": None, "missing": "no timestamps", "unit": "s"}
    assert shown_metric(metric) == ("–", "no timestamps", "")


def test_what_is_no_number_is_shown_as_such():
    assert [digits(each) for each in (float("nan"), float("-inf"))] == ["–", "-inf"]


def test_times_are_shown_as_people_say_them():
    assert [duration(each) for each in (3.21, 48.2, 245)] == ["3.2 s", "48 s", "4 min 5 s"]
