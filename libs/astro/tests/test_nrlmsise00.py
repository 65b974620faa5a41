"""Cases of the model's authors as printed in Orekit's test, and 4,000 outputs of the public-domain C release."""

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from libs.astro import nrlmsise00 as model

DATA = Path(os.environ.get("SPACECOM_VALIDATION_DATA", "../shared/data"))
CASES = DATA / "atmosphere/nrlmsise00/reference_cases.csv.gz"

BASE = {
    "doy": 172.0,
    "ut": 29000.0,
    "alt": 400.0,
    "lat": 60.0,
    "lon": -70.0,
    "lst": 16.0,
    "f107a": 150.0,
    "f107": 150.0,
}
PUBLISHED = [  # change to the base, total mass density g/cm3
    ({}, 4.074714e-15),
    ({"doy": 81.0}, 5.001846e-15),
    ({"ut": 75000.0, "alt": 1000.0}, 2.756772e-18),
    ({"alt": 100.0}, 3.584426e-10),
    ({"lat": 0.0}, 4.809630e-15),
    ({"lon": 0.0}, 4.355866e-15),
    ({"lst": 4.0}, 2.470651e-15),
    ({"f107a": 70.0}, 1.571889e-15),
    ({"f107": 180.0}, 4.564420e-15),
    ({"ap": 40.0}, 4.974543e-15),
    ({"alt": 0.0}, 1.261066e-03),
    ({"alt": 10.0}, 4.059139e-04),
    ({"alt": 30.0}, 1.950822e-05),
    ({"alt": 50.0}, 1.294709e-06),
    ({"alt": 70.0}, 1.147668e-07),
    ({"history": 100.0}, 5.881940e-15),
    ({"history": 100.0, "alt": 100.0}, 2.914304e-10),
]


def run(case: dict[str, float], *, anomalous: bool = False) -> np.ndarray:
    work, out = np.zeros(model.WORK_SIZE), np.zeros(model.OUT_SIZE)
    ap = np.full(7, case.get("history", 4.0))
    ap[0] = case.get("ap", 4.0)
    model.gtd7(
        case["doy"], case["ut"], case["alt"], case["lat"], case["lon"], case["lst"], case["f107a"], case["f107"],
        ap, "history" in case, anomalous, work, out,
    )  # fmt: skip
    return out


@pytest.mark.parametrize(("change", "density"), PUBLISHED)
def test_a_published_case_is_reproduced_to_its_seven_digits(change, density):
    assert run(BASE | change)[model.MASS] == pytest.approx(density, rel=1e-6)


def test_the_published_temperatures_are_reproduced():
    out = run(BASE)
    assert out[[model.T_EXO, model.T_ALT]] == pytest.approx([1250.540, 1241.416], abs=0.01)


def test_anomalous_oxygen_counts_for_drag():
    """Orekit's gtd7d figure of case 3 (1000 km)."""
    out = run(BASE | {"ut": 75000.0, "alt": 1000.0}, anomalous=True)
    assert out[model.MASS] == pytest.approx(3.387411e-18, rel=1e-6)


@pytest.mark.skipif(not CASES.exists(), reason=f"no validation data at {DATA}; set SPACECOM_VALIDATION_DATA")
def test_every_output_of_4000_random_cases_agrees_with_the_c_release():
    """The file has 13 digits; the same arithmetic in another order differs by rounding only."""
    names = ("he", "o", "n2", "o2", "ar", "mass_density_kg_m3", "h", "n", "o_anomalous", "t_exo_k", "t_alt_k")
    scale = np.array([1e6, 1e6, 1e6, 1e6, 1e6, 1e3, 1e6, 1e6, 1e6, 1.0, 1.0])
    work, out = np.zeros(model.WORK_SIZE), np.zeros(model.OUT_SIZE)
    count = 0
    for row in csv.DictReader(gzip.decompress(CASES.read_bytes()).decode("ascii").splitlines()):
        ap = np.array([float(row[f"ap{k}"]) for k in range(1, 8)])
        history = row["ap_history"] == "1"
        if not history:
            ap[0] = float(row["ap_daily"])
        where = [float(row[key]) for key in ("doy", "ut_s", "altitude_km", "latitude_deg", "longitude_deg", "lst_h")]
        model.gtd7(*where, float(row["f107a"]), float(row["f107"]), ap, history, row["model"] == "gtd7d", work, out)
        expected = np.array([float(row[name]) for name in names])
        np.testing.assert_allclose(out * scale, expected, rtol=1e-9, atol=1e-60)
        count += 1
    assert count == 4000
