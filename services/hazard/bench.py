"""B10: 1,000 samples of about 100 pieces, from element sets to the hazard of regions. `make bench CASE=B10`.

One process of two threads does what workers and the settling do in the mesh; Kafka and Postgres are left out.
"""

import asyncio
import resource
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import numpy as np
import pyarrow as pa

from libs import cases
from libs.astro import prediction, tle, weather, weather_csv
from libs.astro.density_kept import Kept
from libs.astro.elements import ElementSet
from libs.astro.time import MJD_0_JD, add_seconds, datetime_to_jd
from libs.astro.weather import Drivers
from libs.bench.harness import OURS, Outcome, timed
from libs.blobs import Blobs
from services.hazard import assessing, flight_files, flying, parting, quick, scenario
from services.hazard.domain import AirspaceSet, ChunkRequested, Epoch, Prediction
from services.hazard.flying import Flown
from services.hazard.parting import Settled
from services.hazard.scenario import KnownObject, Scenario
from services.hazard.settings import HazardSettings

CASE, SAMPLES, CHUNK, PIECES_SHARE, SEED, THREADS = "cz5b-2022", 1000, 250, 3, 1, 2
STAGE = KnownObject("rocket_body", 21_600.0, "Cyl")  # CZ-5B core, dry mass as published
WANTED_S, WANTED_QUICK_S, ROUNDS = 10.0, 2.0, 3
TABLES, HORIZON_DAYS = Kept(None), 10.0
KNOWN_HOURS = 0.2  # after the last set
_COLUMNS = ("f107", "f107a", "ap_daily", "ap_now", "ap_3h", "ap_6h", "ap_9h", "ap_33h", "ap_57h")


@dataclass(frozen=True, slots=True)
class Inputs:
    elements: tuple[ElementSet, ...]
    drivers: Drivers
    known_jd: float
    geojson: bytes


@dataclass(frozen=True, slots=True)
class Whole:
    """What one run came to."""

    start: tuple[float, float]
    flown: tuple[Flown, ...]
    settled: Settled
    corridor: bytes


def inputs_of(name: str = CASE) -> Inputs:
    """Of a case whose inputs are all in its file: known are its element sets and the weather of the day before."""
    case = cases.load(name)
    by_kind = {one.format: one.data for one in case.inputs}
    sets = tuple(one for data in _element_files(case.inputs) for one in tle.read(data) if isinstance(one, ElementSet))
    known_jd = max(one.epoch_jd + one.epoch_jd_fraction for one in sets) + KNOWN_HOURS / 24.0
    raw = next(data for kind, data in by_kind.items() if "WEATHER" in kind or "SPACE" in kind)
    file = weather_csv.read_csv(raw) if raw.startswith(b"DATE") else weather.read_cssi(raw)
    start_mjd = float(int(known_jd - MJD_0_JD)) - 5.0
    known_mjd = float(int(known_jd - MJD_0_JD))
    drivers = weather.drivers([*file.observed, *file.predicted], start_mjd, start_mjd + 20.0, known_mjd)
    return Inputs(sets, drivers, known_jd, next(one.data for one in case.inputs if one.dataset))


def _element_files(inputs: Sequence[cases.Input]) -> list[bytes]:
    return [one.data for one in inputs if "TLE" in one.format]


def run(given: Inputs, chosen: Scenario, samples: int, folder: Path) -> Whole:
    """From element sets to the hazard, in chunks of CHUNK."""
    told = prediction.predict(
        given.elements, given.drivers, given.known_jd, TABLES, samples=samples, seed=SEED, horizon_days=HORIZON_DAYS,
        threads=THREADS,
    )  # fmt: skip
    fitted, draws = told.fit, _draws_file(told)
    drivers = _drivers_file(given.drivers)
    data, blobs = scenario.to_json(chosen), Blobs(folder.as_uri())
    nobody = UUID(int=1)
    window = Epoch(*add_seconds(fitted.jd, fitted.fr, float(told.quantiles(assessing.WINDOW[:1])[0])))
    flown, chunks = [], []
    for number, first in enumerate(range(0, samples, CHUNK)):
        count = min(CHUNK, samples - first)
        asked = ChunkRequested(nobody, number, first, count, "", "", "", 80.0, "", window, "", SEED)
        one = flying.fly(flying.Job(asked, draws, drivers, given.geojson, data, THREADS))
        chunks.append(parting.Chunk(first, count, asyncio.run(blobs.put(one.visits))))
        flown.append(replace(one, visits=b""))
    sums = (tuple(one.result for one in flown), tuple(one.minutes for one in flown), tuple(one.cells for one in flown))
    down = sum(one.completed_sample_count for one in flown)
    job = assessing.Job(*sums, data, samples, down, draws, drivers, given.geojson, 80.0, THREADS)
    settled = parting.settle(job, tuple(chunks), "0" * 64, blobs)
    corridor = asyncio.run(blobs.get(settled.corridor_sha256))
    return Whole((float(fitted.jd), float(fitted.fr)), tuple(flown), settled, corridor)


