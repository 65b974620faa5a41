"""A hazard run: what it asks of workers, when it is settled, and what comes of it. Pure.

Refused: no run, for a reason of the world
├── NoPrediction       the object has no prediction
├── NoAirspace         no airspace is loaded
└── UnknownRun         no run has this identifier
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import assert_never
from uuid import UUID

MAX_ATTEMPTS = 3
LEAST_SHARE_FLOWN = 0.95  # a run with fewer of its samples would report a hazard that is too small
HALF_WIDTHS_KM = (70.0, 100.0, 120.0)


class NoPrediction(Exception):
    """No prediction of the object is known here."""


class NoAirspace(Exception):
    """No airspace is known here."""


class UnknownRun(Exception):
    """No run has this identifier."""


class RunEnded(Exception):
    """The run ended before; nothing is left to cancel."""


class TooManyRuns(Exception):
    """As many runs are being flown as may be at a time."""


class NoAssessment(Exception):
    """The hazard of the object was not assessed yet."""


class Withheld(Exception):
    """It repeats what a source says that the caller has no right to."""


class UnknownEvent(Exception):
    """No fact of hazard has this event id."""


class NothingComputed(Exception):
    """The fact carries no number that was computed."""


class BadRequest(Exception):
    """The request itself is not in order."""


class RunState(Enum):
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Epoch:
    jd: float
    jd_fraction: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a run needs of a prediction."""

    event_id: UUID
    catalogue_number: int
    version: int
    known_at: datetime
    window_start: Epoch
    reentry_altitude_km: float
    sample_count: int
    draws_sha256: str
    drivers_sha256: str
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """A scenario by its blob. `variant`: an analyst's own, of which nobody is alerted.

    redistribution: strictest of the classes of what it was chosen from.
    """

    sha256: str
    seed: int
    variant: bool = False
    redistribution: str = "public"


@dataclass(frozen=True, slots=True)
class AirspaceSet:
    dataset: str
    geojson_sha256: str
    notice: str


@dataclass(frozen=True, slots=True)
class RunRequested:
    run_id: UUID
    catalogue_number: int
    prediction_event_id: UUID
    prediction_version: int
    airspace_dataset: str
    airspace_sha256: str
    sample_count: int
    chunk_count: int
    scenario: Chosen


@dataclass(frozen=True, slots=True)
class ChunkRequested:
    run_id: UUID
    chunk: int
    first_sample: int
    sample_count: int
    draws_sha256: str
    drivers_sha256: str
    airspace_sha256: str
    reentry_altitude_km: float
    model_version: str
    window_start: Epoch
    scenario_sha256: str
    seed: int


@dataclass(frozen=True, slots=True)
class ChunkCompleted:
    run_id: UUID
    chunk: int
    result_sha256: str
    completed_sample_count: int
    model_version: str
    visits_sha256: str = ""
    minutes_sha256: str = ""
    cells_sha256: str = ""


@dataclass(frozen=True, slots=True)
class ChunkFailed:
    run_id: UUID
    chunk: int
    attempt_count: int
    reason: str


@dataclass(frozen=True, slots=True)
class RunCompleted:
    run_id: UUID
    completed_sample_count: int


@dataclass(frozen=True, slots=True)
class RunFailed:
    run_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class RunCancelled:
    run_id: UUID
    principal_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class FirPass:
    revolution: int
    entry_time: datetime
    exit_time: datetime
    pass_probability: float


@dataclass(frozen=True, slots=True)
class PieceHazard:
    """Pieces somewhere in a band, or at any level: limits 0 and 0. upper_fl is 0 for the band without one."""

    lower_fl: float
    upper_fl: float
    any_probability: float
    entering_pieces: float
    piece_seconds: float
    peak_pieces: float
    peak_time: datetime
    first_time: datetime
    last_time: datetime
    mean_dwell_s: float


@dataclass(frozen=True, slots=True)
class FirHazard:
    fir_designator: str
    fir_name: str
    share: float
    passes: tuple[FirPass, ...]
    pieces: PieceHazard | None = None
    bands: tuple[PieceHazard, ...] = ()


@dataclass(frozen=True, slots=True)
class TravellingBox:
    kind: str
    lower_fl: float
    upper_fl: float
    from_s: float
    until_s: float
    ahead_from_km: float
    ahead_until_km: float
    aside_km: float
    mean_dwell_s: float
    expected_pieces: float


@dataclass(frozen=True, slots=True)
class Baseline:
    half_width_km: float
    fir_designators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HazardAssessed:
    catalogue_number: int
    run_id: UUID
    prediction_event_id: UUID
    prediction_version: int
    known_at: datetime
    window_start_time: datetime
    window_end_time: datetime
    median_time: datetime
    firs: tuple[FirHazard, ...]
    unassigned_share: float
    baselines: tuple[Baseline, ...]
    sample_count: int
    airspace_dataset: str
    airspace_notice: str
    points_sha256: str
    model_version: str
    corridor_sha256: str
    scenario_sha256: str = ""  # with all that follows: of pieces, which a quick corridor does not know
    scenario_name: str = ""
    object_class: str = ""
    class_reason: str = ""
    seed: int = 0
    pieces: PieceHazard | None = None
    bands: tuple[PieceHazard, ...] = ()
    unassigned: FirHazard | None = None
    minutes_sha256: str = ""
    visits_sha256: tuple[str, ...] = ()
    boxes: tuple[TravellingBox, ...] = ()


@dataclass(frozen=True, slots=True)
class QuickInputs:
    """What a quick corridor is flown from: the first samples of the draws."""

    draws_sha256: str
    drivers_sha256: str
    airspace_sha256: str
    window_start: Epoch
    reentry_altitude_km: float
    sample_count: int


