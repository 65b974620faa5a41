-- The set of each object that was published last, to hold the next one against; empty until the next set of each, or
-- until the read models are rebuilt. `orbit` holds the fields of jumps.Published.
CREATE TABLE last_sets (
    catalogue_number integer PRIMARY KEY,
    published_at timestamptz NOT NULL,
    position bigint NOT NULL,
    orbit double precision [] NOT NULL
);
