from libs import cases
from libs.astro import tle
from libs.astro.time import jd_to_datetime
from services.cli import demo


def test_the_epoch_that_the_demonstration_looks_for_is_that_of_the_set():
    for given in cases.load("cz5b-2022").inputs[-2:]:
        (one,) = tle.read(given.data)
        found = demo._epoch_of(given.data)
        assert abs((found - jd_to_datetime(one.epoch_jd, one.epoch_jd_fraction)).total_seconds()) < 1e-3


def test_a_demonstration_passes_only_when_all_of_it_holds():
    assert demo.Checks(truth_in_window=True, named_firs_found=9, shares_sum_to_one=True).passed
    for changed in ({"truth_in_window": False}, {"named_firs_found": 8}, {"shares_sum_to_one": False}):
        good = {"truth_in_window": True, "named_firs_found": 10, "shares_sum_to_one": True}
        assert not demo.Checks(**good | changed).passed
