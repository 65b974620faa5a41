"""Airspace on Debian's Postgres with PostGIS beside the Postgres of all other tests: `make test-postgis`."""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from infra import migrate
from infra.local.places import folder
from infra.local.postgres import Postgres
from infra.local.testing import PASSWORD
from libs import postgres
from libs.blobs import Blobs
from services.ingest import volumes
from services.ingest.tests.volumes import FILE, boxes, many
from services.ingest.volumes import Box

pytestmark = pytest.mark.postgis
DEBIAN = Path("/usr/lib/postgresql")


@pytest.fixture(scope="module")
def debian() -> Iterator[Postgres]:
    newest = max(DEBIAN.glob("*/bin/postgres"), key=lambda one: int(one.parts[-3])).parents[1]
    with tempfile.TemporaryDirectory(prefix="spacecom-test-", ignore_cleanup_errors=True) as place:
        server = Postgres(folder(Path(place)) / "postgres", durable=False, binaries=newest)
        server.start()
        yield server
        server.stop()


async def ingest_of(server: Postgres, blobs: Blobs, namespace: str, file: bytes = FILE) -> asyncpg.Pool:
    """The database of ingest as its migrations leave it, with one dataset on record."""
    await postgres.provision(server.admin_url, "ingest", namespace, PASSWORD, migrate.services()["ingest"])
    name = postgres.database("ingest", namespace)
    pool = await asyncpg.create_pool(f"{server.url}/{name}", user=postgres.role("ingest"), password=PASSWORD)
    await pool.execute(
        """INSERT INTO airspaces (dataset, geojson_sha256, source, feature_count, redistribution)
           VALUES ('firs', $1, 'test', 4, 'public')""",
        await blobs.put(file),
    )
    return pool


async def test_postgis_and_plain_postgres_give_the_same_volumes(debian, postgres_server, namespace, tmp_path):
    """INVARIANT: what is installed beside Postgres changes no answer."""
    blobs = Blobs(tmp_path.as_uri())
    with_postgis = await ingest_of(debian, blobs, namespace)
    plain = await ingest_of(postgres_server, blobs, namespace)
    try:
        kinds = [
            await pool.fetchval("SELECT count(*) FROM pg_indexes WHERE indexname = 'airspace_volumes_geometry'")
            for pool in (with_postgis, plain)
        ]
        assert kinds == [1, 0]
        hits = 0
        for sides in boxes(1500):
            ours, theirs = [
                await volumes.meeting(pool, blobs, "", {"public"}, Box(*sides)) for pool in (with_postgis, plain)
            ]
            assert ours == theirs, sides
            hits += bool(ours)
        assert hits > 100
    finally:
        with_postgis.terminate()
        plain.terminate()


async def test_the_spatial_index_answers(debian, namespace, tmp_path):
    file = many(40, 50)
    pool = await ingest_of(debian, blobs := Blobs(tmp_path.as_uri()), namespace, file)
    try:
        assert len(await volumes.meeting(pool, blobs, "firs", {"public"}, Box(0.1, 0.1, 0.6, 0.6))) == 4
        assert await pool.fetchval("SELECT bool_and(ST_IsValid(geometry)) FROM airspace_volumes")
        sha256 = hashlib.sha256(file).hexdigest()
        plan = await pool.fetch(f"EXPLAIN SELECT * FROM airspace_volumes_near('{sha256}', 0, 0, 1, 1)")
        assert any("airspace_volumes_geometry" in row[0] for row in plan), plan
    finally:
        pool.terminate()
