-- squawk-ignore-file renaming-table, ban-drop-function, constraint-missing-not-valid, adding-serial-primary-key-field, ban-drop-table
-- Ignored above: all of it is one transaction, so the code that runs meanwhile waits and finds the table as it was named.
-- Element sets by epoch: a hypertable where TimescaleDB is there, partitions of plain Postgres where it is not. All
-- partitions that a two-digit year can need are made now, to 2057; what lies outside goes to the default one.
-- The epoch joins the key, which loses nothing: it is part of what the fingerprint is made of.
ALTER TABLE element_sets RENAME TO element_sets_flat;

CREATE FUNCTION mjd_of(jd double precision) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT floor(jd - 2400000.5)::integer';

CREATE FUNCTION partition_element_sets() RETURNS text LANGUAGE plpgsql AS $make$
DECLARE
    first_year integer;
    next_year integer;
BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb') THEN
        BEGIN
            IF current_setting('shared_preload_libraries') NOT LIKE '%timescaledb%' THEN
                RAISE EXCEPTION 'it is not in shared_preload_libraries'; -- creating it would end the session
            END IF;
            CREATE EXTENSION IF NOT EXISTS timescaledb;
            CREATE TABLE element_sets (LIKE element_sets_flat INCLUDING DEFAULTS);
            PERFORM create_hypertable('element_sets', by_range('epoch_jd', 366, partition_func => 'mjd_of'));
            RETURN 'hypertable';
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'TimescaleDB is there but makes no hypertable (%); plain partitions are used', SQLERRM;
        END;
    END IF;
    CREATE TABLE element_sets (LIKE element_sets_flat INCLUDING DEFAULTS) PARTITION BY RANGE (epoch_jd);
    CREATE TABLE element_sets_default PARTITION OF element_sets DEFAULT;
    first_year := 1957;
    WHILE first_year < 2057 LOOP
        next_year := CASE WHEN first_year < 2020 THEN (first_year / 10 + 1) * 10 ELSE first_year + 1 END;
        EXECUTE format(
            'CREATE TABLE element_sets_%s PARTITION OF element_sets FOR VALUES FROM (%s) TO (%s)', first_year,
            extract(julian FROM make_date(first_year, 1, 1)) - 0.5, extract(julian FROM make_date(next_year, 1, 1)) - 0.5
        );
        first_year := next_year;
    END LOOP;
    RETURN 'partitions';
END
$make$;

SELECT partition_element_sets();
DROP FUNCTION partition_element_sets();

ALTER TABLE element_sets ADD PRIMARY KEY (catalogue_number, fingerprint, epoch_jd);
INSERT INTO element_sets SELECT * FROM element_sets_flat;
DROP TABLE element_sets_flat;
