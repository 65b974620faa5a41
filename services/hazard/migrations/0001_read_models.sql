-- Facts of propagation and ingest as this service needs them.
CREATE TABLE predictions (
    catalogue_number integer PRIMARY KEY,
    version bigint NOT NULL,
    event_id uuid NOT NULL,
    body bytea NOT NULL
);

CREATE TABLE airspaces (
    dataset text PRIMARY KEY,
    position bigint NOT NULL,
    geojson_sha256 text NOT NULL,
    notice text NOT NULL
);

-- Own facts.
CREATE TABLE runs (
    run_id uuid PRIMARY KEY,
    catalogue_number integer NOT NULL,
    prediction_event_id uuid NOT NULL,
    state text NOT NULL,
    completed_chunk_count integer NOT NULL,
    chunk_count integer NOT NULL,
    reason text NOT NULL
);

CREATE INDEX runs_of_prediction ON runs (prediction_event_id);

CREATE TABLE assessments (
    position bigint PRIMARY KEY,
    catalogue_number integer NOT NULL,
    event_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    body bytea NOT NULL
);

CREATE INDEX assessments_of_object ON assessments (catalogue_number, position);

-- Attempts at a chunk, counted before it is flown. Not a read model.
CREATE TABLE attempts (
    run_id uuid NOT NULL,
    chunk integer NOT NULL,
    attempt_count integer NOT NULL,
    PRIMARY KEY (run_id, chunk)
);
