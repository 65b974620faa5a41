"""What no real set of elements holds."""

from dataclasses import replace

import pytest

from libs.astro import elements
from libs.astro.elements import ElementSet, Refused

GOOD = ElementSet(
    catalogue_number=54217,
    object_name=b"CZ-5B R/B",
    international_designator=b"22143B",
    epoch_jd=2459886.5,
    epoch_jd_fraction=0.83202162,
    mean_motion_rev_day=16.33819495,
    eccentricity=0.0049889,
    inclination_deg=41.4725,
    raan_deg=86.2946,
    arg_of_perigee_deg=204.7631,
    mean_anomaly_deg=283.9192,
    bstar_per_earth_radius=0.00053797,
    mean_motion_dot_half_rev_day2=0.07541702,
    mean_motion_ddot_sixth_rev_day3=7.5736e-06,
    classification="U",
    element_set_number=999,
    revolution_number=56,
)


def test_a_set_with_an_impossible_value_is_refused():
    elements.validate(GOOD)
    for changed in ({"eccentricity": 1.0}, {"inclination_deg": float("nan")}, {"classification": "X"}):
        with pytest.raises(Refused):
            elements.validate(replace(GOOD, **changed))
