"""In which order a recording is played, and what its digest tells apart."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from libs import cases
from libs.blobs import Blobs
from libs.cases import BadCase, Input
from libs.eventlog import Cause, Recorded
from services.replay import playing, recording, submitting
from services.replay.recording import BadRecording
from spacecom.ingest.v1 import ingest_events_pb2 as ingest
from spacecom.ingest.v1.ingest_service_pb2 import SubmitResponse

T0 = datetime(2022, 11, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)


def fact(
    position: int, hours: float, message=None, stream: str = "elements/5", recorded_hours: float = 1e4
) -> Recorded:
    message = message or ingest.ElementSetAccepted(catalogue_number=5)
    at = T0 + hours * HOUR
    return Recorded(
        position, uuid.uuid4(), stream, position, message.DESCRIPTOR.full_name, message.SerializeToString(),
        at, at, T0 + recorded_hours * HOUR, Cause(uuid.uuid4(), None, ""),
    )  # fmt: skip


def test_what_became_known_at_one_instant_is_one_step_and_all_before_the_start_is_the_first():
    facts = [fact(1, 0), fact(2, 1), fact(3, 2), fact(4, 2), fact(5, 3)]
    assert [len(step.facts) for step in playing.steps(facts, None)] == [1, 1, 2, 1]
    assert [len(step.facts) for step in playing.steps(facts, T0 + HOUR)] == [2, 2, 1]
    assert [len(step.facts) for step in playing.steps(facts, T0 + 9 * HOUR)] == [5]


def test_a_recording_is_in_the_order_of_knowledge_and_its_identities_follow_from_its_name():
    facts = [fact(1, 5), fact(2, 1), fact(3, 1)]
    one, other = recording.ordered(facts, "case"), recording.ordered(reversed(facts), "case")
    assert [found.position for found in one] == [2, 3, 1]
    assert [found.event_id for found in one] == [found.event_id for found in other]
    assert recording.ordered(facts, "another")[0].event_id != one[0].event_id


def test_what_the_mesh_said_of_its_sources_is_not_recorded():
    said = ingest.SourceStateChanged(source="a")
    assert recording.ordered([fact(1, 0, said, "source/a"), fact(2, 0)], "case")[0].stream == "elements/5"


async def test_a_recording_reads_back_as_it_was_with_what_it_cites(tmp_path):
    blobs = Blobs((tmp_path / "store").as_uri())
    sha256 = await blobs.put(b"{}")
    facts = [fact(1, 0), fact(2, 1, ingest.AirspaceRecorded(geojson_sha256=sha256), "airspace/a")]
    made = await recording.write(tmp_path / "recording", facts, blobs)
    assert made.facts() == facts
    assert await made.blobs.get(sha256) == b"{}"


async def test_a_recording_cut_short_says_so(tmp_path):
    made = await recording.write(tmp_path, [fact(1, 0)], Blobs((tmp_path / "store").as_uri()))
    path = tmp_path / "facts.binpb"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BadRecording, match="cut short"):
        made.facts()
    path.unlink()
    with pytest.raises(BadRecording, match="record the case again"):
        made.facts()


def test_a_fact_without_a_time_of_its_own_became_known_with_what_it_was_read_from():
    untimed = replace(fact(1, 0, ingest.ObjectCatalogued(catalogue_number=5), "object/5"), available_at=T0 + 1e4 * HOUR)
    catalogued, _ = submitting._timed([untimed, fact(2, 3)])
    assert catalogued.available_at == T0 + 3 * HOUR


def test_a_day_of_space_weather_is_known_in_the_night_after_it():
    days = [ingest.SpaceWeatherDay(mjd=59880 + n, ap_3h=[4] * 8, ap_daily=4, f107_observed_sfu=120) for n in range(8)]
    weather = fact(1, 1e3, ingest.SpaceWeatherRecorded(source="a", days=days), "weather/a")
    known = [one for one in submitting._as_known([weather, fact(2, 0)]) if one.stream == "weather/a"]
    published = [
        datetime(2022, 10, 29 + n, 3, tzinfo=UTC) if n < 3 else datetime(2022, 11, n - 2, 3, tzinfo=UTC)
        for n in range(8)
    ]
    assert [one.available_at for one in known] == [at for at in published if at <= T0 + 48 * HOUR]


def test_a_digest_tells_another_content_or_order_but_not_another_time_of_recording():
    facts = [fact(1, 0), fact(2, 1)]
    assert playing.digest(facts) == playing.digest([replace(one, recorded_at=T0) for one in reversed(facts)])
    assert playing.digest(facts) != playing.digest(facts[:1])
    assert playing.digest(facts) != playing.digest([replace(facts[0], version=2), replace(facts[1], version=1)])
    run = [replace(one, stream="run/1") for one in facts]
    assert playing.digest(run) == playing.digest([replace(run[0], version=2), replace(run[1], version=1)])


A_FILE = Input("own.tle", "own", "TLE", b"")
REFUSED = ingest.InputRejected(line=3, detail="the checksum is 2; the line gives 8")


def test_records_that_the_gate_refuses_are_told_and_a_file_known_before_is_no_fault():
    told: list[str] = []
    submitting.check(A_FILE, SubmitResponse(accepted_count=1, rejected_count=1, rejections=[REFUSED]), told.append)
    submitting.check(A_FILE, SubmitResponse(duplicate_count=2), told.append)
    assert told == ["1 records of own.tle were refused, the first: line 3: the checksum is 2; the line gives 8"]


def test_a_file_of_which_nothing_is_accepted_ends_the_replay_with_the_reason():
    with pytest.raises(BadCase, match=r"nothing of own.tle was accepted; the first: line 3: the checksum is 2"):
        submitting.check(A_FILE, SubmitResponse(rejected_count=1, rejections=[REFUSED]), print)
    with pytest.raises(BadCase, match="it holds nothing"):
        submitting.check(A_FILE, SubmitResponse(), print)


def test_a_case_of_which_no_set_was_accepted_is_refused():
    case = cases.load("cz5b-2022")
    with pytest.raises(BadCase, match="cz5b-2022 has no element set of object 54217"):
        submitting.require([fact(1, 0)], case)
    submitting.require([fact(1, 0, ingest.ElementSetAccepted(catalogue_number=54217))], case)
