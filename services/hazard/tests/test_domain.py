from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hazard import domain
from services.hazard.domain import (
    AirspaceSet,
    Chosen,
    ChunkCompleted,
    ChunkFailed,
    Epoch,
    Prediction,
    Run,
    RunCompleted,
    RunFailed,
    RunState,
    UnknownRun,
)

RUN, EVENT = uuid4(), uuid4()
PREDICTION = Prediction(
    EVENT, 54217, 3, datetime(2022, 11, 3, tzinfo=UTC), Epoch(2459887.5, 0.2), 80.0, 1000, "d" * 64, "w" * 64
)
AIRSPACE = AirspaceSet("demo", "a" * 64, "notice")
SCENARIO = Chosen("s" * 64, 7)


def requested(samples: int = 1000, chunk: int = 250, most: int = 10_000) -> list[domain.RunEvent]:
    prediction = replace(PREDICTION, sample_count=samples)
    return domain.request(RUN, prediction, AIRSPACE, SCENARIO, chunk_samples=chunk, most=most, model_version="m1")


def run_after(*events: domain.RunEvent, samples: int = 1000) -> Run:
    run = Run()
    for event in (*requested(samples), *events):
        run = domain.evolve(run, event)
    return run


def completed(chunk: int, count: int = 250, model: str = "m1") -> ChunkCompleted:
    return ChunkCompleted(RUN, chunk, f"{chunk}" * 64, count, model)


def failed(chunk: int, reason: str = "why") -> ChunkFailed:
    return ChunkFailed(RUN, chunk, 3, reason)


@given(samples=st.integers(1, 5000), chunk=st.integers(1, 600), most=st.integers(1, 5000))
def test_chunks_cover_every_sample_once_and_no_more_than_the_most(samples, chunk, most):
    head, *chunks = requested(samples, chunk, most)
    covered = [i for one in chunks for i in range(one.first_sample, one.first_sample + one.sample_count)]
    assert covered == list(range(min(samples, most)))
    assert (head.sample_count, head.chunk_count) == (len(covered), len(chunks))
    assert [one.chunk for one in chunks] == list(range(len(chunks)))
    assert all(one.sample_count <= chunk for one in chunks)


def test_a_run_and_its_chunks_name_what_they_rest_on():
    head, first, *_ = requested()
    assert (head.prediction_event_id, head.prediction_version, head.airspace_sha256) == (EVENT, 3, "a" * 64)
    assert (first.draws_sha256, first.drivers_sha256, first.airspace_sha256) == ("d" * 64, "w" * 64, "a" * 64)
    assert (first.model_version, first.window_start) == ("m1", PREDICTION.window_start)


ENDED = (RunCompleted(RUN, 1000), RunFailed(RUN, "why"))
TABLE = [
    ("an outcome is recorded", (), completed(0), [completed(0)]),
    ("a failure too", (), failed(0), [failed(0)]),
    ("none of its samples came down", (), completed(0, 0), [completed(0, 0)]),
    ("a chunk is completed once", (completed(0),), completed(0), []),
    ("not failed after it was completed", (completed(0),), failed(0), []),
    ("not completed after it failed", (failed(0),), completed(0), []),
    ("nothing after the run completed", (ENDED[0],), completed(3), []),
    ("nothing after the run failed", (ENDED[1],), completed(3), []),
    ("an unknown chunk is refused", (), completed(4), UnknownRun),
    ("an unknown chunk of a failure too", (), failed(-1), UnknownRun),
]  # fmt: skip


@pytest.mark.parametrize(("before", "outcome", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_what_an_outcome_comes_to(before, outcome, expected):
    if isinstance(expected, list):
        assert domain.decide_chunk(outcome, run_after(*before)) == expected
    else:
        with pytest.raises(expected):
            domain.decide_chunk(outcome, run_after(*before))


@pytest.mark.parametrize(
    ("outcome", "said"),
    [(completed(0, model="m2"), "model m2, not m1"), (completed(0, 251), "251 of 250"), (completed(0, -1), "-1 of")],
)
def test_a_result_that_cannot_be_fails_its_chunk(outcome, said):
    """INVARIANT: results of another model or with impossible counts are refused, or a run mixes models."""
    (event,) = domain.decide_chunk(outcome, run_after())
    assert isinstance(event, ChunkFailed)
    assert said in event.reason


def test_a_run_is_settled_when_every_chunk_has_an_outcome():
    outcomes = [completed(0), failed(1), completed(2), completed(3)]
    assert [run_after(*outcomes[:n]).settled for n in range(5)] == [False] * 4 + [True]
    assert not Run().settled


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((250, 250, 250, 250), ""),
        ((250, 250, 250, 200), ""),
        ((250, 250, 250, 199), "only 949 of 1000"),
        ((250, 250, 250, None), "only 750 of 1000 samples were flown: why"),
        ((0, 0, 0, 0), "did not come down"),
    ],
)
def test_a_run_with_fewer_than_95_percent_of_its_samples_gives_no_result(counts, said):
    """INVARIANT: it fails loudly. A hazard from fewer samples than asked for looks smaller than it is."""
    outcomes = [failed(n) if count is None else completed(n, count) for n, count in enumerate(counts)]
    reason = domain.shortfall(run_after(*outcomes))
    assert said in reason if said else reason == ""


def test_a_run_that_was_never_requested_has_no_result():
    assert domain.shortfall(Run())


def test_the_reasons_of_failed_chunks_are_told_each_once():
    reason = domain.shortfall(run_after(failed(0, "a"), failed(1, "b"), failed(2, "a"), completed(3)))
    assert reason.endswith("a; b")


@given(st.permutations([completed(0), failed(1), completed(2, 249), failed(3), completed(0, 1), failed(2)]))
def test_every_chunk_ends_once_whatever_the_order_of_outcomes(outcomes):
    run, recorded = run_after(), []
    for outcome in outcomes:
        for event in domain.decide_chunk(outcome, run):
            run, recorded = domain.evolve(run, event), [*recorded, event.chunk]
    assert sorted(recorded) == [0, 1, 2, 3]
    assert run.settled
    assert run.state is RunState.RUNNING
    assert not set(run.completed) & set(run.failed)


@pytest.mark.parametrize(("event", "state"), [(ENDED[0], RunState.COMPLETED), (ENDED[1], RunState.FAILED)])
def test_the_end_of_a_run_is_its_state(event, state):
    assert run_after(event).state is state


def test_a_run_has_the_id_its_prediction_gives_it():
    from services.hazard.running import run_of

    assert run_of(EVENT) == run_of(UUID(str(EVENT)))
    assert run_of(EVENT) != run_of(RUN)
