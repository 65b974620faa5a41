import asyncpg
import pytest

from infra.local.testing import PASSWORD
from libs import postgres


async def test_a_service_reads_and_adds_facts_and_can_do_nothing_else_to_them(service_database):
    """INVARIANT: facts are immutable. Granting the service's role anything more on events breaks it."""
    pool = await service_database("ingest")
    for statement in (
        "UPDATE events SET type = 'x'",
        "DELETE FROM events",
        "TRUNCATE events",
        "ALTER TABLE events DROP COLUMN meta",
        "DROP TABLE events",
        "ALTER TABLE events DISABLE TRIGGER ALL",
        "CREATE TRIGGER t BEFORE INSERT ON events EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE RULE r AS ON INSERT TO events DO INSTEAD NOTHING",
        "ALTER TABLE events OWNER TO CURRENT_USER",
        "SET ROLE spacecom_owner",
    ):
        with pytest.raises(asyncpg.PostgresError):
            await pool.execute(statement)
    assert await pool.fetchval("SELECT count(*) FROM events") == 0
    for right in ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES"):
        assert not await pool.fetchval("SELECT has_table_privilege('events', $1)", right)


async def test_preparing_a_database_again_changes_nothing(service_database):
    pool = await service_database("ingest")
    again = await service_database("ingest")
    assert await pool.fetchval("SELECT count(*) FROM relay") == await again.fetchval("SELECT count(*) FROM relay") == 1


async def test_a_migration_that_was_changed_after_it_ran_is_refused(
    postgres_server, service_database, namespace, tmp_path
):
    folder = tmp_path / "toy" / "migrations"
    folder.mkdir(parents=True)
    file = folder / "0001_toy.sql"
    file.write_text("CREATE TABLE toy (a integer)")
    args = (postgres_server.admin_url, "alerting", namespace, PASSWORD, folder)
    await postgres.provision(*args)
    file.write_text("CREATE TABLE toy (a bigint)")
    with pytest.raises(postgres.MigrationChanged):
        await postgres.provision(*args)
