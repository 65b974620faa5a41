-- Facts, in the order they were committed. Also the outbox: the relay reads it by position.
CREATE TABLE events (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL UNIQUE,
    stream text NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    type text NOT NULL,
    data bytea NOT NULL,
    meta jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    available_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    UNIQUE (stream, version)
);

CREATE INDEX events_recorded_at ON events (recorded_at);

-- Publishing cursor: the last position that is in Kafka.
CREATE TABLE relay (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint NOT NULL DEFAULT 0
);

INSERT INTO relay DEFAULT VALUES;

-- Last sequence handled of each stream, for good: what a consumer has done it does not do again.
CREATE TABLE progress (
    consumer text NOT NULL,
    stream text NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (consumer, stream)
);

-- Messages a consumer could not handle. Headers and error may hold anything a sender sent.
CREATE TABLE parked (
    consumer text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    stream text NOT NULL,
    sequence bigint NOT NULL,
    headers bytea NOT NULL,
    body bytea NOT NULL,
    error text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, topic, partition, "offset")
);

CREATE INDEX parked_streams ON parked (consumer, stream, sequence);

-- Answers to commands, by the key their caller chose.
CREATE TABLE requests (
    principal text NOT NULL,
    method text NOT NULL,
    key text NOT NULL,
    body_sha256 bytea NOT NULL,
    response bytea NOT NULL,
    answered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (principal, method, key)
);
