"""Element sets and space weather lie in partitions by time; a lookup opens the one that may hold what it asks for."""

import asyncpg
import pytest

from libs.astro.elements import MAX_CATALOGUE_NUMBER
from services.ingest import queries
from services.ingest.tests import cases
from services.ingest.tests.test_upgrade import migrated

INSERT = """INSERT INTO element_sets (catalogue_number, fingerprint, epoch_jd, epoch_jd_fraction, event_id)
            VALUES ($1, $2, $3, 0, gen_random_uuid()) RETURNING tableoid::regclass::text"""


@pytest.mark.parametrize(
    ("jd", "partition"),
    [
        (2435839.5, "element_sets_1957"),  # 1957-01-01, the first a two-digit year can mean
        (2451544.5, "element_sets_2000"),  # 2000-01-01
        (2451543.5, "element_sets_1990"),
        (2459886.5, "element_sets_2022"),  # 2022-11-03
        (2472360.5, "element_sets_2056"),  # 2056-12-31, the last
        (2472364.5, "element_sets_default"),
        (0.0, "element_sets_default"),
    ],
)
async def test_a_set_lies_with_those_of_its_years(gate, jd, partition):
    assert await gate.pool.fetchval(INSERT, MAX_CATALOGUE_NUMBER, b"f", jd) == partition


@pytest.mark.parametrize(
    ("mjd", "partition"), [(51544, "2000"), (51543, "1990"), (59886, "2022"), (35839, "1957"), (0, "default")]
)
async def test_a_day_of_space_weather_lies_with_those_of_its_years(gate, mjd, partition):
    found = await gate.pool.fetchval(
        """INSERT INTO weather_vintages VALUES ('s', false, $1, now(), 1, 'public', '{}', 0, 0)
           RETURNING tableoid::regclass::text""",
        mjd,
    )
    assert found == f"weather_vintages_{partition}"


async def test_a_set_is_stored_once(gate):
    await gate.pool.fetchval(INSERT, 1, b"f", 2459886.5)
    with pytest.raises(asyncpg.UniqueViolationError):
        await gate.pool.fetchval(INSERT, 1, b"f", 2459886.5)


async def test_sets_on_record_before_the_partitions_are_kept(postgres_server, service_database, namespace, tmp_path):
    """INVARIANT: a migration loses no row."""
    conn = await migrated(postgres_server, namespace, tmp_path, "0007")
    await conn.fetchval(INSERT, 1, b"f", 2459886.5)
    await conn.execute("INSERT INTO weather_vintages VALUES ('s', false, 59886, now(), 1, 'public', '{1}', 2, 3)")
    await conn.execute("INSERT INTO weather_indices VALUES ('s', 59886, now(), 1, '{1}', 3)")
    tables = ("element_sets", "weather_vintages", "weather_indices")
    before = [await conn.fetch(f"SELECT * FROM {table}") for table in tables]
    await conn.close()
    pool = await service_database("ingest")
    assert [await pool.fetch(f"SELECT * FROM {table}") for table in tables] == before
    assert all(len(rows) == 1 for rows in before)
    assert await pool.fetchval("SELECT tableoid::regclass::text FROM element_sets") == "element_sets_2022"


async def test_a_lookup_opens_one_partition(gate, submit):
    """INVARIANT: what a lookup costs does not grow with the years on record."""
    await submit(cases.FIRST.encode())
    plan = "\n".join(
        row[0]
        for row in await gate.pool.fetch(
            """EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF)
               SELECT found.fingerprint FROM unnest(ARRAY[54217], ARRAY['x'::bytea], ARRAY[2459886.5::float8])
                 AS asked (catalogue_number, fingerprint, epoch_jd),
                 LATERAL (SELECT s.fingerprint FROM element_sets s
                          WHERE (s.catalogue_number, s.fingerprint, s.epoch_jd)
                              = (asked.catalogue_number, asked.fingerprint, asked.epoch_jd) OFFSET 0) AS found"""
        )
    )
    touched = [line for line in plan.splitlines() if " on element_sets" in line and "never executed" not in line]
    assert len(touched) == 1, plan
    async with gate.pool.acquire() as conn:
        assert (await queries.entries(conn, [(54217, b"x", 2459886.5)]))[54217].fingerprints == frozenset()
