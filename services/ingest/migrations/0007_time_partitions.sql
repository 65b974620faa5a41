-- squawk-ignore-file renaming-table, ban-drop-function, constraint-missing-not-valid, adding-serial-primary-key-field, ban-drop-table, require-concurrent-index-creation
-- Ignored above: all of it is one transaction, so the code that runs meanwhile waits and finds the tables as they were
-- named. Element sets by epoch and space weather by day: hypertables where TimescaleDB is there, partitions of plain
-- Postgres where it is not. All partitions that a two-digit year can need are made now, to 2057; what lies outside goes
-- to the default one. The epoch joins the key of element sets, which loses nothing: the fingerprint is made of it too.
ALTER TABLE element_sets RENAME TO element_sets_flat;
ALTER TABLE weather_vintages RENAME TO weather_vintages_flat;
ALTER TABLE weather_indices RENAME TO weather_indices_flat;

CREATE FUNCTION mjd_of(jd double precision) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT floor(jd - 2400000.5)::integer';

-- Makes an empty table like `<name>_flat`. Days of `key` are those of Julian days at noon less `earlier`. Here alone it is
-- decided which of the two it becomes.
CREATE FUNCTION make_by_time(name text, key text, earlier numeric, hypertable text) RETURNS text
LANGUAGE plpgsql AS $make$
DECLARE
    first_year integer;
    next_year integer;
BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions e WHERE e.name = 'timescaledb') THEN
        BEGIN
            IF current_setting('shared_preload_libraries') NOT LIKE '%timescaledb%' THEN
                RAISE EXCEPTION 'it is not in shared_preload_libraries'; -- creating it would end the session
            END IF;
            CREATE EXTENSION IF NOT EXISTS timescaledb;
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS)', name, name || '_flat');
            EXECUTE format('SELECT create_hypertable(%L, %s)', name, hypertable);
            RETURN 'hypertable';
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'TimescaleDB is there but makes no hypertable (%); plain partitions are used', SQLERRM;
        END;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS) PARTITION BY RANGE (%I)', name, name || '_flat', key);
    EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', name || '_default', name);
    first_year := 1957;
    WHILE first_year < 2057 LOOP
        next_year := CASE WHEN first_year < 2020 THEN (first_year / 10 + 1) * 10 ELSE first_year + 1 END;
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)', name || '_' || first_year, name,
            extract(julian FROM make_date(first_year, 1, 1)) - earlier,
            extract(julian FROM make_date(next_year, 1, 1)) - earlier
        );
        first_year := next_year;
    END LOOP;
    RETURN 'partitions';
END
$make$;

SELECT make_by_time('element_sets', 'epoch_jd', 0.5, $$by_range('epoch_jd', 366, partition_func => 'mjd_of')$$);
SELECT make_by_time('weather_vintages', 'mjd', 2400001, $$by_range('mjd', 366)$$);
SELECT make_by_time('weather_indices', 'mjd', 2400001, $$by_range('mjd', 366)$$);
DROP FUNCTION make_by_time(text, text, numeric, text);

ALTER TABLE element_sets ADD PRIMARY KEY (catalogue_number, fingerprint, epoch_jd);
INSERT INTO element_sets SELECT * FROM element_sets_flat;
DROP TABLE element_sets_flat;

ALTER TABLE weather_vintages ADD PRIMARY KEY (source, predicted, mjd, available_at, position);
INSERT INTO weather_vintages SELECT * FROM weather_vintages_flat;
DROP TABLE weather_vintages_flat;
CREATE INDEX weather_vintages_by_mjd ON weather_vintages (mjd, predicted, available_at);

ALTER TABLE weather_indices ADD PRIMARY KEY (source, mjd, available_at, position);
INSERT INTO weather_indices SELECT * FROM weather_indices_flat;
DROP TABLE weather_indices_flat;
