import math
import os
from pathlib import Path

import numpy as np
import pytest

from libs.astro import density
from libs.astro.density import drag_density

DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
US76 = DATA / "atmosphere/us76/USSA1976Until100kmPer100mUntil1000kmPer1000m.dat"

CALM = np.array([[150.0, 150.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0]])
STORM = np.array([[250.0, 230.0, 200.0, 300.0, 300.0, 200.0, 200.0, 150.0, 100.0]])
DAY = np.array([172.0])


def at(rows: np.ndarray, alt_km: float, since_s: float = 3600.0, lat_deg: float = 30.0, lon_deg: float = 20.0) -> float:
    days = np.full(len(rows), DAY[0])
    return drag_density(
        rows, days, since_s, math.radians(lat_deg), math.radians(lon_deg), alt_km, np.empty(density.WORK_SIZE)
    )


def test_a_storm_swells_the_thermosphere():
    assert at(STORM, 400.0) > 3.0 * at(CALM, 400.0)


def test_the_sun_has_no_say_below_80_km():
    assert at(STORM, 79.9) == at(CALM, 79.9)
    assert at(STORM, 80.1) != at(CALM, 80.1)


def test_the_row_of_the_time_is_used_and_the_end_rows_hold_beyond():
    rows = np.vstack([CALM, STORM])
    noon = at(STORM, 300.0, since_s=11000.0)
    assert at(rows, 300.0, since_s=11000.0) == noon
    assert at(rows, 300.0, since_s=10000.0) == at(CALM, 300.0, since_s=10000.0)
    assert at(rows, 300.0, since_s=11000.0 + 86400.0) == noon
    assert at(rows, 300.0, since_s=11000.0 - 86400.0) == at(CALM, 300.0, since_s=11000.0)


@pytest.mark.skipif(not US76.exists(), reason=f"no validation data at {DATA}; set SPACECOM_VALIDATION_DATA")
@pytest.mark.parametrize(
    ("alt_km", "low", "high"),
    [
        (10.0, -0.06, 0.06),
        (50.0, -0.06, 0.06),
        (90.0, -0.06, 0.06),
        (120.0, -0.14, -0.08),
        (200.0, 0.05, 0.2),
        (400.0, 0.3, 0.55),
    ],
)
def test_the_yearly_mean_of_middle_latitudes_is_near_the_standard_atmosphere(alt_km, low, high):
    """US76 is such a mean; catches a wrong unit of an angle (+14 %) or of density (a thousand), which no port shows."""
    rows = (line.split() for line in US76.read_text().splitlines() if line[:1].isdigit())
    table = {round(float(row[0])): float(row[1]) for row in rows}
    days = range(15, 366, 30)
    values = [
        drag_density(CALM, np.array([float(day)]), ut, math.radians(45.0), lon, alt_km, np.empty(density.WORK_SIZE))
        for day in days
        for ut in (0.0, 43200.0)
        for lon in np.arange(-3.0, 3.1, 1.0)
    ]
    assert low < np.mean(values) / table[round(alt_km * 1000)] - 1.0 < high
