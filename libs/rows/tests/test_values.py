"""What a text of a field says, and what it does not."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.astro.elements import RefusalReason
from libs.astro.time import calendar_to_jd
from libs.rows.values import (
    Bad,
    Instant,
    Unfit,
    amount,
    calendar_day,
    count,
    field,
    instant,
    number,
    optional,
    text,
    whole,
)

YEARS = st.datetimes(datetime(1957, 1, 1), datetime(2099, 12, 31, 23, 59, 59))  # noqa: DTZ001  the strategy wants naive bounds


@given(YEARS, st.integers(0, 12))
def test_an_instant_is_read_to_the_last_digit_written(when, digits):
    decimals = f"{when.microsecond:06d}000000"[:digits]
    said = when.strftime("%Y-%m-%dT%H:%M:%S") + (f".{decimals}" if digits else "")
    found = instant(said)
    seconds = when.hour * 3600 + when.minute * 60 + when.second + Fraction(int(decimals or 0), 10**digits)
    assert found == (calendar_to_jd(when.year, when.month, when.day)[0], float(seconds / 86400))
    assert instant(when.strftime("%Y-%jT%H:%M:%S") + (f".{decimals}Z" if digits else "Z")) == found


@given(YEARS, st.timedeltas(timedelta(0), timedelta(days=4000)))
def test_instants_are_in_the_order_of_what_they_say(when, later):
    earlier, after = (instant(d.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")) for d in (when, when + later))
    assert earlier <= after
    assert after.seconds_since(earlier) == pytest.approx(later.total_seconds(), abs=1e-4)  # days resolve 40 us


def test_a_leap_second_is_taken_where_there_was_one():
    assert instant("2016-12-31T23:59:60.5") == Instant(2457754.5, 0.5 / 86400)
    for never in ("2017-12-31T23:59:60", "2016-12-31T22:59:60", "2016-12-31T23:59:61"):
        with pytest.raises(Unfit, match="no time of day"):
            instant(never)


@pytest.mark.parametrize(
    "said",
    ["2022-02-29T00:00:00", "2022-366T00:00:00", "2022-000T00:00:00", "0000-01-01T00:00:00", "2022-11-03T24:00:00"],
)
def test_a_day_or_hour_that_does_not_exist_is_out_of_range(said):
    with pytest.raises(Unfit) as unfit:
        instant(said)
    assert unfit.value.reason is RefusalReason.RANGE


@pytest.mark.parametrize(
    "said",
    ["2022-11-3T00:00:00", "2022-11-03 00:00:00", "2022-11-03", "2022-11-03T00:00:00+00:00", "٢022-11-03T00:00:00", ""],
)
def test_an_instant_in_another_form_is_refused(said):
    with pytest.raises(Unfit):
        instant(said)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_as_python_writes_it(value):
    assert number(repr(value)) == value


@pytest.mark.parametrize(
    "said", ["NaN", "-inf", "Infinity", "1e999", "1_0", "0x1", "1,5", " 1", "1 ", "", ".", "e5", "٣", "1e9999"]
)
def test_what_is_no_finite_number_is_refused(said):
    with pytest.raises(Unfit):
        number(said)


@pytest.mark.parametrize("value", [True, None, 1.5, [], {}, "a\0b", "a\nb", "x" * 201, "\ud800"])
def test_what_is_no_short_text_is_refused(value):
    with pytest.raises(Unfit):
        text(value)


def test_counts_and_amounts_are_not_negative():
    assert (count("007"), whole("-7"), amount("0.0")) == (7, -7, 0.0)
    for read in (count, amount):
        with pytest.raises(Unfit):
            read("-1")


def test_a_field_that_lacks_is_said_to_and_an_optional_one_is_none():
    assert optional({"A": ""}, "A", number) is None
    assert optional({}, "A", number) is None
    assert field({"A": "2020-02-29"}, "A", calendar_day) == date(2020, 2, 29)
    for record in ({}, {"A": ""}, {"A": None}):
        with pytest.raises(Bad, match="A is missing"):
            field(record, "A", number)
