CREATE TABLE objects (
    catalogue_number integer PRIMARY KEY,
    object_name bytea NOT NULL,
    international_designator bytea NOT NULL,
    element_set_count integer NOT NULL DEFAULT 0,
    last_epoch_jd double precision NOT NULL DEFAULT 0,
    last_epoch_jd_fraction double precision NOT NULL DEFAULT 0,
    perigee_altitude_km double precision NOT NULL DEFAULT 0,
    apogee_altitude_km double precision NOT NULL DEFAULT 0,
    inclination_deg double precision NOT NULL DEFAULT 0
);

CREATE TABLE element_sets (
    catalogue_number integer NOT NULL,
    fingerprint bytea NOT NULL,
    epoch_jd double precision NOT NULL,
    epoch_jd_fraction double precision NOT NULL,
    event_id uuid NOT NULL,
    PRIMARY KEY (catalogue_number, fingerprint)
);

CREATE TABLE weather_days (
    source text NOT NULL,
    predicted boolean NOT NULL,
    mjd integer NOT NULL,
    ap_3h double precision [] NOT NULL,
    ap_daily double precision NOT NULL,
    f107_observed_sfu double precision NOT NULL,
    PRIMARY KEY (source, predicted, mjd)
);

CREATE TABLE airspaces (
    dataset text PRIMARY KEY,
    geojson_sha256 text NOT NULL,
    source text NOT NULL,
    feature_count integer NOT NULL
);

CREATE TABLE sources (
    source text PRIMARY KEY,
    state integer NOT NULL,
    reason text NOT NULL,
    last_delivery_at timestamptz
);

CREATE TABLE rejections (
    position bigint PRIMARY KEY,
    source text NOT NULL,
    input_sha256 text NOT NULL,
    line integer NOT NULL,
    body bytea NOT NULL
);

CREATE INDEX rejections_of_input ON rejections (input_sha256, source);
CREATE INDEX rejections_of_source ON rejections (source, position);
