import math
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from services.propagation.comparing import FALL, Agreement, Other, changes, compare
from services.propagation.domain import QUANTILES, Epoch
from services.propagation.tests.conftest import SECOND_AT
from services.propagation.tests.test_domain import predicted

HOUR = timedelta(hours=1)
HOURS = dict(zip(QUANTILES, (1, 2, 3, 5, 8, 11, 13, 14, 15), strict=True))  # of the quantiles, after 0 h
OURS = predicted(quantiles=tuple((p, Epoch(2459887.5, h / 24)) for p, h in HOURS.items()))
START = Epoch(2459887.5, 0.0).instant


def other(nominal_h: float, before_h: float = 1.0, after_h: float = 1.0, altitude_km: float = 80.0) -> Other:
    nominal = START + nominal_h * HOUR
    window = (nominal - before_h * HOUR, nominal + after_h * HOUR)
    return Other(UUID(int=9), "tip", SECOND_AT, nominal, window, altitude_km)


@pytest.mark.parametrize(
    ("theirs", "agreement"),
    [
        (other(8.0), Agreement.AGREES),
        (other(2.0), Agreement.AGREES),
        (other(14.5), Agreement.NOMINAL_OUTSIDE),
        (other(20.0, before_h=6.0), Agreement.NOMINAL_OUTSIDE),
        (other(20.0, before_h=5.9), Agreement.WINDOWS_APART),
        (other(0.5, after_h=1.4), Agreement.WINDOWS_APART),
    ],
)
def test_agreement_is_by_the_90_percent_window(theirs, agreement):
    assert compare(OURS, theirs).agreement is agreement


def test_a_time_for_the_ground_is_brought_up_to_80_km():
    compared = compare(OURS, other(8.0, altitude_km=10.0))
    assert compared.difference == -FALL
    assert compare(OURS, other(8.0)).difference == timedelta(0)


@pytest.mark.parametrize(
    ("hour", "probability"), [(0.5, 0.0), (1.0, 0.025), (8.0, 0.5), (6.5, 0.375), (15.0, 0.975), (15.1, 1.0)]
)
def test_the_probability_is_straight_between_quantiles(hour, probability):
    assert math.isclose(compare(OURS, other(hour)).our_probability, probability, abs_tol=1e-6)


def test_only_what_changed_is_worth_recording():
    far, near = other(20.0, before_h=1.0), other(8.0)
    ident = UUID(int=1)
    assert changes(OURS, ident, [near], {}, SECOND_AT) == []
    (raised,) = changes(OURS, ident, [far], {}, SECOND_AT)
    assert raised.agreement is Agreement.WINDOWS_APART
    assert changes(OURS, ident, [far], {"tip": Agreement.WINDOWS_APART}, SECOND_AT) == []
    (ended,) = changes(OURS, ident, [near], {"tip": Agreement.WINDOWS_APART}, SECOND_AT)
    assert ended.agreement is Agreement.AGREES
    both = changes(OURS, ident, [far, replace(far, source="esa")], {"tip": Agreement.WINDOWS_APART}, SECOND_AT)
    assert [one.source for one in both] == ["esa"]