def _draws_file(told: prediction.Prediction) -> bytes:
    fitted, drawn = told.fit, told.draws
    late_s = np.full(len(drawn.ln_b), float(fitted.late_after_s))
    columns = {"ln_b": drawn.ln_b, "ln_b_late": drawn.ln_b_late, "late_after_s": late_s}
    states = zip(flight_files.STATE_COLUMNS, np.ascontiguousarray(drawn.states.T), strict=True)
    return _arrow(columns | dict(states), {"start_jd": fitted.jd, "start_jd_fraction": fitted.fr})


def _drivers_file(drivers: Drivers) -> bytes:
    columns = dict(zip(_COLUMNS, np.ascontiguousarray(drivers.rows.T), strict=True))
    return _arrow(columns, {"start_mjd": drivers.start_mjd})


def _arrow(columns: Mapping[str, object], metadata: Mapping[str, float]) -> bytes:
    told = {name: repr(float(value)) for name, value in metadata.items()}
    table = pa.table(dict(columns)).replace_schema_metadata(told)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def seconds_of(whole: Whole, at: datetime) -> float:
    jd, fraction = datetime_to_jd(at)
    return ((jd - whole.start[0]) + (fraction - whole.start[1])) * 86400.0


def thinned(chosen: Scenario) -> Scenario:
    """About a hundred pieces."""
    kinds = [replace(kind, count=max(1, kind.count // PIECES_SHARE)) for kind in chosen.catalogue.kinds]
    return replace(chosen, catalogue=replace(chosen.catalogue, kinds=kinds))


def end_to_end() -> Outcome:
    given, chosen = inputs_of(), thinned(scenario.choose(STAGE))
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        run(given, chosen, CHUNK, Path(folder))
        compile_s, walls, cpus = time.perf_counter() - started, [], []
        for _ in range(ROUNDS):
            wall, cpu = time.perf_counter(), time.process_time()
            whole = run(given, chosen, SAMPLES, Path(folder))
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
    took = float(np.median(walls))
    assessed = whole.settled.assessed
    shares = sum(fir.share for fir in assessed.firs) + assessed.unassigned_share
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    return Outcome(
        case="B10",
        title=f"{SAMPLES} samples of {chosen.catalogue.count} pieces, element sets to the hazard of regions",
        unit="samples/s",
        rates={OURS: SAMPLES / took},
        must=(),
        gate=f"{took:.1f} s (<= {WANTED_S:g}); shares sum to 1 within {abs(shares - 1.0):.0e}",
        gate_ok=took <= WANTED_S and abs(shares - 1.0) < 1e-9,
        compile_s=compile_s,
        notes=[f"{float(np.median(cpus)):.1f} s of CPU on {THREADS} threads", f"{memory_mb:.0f} MB at most"],
    )


def quick_corridor() -> Outcome:
    """From a prediction to its quick corridor, as the service makes it: the samples it takes, and no pieces."""
    given = inputs_of()
    told = prediction.predict(
        given.elements, given.drivers, given.known_jd, TABLES, samples=SAMPLES, seed=SEED, horizon_days=HORIZON_DAYS,
        threads=THREADS,
    )  # fmt: skip
    fitted, count = told.fit, int(HazardSettings.model_fields["hazard_quick_samples"].default)
    at = Epoch(*add_seconds(fitted.jd, fitted.fr, float(told.quantiles(assessing.WINDOW[:1])[0])))
    known = Prediction(UUID(int=1), 1, 1, datetime(2022, 11, 4, tzinfo=UTC), at, 80.0, SAMPLES, "", "", SEED)
    where = AirspaceSet("bench", "", "")
    job = quick.Job(known, where, _draws_file(told), _drivers_file(given.drivers), given.geojson, count, THREADS)
    walls = [timed(lambda: quick.assess(job, UUID(int=1))) for _ in range(ROUNDS + 1)]
    took = float(np.median(walls[1:]))
    return Outcome(
        case="quick",
        title=f"quick corridor of {count} samples",
        unit="corridors/s",
        rates={OURS: 1.0 / took},
        must=(),
        gate=f"{took:.2f} s (<= {WANTED_QUICK_S:g})",
        gate_ok=took <= WANTED_QUICK_S,
        compile_s=walls[0],
    )
