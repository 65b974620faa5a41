"""What the corpus says was known when, on the case whose figures are in the product."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from libs import cases
from libs.astro.time import datetime_to_jd
from services.replay import backcast, corpus
from services.replay.corpus import Known

CASE = "cz5b-2022"


@pytest.fixture(scope="module")
def subject() -> corpus.Subject:
    return corpus.subject(cases.load(CASE))


def test_a_cut_holds_the_sets_and_days_of_its_past(subject):
    (found,) = corpus.cuts(subject, ["12 h"])
    assert len(found.known) == 2
    assert max(day.mjd for day in found.days) <= sum(found.at) - 2400000.5


def test_what_becomes_known_later_changes_no_cut(subject):
    """INVARIANT: no look-ahead; facts planted after a cut-off would make every score worthless."""
    at = datetime_to_jd(subject.truth - timedelta(hours=11))
    late = Known(replace(subject.known[-1].elements, mean_motion_rev_day=16.6), at)
    stormy = tuple(replace(day, ap_daily=400.0, ap_3h=(400.0,) * 8) for day in subject.days[-1:])
    stormy = tuple(replace(day, mjd=day.mjd + 2) for day in stormy)
    planted = replace(subject, known=(*subject.known, late), days=(*subject.days, *stormy))
    (before,), (after,) = corpus.cuts(subject, ["12 h"]), corpus.cuts(planted, ["12 h"])
    assert (before.known, before.days) == (after.known, after.days)


def test_a_set_published_after_its_epoch_is_known_from_then(subject):
    hour = timedelta(hours=1)
    published = datetime_to_jd(subject.truth - 5 * hour)
    late = replace(subject, known=(subject.known[0], replace(subject.known[1], at=published)))
    assert len(corpus.cut(late, "", subject.truth - 6 * hour).known) == 1
    assert len(corpus.cut(late, "", subject.truth - 4 * hour).known) == 2


def test_the_lagged_run_lacks_the_newest_set(subject):
    when = subject.truth - timedelta(hours=12)
    assert corpus.cut(subject, "", when, lagged=True).known == corpus.cut(subject, "", when).known[:1]


@pytest.mark.parametrize(
    ("first", "last", "kind"),
    [("10:00", "10:50", "point"), ("06:04", "07:32", "interval"), ("00:00", "23:59", "day")],
)
def test_a_truth_is_a_point_an_interval_or_a_day(first, last, kind):
    case = cases.load(CASE)
    on = "2022-11-04T{}:00+00:00"
    ends = [datetime.fromisoformat(on.format(at)) for at in (first, last)]
    truth = replace(case.truths[0], first_at=ends[0], last_at=ends[1])
    assert corpus.subject(replace(case, truths=(truth,))).kind == kind


def test_a_time_told_for_10_km_is_set_back_to_80_km():
    case = cases.load(CASE)
    low = replace(case, truths=(replace(case.truths[0], altitude_km=10.0),))
    assert corpus.subject(case).truth - corpus.subject(low).truth == timedelta(minutes=5.5)


def test_an_object_without_a_truth_is_not_scored_and_may_have_to_be_declined():
    case = replace(cases.load(CASE), truths=(), declined_at=(datetime(2022, 11, 3, 12, tzinfo=UTC),))
    steered = corpus.subject(case)
    assert list(corpus.cuts(steered)) == []
    assert [one.name for one in corpus.declining(steered)] == ["2022-11-03T12:00Z"]


@pytest.mark.parametrize(("nominal", "error"), [(7.0, -1.0), (8.0, 0.0), (10.0, 0.0), (12.5, 0.5)])
def test_the_error_from_an_interval_is_the_way_to_its_nearer_end(nominal, error):
    assert backcast.error(nominal, (8.0, 12.0)) == error


def test_an_absent_input_leaves_its_case_out_and_says_why(tmp_path):
    found, absent = corpus.load(["goce-2013", CASE], tmp_path)
    assert [one.case for one in found] == [CASE]
    assert "SPACECOM_VALIDATION_DATA" in absent["goce-2013"]


def with_sets(data: bytes, form: str = "TLE", **changed) -> cases.Case:
    """The case with this file in place of its element sets."""
    case = cases.load(CASE)
    rest = tuple(one for one in case.inputs if one.format != "TLE")
    return replace(case, inputs=(*rest, cases.Input("own", "own", form, data)), **changed)


LINES = b"".join(one.data for one in cases.load(CASE).inputs if one.format == "TLE")


def test_sets_are_in_order_of_publication_however_their_file_has_them():
    """INVARIANT: of one epoch the set published last is used; a file with the newest first would turn that round."""
    record = {
        "OBJECT_NAME": "OWN", "OBJECT_ID": "2022-143B", "EPOCH": "2022-11-03T10:48:22.504416", "NORAD_CAT_ID": 54217,
        "MEAN_MOTION": 16.28127082, "ECCENTRICITY": 0.0062797, "INCLINATION": 41.4743, "RA_OF_ASC_NODE": 88.8611,
        "ARG_OF_PERICENTER": 197.7556, "MEAN_ANOMALY": 206.2843, "ELEMENT_SET_NO": 999, "REV_AT_EPOCH": 50,
        "BSTAR": 5.7383e-4, "MEAN_MOTION_DOT": 0.04306496, "MEAN_MOTION_DDOT": 7.7106e-6,
    }  # fmt: skip
    published = ["2022-11-03T20:00:00", "2022-11-03T12:00:00"]
    rows = [record | {"CREATION_DATE": at, "BSTAR": 1e-4 * k} for k, at in enumerate(published, 1)]
    found = corpus.subject(with_sets(json.dumps(rows).encode(), "OMM_JSON"))
    assert [one.elements.bstar_per_earth_radius for one in found.known] == [2e-4, 1e-4]


def test_records_that_are_left_out_are_told():
    other = LINES.replace(b"54217U", b"54217X", 1)
    found = corpus.subject(with_sets(LINES + other))
    assert len(found.known) == 3
    (said,) = found.refused
    assert said.startswith("1 records of own cannot be read, the first: line 5, column 8: columns 8-8 hold 'X'")


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (with_sets(LINES, catalogue_number=5), "2 sets of own are of other objects, such as 54217"),
        (with_sets(b"[]"), "cannot be read, the first: line 1, column 1"),
        (with_sets(b"[]", "SWPC_JSON"), "name a file of them in it, as TLE, OMM_JSON"),
    ],
)
def test_a_case_without_a_set_of_its_object_says_what_its_files_hold(case, said):
    with pytest.raises(cases.BadCase, match=said):
        corpus.subject(case)


def test_space_weather_that_is_none_is_refused():
    case = cases.load(CASE)
    page = cases.Input("page", "own", "CSSI_SPACE_WEATHER", b"<html>log in</html>")
    with pytest.raises(cases.BadCase, match="page is no space weather of format CSSI_SPACE_WEATHER: line 1"):
        corpus.subject(replace(case, inputs=(*case.inputs, page)))


def test_why_nothing_is_scored_is_told(subject):
    assert corpus.unscored(subject, ["12 h"]) == ""
    assert corpus.unscored(replace(subject, truths=()), ["12 h"]) == "it states no truth to be scored against"
    assert corpus.unscored(replace(subject, truths=(), declined_at=(subject.truth,)), ["12 h"]) == ""
    late = replace(subject, truth=subject.truth + timedelta(days=100))
    assert corpus.unscored(late, ["12 h"]) == (
        "at no cut-off was a set of the 3 days before it known; the newest of all is of 2022-11-03 19:58 UTC, "
        "the truth 2023-02-12 10:01 UTC"
    )
