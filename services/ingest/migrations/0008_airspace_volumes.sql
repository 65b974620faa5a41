-- squawk-ignore-file ban-drop-function
-- Ignored above: the function is of this file alone.
ALTER TABLE airspaces ADD COLUMN redistribution text NOT NULL DEFAULT 'internal'; -- until the read models are rebuilt
ALTER TABLE rejections ADD COLUMN reason integer NOT NULL DEFAULT 0; -- likewise
CREATE INDEX rejections_of_reason ON rejections (reason, position);

-- Volumes of airspace by the file they come from: made of the file when they are first asked for, so that they may go at
-- any time. `outline` is WKB of longitude and latitude, degrees, within [-180, 180]: one polygon for each ring, inside by
-- the even-odd rule over all of them. An upper level without limit is infinite.
CREATE TABLE airspace_volumes (
    geojson_sha256 text NOT NULL,
    place integer NOT NULL,
    ident text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    lower_fl double precision NOT NULL,
    upper_fl double precision NOT NULL,
    area_km2 double precision NOT NULL,
    outline bytea NOT NULL,
    extent box NOT NULL,
    PRIMARY KEY (geojson_sha256, place)
);

-- Here alone it is decided whether PostGIS or plain Postgres finds the volumes that may meet a box; which of them do is
-- decided in one way for both.
CREATE FUNCTION index_airspace_volumes() RETURNS text LANGUAGE plpgsql AS $make$
BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'postgis') THEN
        BEGIN
            CREATE EXTENSION IF NOT EXISTS postgis;
            ALTER TABLE airspace_volumes ADD COLUMN geometry geometry(MultiPolygon, 4326) GENERATED ALWAYS AS (
                ST_Multi(ST_CollectionExtract(ST_MakeValid(ST_GeomFromWKB(outline, 4326)), 3))
            ) STORED;
            CREATE INDEX airspace_volumes_geometry ON airspace_volumes USING gist (geometry);
            CREATE FUNCTION airspace_volumes_near(
                sha256 text, west float8, south float8, east float8, north float8
            ) RETURNS SETOF airspace_volumes LANGUAGE sql STABLE AS $find$
                SELECT * FROM airspace_volumes
                WHERE geojson_sha256 = sha256 AND ST_DWithin(
                    geometry, -- of a box without extent, a point; as much further as noding moves a corner
                    ST_Envelope(ST_SetSRID(ST_MakeLine(ST_MakePoint(west, south), ST_MakePoint(east, north)), 4326)), 1e-6
                )
            $find$;
            RETURN 'geometry';
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'PostGIS is there but cannot be used (%); plain boxes are', SQLERRM;
        END;
    END IF;
    CREATE INDEX airspace_volumes_extent ON airspace_volumes USING gist (extent);
    CREATE FUNCTION airspace_volumes_near(
        sha256 text, west float8, south float8, east float8, north float8
    ) RETURNS SETOF airspace_volumes LANGUAGE sql STABLE AS $find$
        SELECT * FROM airspace_volumes
        WHERE geojson_sha256 = sha256 AND extent && box(point(west, south), point(east, north))
    $find$;
    RETURN 'boxes';
END
$make$;

SELECT index_airspace_volumes();
DROP FUNCTION index_airspace_volumes();
