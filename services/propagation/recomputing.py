"""A recorded prediction, or refusal of one, as the job it was: from the facts and files it cites."""

from datetime import datetime

from libs.astro.time import datetime_to_jd
from libs.blobs import Blobs
from libs.postgres import Connection
from libs.rpc import FailedPrecondition
from services.propagation import compute, queries
from services.propagation.domain import Inputs
from services.propagation.flight_files import read_drivers
from services.propagation.settings import PropagationSettings


async def job_of(
    conn: Connection, blobs: Blobs, known_at: datetime, cited: Inputs, settings: PropagationSettings
) -> compute.Job:
    """Raises FailedPrecondition when a set it cites is not here, BlobMissing when its drivers are not."""
    named = cited.element_set_event_ids
    sets = await queries.sets_named(conn, named)
    if len(sets) < len(named):
        raise FailedPrecondition(
            f"{len(named) - len(sets)} of the {len(named)} element sets that it cites are not in the read "
            "model; rebuild it with: spacecom rebuild-read-models propagation"
        )
    return compute.Job(
        elements=tuple(known.elements for known in sets),
        drivers=read_drivers(await blobs.get(cited.drivers_sha256)),
        known_at_jd=sum(datetime_to_jd(known_at)),
        seed=cited.seed,
        samples=cited.sample_count,
        horizon_days=cited.horizon_days or settings.propagation_horizon_days,
        threads=settings.propagation_threads,
    )
