-- Facts of ingest as this service needs them.
CREATE TABLE element_sets (
    event_id uuid PRIMARY KEY,
    catalogue_number integer NOT NULL,
    available_at timestamptz NOT NULL,
    epoch_jd double precision NOT NULL,
    epoch_jd_fraction double precision NOT NULL,
    body bytea NOT NULL
);

CREATE INDEX element_sets_of_object ON element_sets (catalogue_number, available_at);

CREATE TABLE weather_days (
    mjd integer NOT NULL,
    available_at timestamptz NOT NULL,
    position bigint NOT NULL,
    event_id uuid NOT NULL,
    ap_3h double precision [] NOT NULL,
    ap_daily double precision NOT NULL,
    f107_observed_sfu double precision NOT NULL,
    PRIMARY KEY (mjd, available_at, position)
);

-- Own facts.
CREATE TABLE predictions (
    position bigint PRIMARY KEY,
    catalogue_number integer NOT NULL,
    event_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    body bytea NOT NULL
);

CREATE INDEX predictions_of_object ON predictions (catalogue_number, position);

CREATE TABLE outlooks (
    catalogue_number integer PRIMARY KEY,
    event_type text NOT NULL,
    body bytea NOT NULL
);

-- Work that waits: at most one prediction for an object, by its latest cause. Not a read model.
CREATE TABLE due (
    catalogue_number integer PRIMARY KEY,
    cause_event_id uuid NOT NULL,
    known_at timestamptz NOT NULL,
    correlation_id uuid NOT NULL,
    traceparent text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    queued bigint GENERATED ALWAYS AS IDENTITY
);
