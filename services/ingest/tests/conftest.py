from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from infra.local.testing import settings_of
from libs import rpc
from libs.blobs import Blobs
from libs.contracts import Principal
from libs.eventlog import Cause, EventLog, new_id
from libs.redistribution import CLASSES
from services.ingest import handlers, projections
from services.ingest.domain import Delivery, Format
from services.ingest.handlers import Gate, Receipt
from services.ingest.reading import Reader
from services.ingest.settings import IngestSettings
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_OPERATOR, Entitlements

if TYPE_CHECKING:
    from asyncpg import Pool

NOW = datetime(2022, 11, 5, tzinfo=UTC)
Submit = Callable[..., Awaitable[Receipt]]


@pytest.fixture
async def gate(service_database, tmp_path) -> AsyncIterator[Gate]:
    pool: Pool = await service_database("ingest")
    reader = Reader()
    yield Gate(
        pool,
        EventLog(pool, "ingest", project_all=projections.project_all),
        Blobs(tmp_path.as_uri()),
        reader,
        settings_of(IngestSettings),
    )
    reader.close()
    await pool.close()


@pytest.fixture
def submit(gate: Gate) -> Submit:
    async def send(data: bytes, *, source="test", stated=Format.UNKNOWN, available_at=None, dataset="") -> Receipt:
        delivery = Delivery(source, "", NOW, available_at, dataset)
        return await handlers.submit(gate, delivery, stated, data, Cause(new_id(), None, ""))

    return send


@pytest.fixture
def acting():
    """Acts as a principal with these rights for the rest of the test."""

    def act(
        role: int = ROLE_OPERATOR,
        catalogue_numbers: tuple[int, ...] = (),
        classes: tuple[str, ...] = CLASSES,
        by: str = "tester",
    ) -> None:
        entitlements = Entitlements(catalogue_numbers=catalogue_numbers, redistribution_classes=classes)
        rpc.current.set(Principal(by, "test", (role,), entitlements))

    return act