@dataclass(frozen=True, slots=True)
class QuickAssessed:
    hazard: HazardAssessed
    inputs: QuickInputs


@dataclass(frozen=True, slots=True)
class VariantAssessed:
    hazard: HazardAssessed


RunEvent = RunRequested | ChunkRequested | ChunkCompleted | ChunkFailed | RunCompleted | RunFailed | RunCancelled
Event = RunEvent | HazardAssessed | QuickAssessed | VariantAssessed


@dataclass(frozen=True, slots=True)
class Run:
    requested: RunRequested | None = None
    chunks: tuple[ChunkRequested, ...] = ()
    completed: dict[int, ChunkCompleted] = field(default_factory=dict)
    failed: dict[int, ChunkFailed] = field(default_factory=dict)
    state: RunState = RunState.RUNNING
    reason: str = ""

    @property
    def settled(self) -> bool:
        """Nothing more will come from workers."""
        return bool(self.chunks) and len(self.completed) + len(self.failed) >= len(self.chunks)

    @property
    def flown(self) -> int:
        return sum(chunk.completed_sample_count for chunk in self.completed.values())


def evolve(run: Run, event: RunEvent) -> Run:
    match event:
        case RunRequested():
            return replace(run, requested=event)
        case ChunkRequested():
            return replace(run, chunks=(*run.chunks, event))
        case ChunkCompleted():
            return replace(run, completed=run.completed | {event.chunk: event})
        case ChunkFailed():
            return replace(run, failed=run.failed | {event.chunk: event})
        case RunCompleted():
            return replace(run, state=RunState.COMPLETED)
        case RunFailed() | RunCancelled():
            ended = RunState.FAILED if isinstance(event, RunFailed) else RunState.CANCELLED
            return replace(run, state=ended, reason=event.reason)
        case _:
            assert_never(event)


def request(
    run_id: UUID,
    prediction: Prediction,
    airspace: AirspaceSet,
    scenario: Chosen,
    *,
    chunk_samples: int,
    most: int,
    model_version: str,
) -> list[RunEvent]:
    """The run and all of its chunks, to be appended together."""
    samples = min(prediction.sample_count, most)
    firsts = range(0, samples, chunk_samples)
    requested = RunRequested(
        run_id,
        prediction.catalogue_number,
        prediction.event_id,
        prediction.version,
        airspace.dataset,
        airspace.geojson_sha256,
        samples,
        len(firsts),
        scenario,
    )
    chunks = [
        ChunkRequested(
            run_id,
            number,
            first,
            min(chunk_samples, samples - first),
            prediction.draws_sha256,
            prediction.drivers_sha256,
            airspace.geojson_sha256,
            prediction.reentry_altitude_km,
            model_version,
            prediction.window_start,
            scenario.sha256,
            scenario.seed,
        )
        for number, first in enumerate(firsts)
    ]
    return [requested, *chunks]


def quick_inputs(prediction: Prediction, airspace: AirspaceSet, samples: int) -> QuickInputs:
    return QuickInputs(
        prediction.draws_sha256,
        prediction.drivers_sha256,
        airspace.geojson_sha256,
        prediction.window_start,
        prediction.reentry_altitude_km,
        samples,
    )


def cancel(run_id: UUID, run: Run, principal_id: str, reason: str) -> list[RunEvent]:
    """Outcomes that still come are dropped."""
    if run.state is not RunState.RUNNING:
        raise RunEnded(f"run {run_id} is {run.state.value}; only one that is being flown can be cancelled")
    return [RunCancelled(run_id, principal_id, reason)]


def expire(run_id: UUID, run: Run, idle: timedelta, longest: timedelta) -> list[RunEvent]:
    """Ends a run that came no further for longer than it may while a newer prediction waits for it.

    Chunks that were set aside and never redriven would hold their object up for ever.
    """
    if run.state is not RunState.RUNNING or idle <= longest:
        return []
    done = len(run.completed) + len(run.failed)
    reason = (
        f"{done} of its {len(run.chunks)} chunks had ended, and none for {idle.total_seconds() / 60.0:.0f} minutes, "
        "when a newer prediction came, which is flown instead; see what was set aside"
    )
    return [RunFailed(run_id, reason)]


def decide_chunk(outcome: ChunkCompleted | ChunkFailed, run: Run) -> list[RunEvent]:
    """Records an outcome once; refuses one that cannot belong to the run."""
    asked = {chunk.chunk: chunk for chunk in run.chunks}.get(outcome.chunk)
    if run.state is not RunState.RUNNING or outcome.chunk in run.completed or outcome.chunk in run.failed:
        return []
    if asked is None:
        raise UnknownRun(f"run {outcome.run_id} has no chunk {outcome.chunk}")
    if isinstance(outcome, ChunkCompleted):
        problem = _problem(outcome, asked)
        if problem:
            return [ChunkFailed(outcome.run_id, outcome.chunk, 1, problem)]
    return [outcome]


def _problem(outcome: ChunkCompleted, asked: ChunkRequested) -> str:
    if outcome.model_version != asked.model_version:
        return f"it was flown by model {outcome.model_version}, not {asked.model_version}; run one version of workers"
    if not 0 <= outcome.completed_sample_count <= asked.sample_count:
        return f"it reports {outcome.completed_sample_count} of {asked.sample_count} samples"
    return ""


def shortfall(run: Run) -> str:
    """Why a settled run gives no result; empty when it does."""
    if run.requested is None:
        return "it was never requested"
    wanted = run.requested.sample_count
    if run.flown >= LEAST_SHARE_FLOWN * wanted:
        return ""
    reasons = sorted({failed.reason for failed in run.failed.values()}) or ["they did not come down within the horizon"]
    return f"only {run.flown} of {wanted} samples were flown: {'; '.join(reasons)}"
