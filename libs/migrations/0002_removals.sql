-- What retention removed, when, and by which policy. A removal is written down before it is done.
CREATE TABLE removals (
    place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    removed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    policy text NOT NULL,
    item text NOT NULL,
    count bigint NOT NULL
);

CREATE INDEX requests_answered_at ON requests (answered_at);
