"""Expected strikes against what a hand works out."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from libs.astro.vulnerability import KNOT_M_S, Aircraft
from services.hazard import assumptions, strikes, traffic
from services.hazard.assumptions import DEFAULT, Risk
from services.hazard.visit_files import Visits

EDGES = (600.0, 450.0, 350.0, 245.0, 100.0, 0.0)
ONE = Aircraft("A20N", 35.8 * 37.57, 35.8 * 11.76, 450.0 * KNOT_M_S, transport=True)
ALONE = replace(DEFAULT, fleet=((1.0, ONE),))


@dataclass(frozen=True)
class Even:
    """The same density everywhere in one layer of levels."""

    per: float
    layers_fl: np.ndarray
    source: str = "even"

    def per_km2(self, lat_deg, *_):
        return np.full((len(lat_deg), 1), self.per)


def visits(count: int = 1, **changed) -> Visits:
    """Pieces that fall from FL450 to FL350 in 150 s, on the spot."""
    columns = {
        "sample": 0, "piece": np.arange(count), "kind": 0, "region": 0, "band": 2, "entry_s": 100.0, "exit_s": 250.0,
        "entry_lat_deg": 40.0, "entry_lon_deg": 3.0, "exit_lat_deg": 40.0, "exit_lon_deg": 3.0, "entry_fl": 450.0,
        "exit_fl": 350.0, "descent_m_s": 3048.0 / 150.0, "survival": 0.5, "mass_kg": 1.0, "area_m2": 0.04,
    }  # fmt: skip
    return Visits(**{name: np.broadcast_to(np.asarray(value), count) for name, value in (columns | changed).items()})


def found(some: Visits, per_km2: float, layer=(300.0, 400.0), given=ALONE, interval_s: float = 300.0):
    part = strikes.split(some, 0.0, interval_s)
    return part, strikes.strikes(some, part, Even(per_km2, np.array([layer])), given, 9.0, EDGES)


def test_a_piece_meets_density_times_swept_volume_times_time():
    """1e-4 aircraft per km2 in 3.048 km of height: 3.28e-14 per m3; half of the way lies in the layer."""
    _, one = found(visits(area_m2=1e-12), 1e-4)
    fall = 3048.0 / 150.0
    swept = ONE.front_m2 * ONE.speed_m_s + ONE.top_m2 * fall
    assert one.impact.sum() == pytest.approx(0.5 * 1e-4 / 3.048e9 * swept * 75.0, rel=1e-4)


def test_a_gram_harms_by_its_vulnerable_area_at_the_speed_they_meet_and_never_by_both_areas():
    """INVARIANT: RCC 321's area replaces the aircraft's; 19.37 m2 at sqrt(v_ac^2 + v_d^2)."""
    _, one = found(visits(mass_kg=1e-3, area_m2=1e-4, survival=1.0), 1e-4)
    relative = np.hypot(ONE.speed_m_s, 3048.0 / 150.0)
    assert one.casualty.sum() == pytest.approx(1e-4 / 3.048e9 * 19.37 * relative * 75.0, rel=1e-3)
    assert one.catastrophe.sum() < one.casualty.sum() < one.impact.sum()


@pytest.mark.parametrize("mass", [1e-3, 0.05, 0.2, 0.299, 0.3, 5.0])
def test_no_more_are_lost_than_harmed_and_no_more_harmed_than_hit(mass):
    _, one = found(visits(mass_kg=mass), 1e-4)
    assert one.catastrophe.sum() <= one.casualty.sum() <= one.impact.sum()


@pytest.mark.parametrize("interval_s", [60.0, 300.0, 3600.0])
def test_intervals_share_out_the_time_and_change_no_sum(interval_s):
    part, one = found(visits(3), 1e-4, interval_s=interval_s)
    assert (part.exit_s - part.entry_s).sum() == pytest.approx(3 * 150.0)
    assert (part.interval == np.floor(part.entry_s / interval_s)).all()
    _, whole = found(visits(3), 1e-4, interval_s=1e5)
    assert one.casualty.sum() == pytest.approx(whole.casualty.sum(), rel=1e-9)


def test_a_piece_over_the_antimeridian_stays_there():
    part = strikes.split(visits(entry_lon_deg=179.9, exit_lon_deg=-179.9), 0.0, 1e5)
    assert abs(abs(part.lon_deg[0]) - 180.0) < 1e-6


def test_density_in_layers_is_shared_out_to_bands():
    got = traffic.per_band(np.array([[3.0]]), np.array([[300.0, 400.0]]), EDGES)
    assert got[0].tolist() == pytest.approx([0.0, 0.0, 1.5, 1.5, 0.0, 0.0])


def test_the_average_day_has_its_mean_over_a_day():
    where = traffic.Assumed(DEFAULT.traffic, ("LECB",))
    hours = np.arange(0.0, 24.0, 0.25)
    region = np.zeros(len(hours), np.int64)
    density = where.per_km2(np.full(len(hours), 41.0), np.full(len(hours), 2.0), region, hours)
    assert density.sum(axis=1).mean() == pytest.approx(125e-6)
    elsewhere = where.per_km2(np.zeros(1), np.zeros(1), np.array([-1]), np.array([12.0]))
    assert elsewhere.sum() < density.sum(axis=1).max()


def test_as_many_pieces_as_columbia_shed_hit_an_aircraft_as_likely_as_was_found():
    """FAA after STS-107: at least 1 in 1,000 for an airliner in the vicinity, at least 1 in 100 for general aviation.

    84,000 pieces were picked up. Order of magnitude: our density is of a day's mean over the United States, our areas
    are span x length, some five times those of a fuselage and wings; so 1e-3 to 0.5.
    """
    falls = {"band": 2, "survival": 1.0, "mass_kg": 0.1, "area_m2": 0.01, "exit_s": 220.0, "descent_m_s": 25.4}
    fleet = replace(ALONE, harm=Risk.IMPACT)
    _, one = found(visits(84_000, **falls), 400e-6 * 0.35, (350.0, 450.0), fleet)
    assert 1e-3 < -np.expm1(-one.impact.sum()) < 0.5


CSV = b"cell,lower_fl,upper_fl,hour,aircraft\n83394bfffffffff,300,400,9,12.4\n83394bfffffffff,300,400,10,6.2\n"


def test_a_recorded_density_holds_in_its_cell_and_nowhere_else():
    """A cell of resolution 3 is some 12,400 km2; hours without rows have the mean of the others."""
    where = traffic.read(CSV, "a test")
    lat, lon = traffic.h3.cell_to_latlng(0x83394BFFFFFFFFF)
    km2 = traffic.h3.cell_area(0x83394BFFFFFFFFF, unit="km^2")
    nowhere = np.array([-1, -1, -1])
    got = where.per_km2(np.array([lat, lat, -lat]), np.full(3, lon), nowhere, np.array([9.5, 3.0, 9.5]))
    assert (got[:, 0] * km2).tolist() == pytest.approx([12.4, 9.3, 0.0])


POLYGON = (
    b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"lower_fl":0,"upper_fl":450,"hour":9,'
    b'"aircraft":24.0},"geometry":{"type":"Polygon","coordinates":[[[0,40],[2,40],[2,42.0],[0,42],[0,40]]]}}]}'
)


def test_a_recorded_density_may_be_of_polygons():
    where = traffic.read(POLYGON, "a test")
    got = where.per_km2(np.array([41.0, 45.0]), np.array([1.0, 1.0]), np.array([-1, -1]), np.array([9.0, 9.0]))
    assert got[0, 0] == pytest.approx(24.0 / 37_300.0, rel=0.01)  # 2 degrees by 2 at 41 N, km2
    assert got[1, 0] == 0.0


def test_assumptions_read_back_as_they_were_written():
    assert assumptions.of_json(assumptions.to_json(DEFAULT)) == DEFAULT


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b'"interval_min": 5.0', b'"interval_min": 7.0', "divide an hour"),
        (b'"share": 0.85', b'"share": 0.8', "sum to 1"),
        (b'"day_share": 0.9', b'"day_share": NaN', "no number"),
        (b'"harm": "casualty"', b'"harm": "fear"', "fear"),
        (b'"schema": "spacecom.hazard.exposure.1"', b'"schema": "other"', "schema"),
        (b'"top_m2"', b'"roof_m2"', "lack"),
        (b'"eur_per_delay_min": 100.0', b'"eur_per_delay_min": -1', "eur_per_delay_min"),
        (b'"name": "default"', b'"name": ""', "1 to 500"),
    ],
)
def test_assumptions_that_cannot_be_are_refused_with_the_reason(old, new, told):
    data = assumptions.to_json(DEFAULT)
    assert old in data
    with pytest.raises(assumptions.BadAssumptions, match=told):
        assumptions.of_json(data.replace(old, new))
