ALTER TABLE sources
ADD COLUMN next_due_at timestamptz,
ADD COLUMN problem integer NOT NULL DEFAULT 0,
ADD COLUMN halted boolean NOT NULL DEFAULT false,
ADD COLUMN failure_count integer NOT NULL DEFAULT 0;

-- What follows is what the poller must not forget; it is no read model, and nothing rebuilds it.
CREATE TABLE source_requests (
    provider text NOT NULL,
    source text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX source_requests_of_provider ON source_requests (provider, at);

CREATE TABLE source_polls (
    source text PRIMARY KEY,
    enabled_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    silences integer NOT NULL DEFAULT 0,
    part integer NOT NULL DEFAULT 0,
    page text NOT NULL DEFAULT '',
    accepted bigint NOT NULL DEFAULT 0,
    duplicates bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    newest_at timestamptz
);

CREATE TABLE source_conditions (
    source text NOT NULL,
    path text NOT NULL,
    etag text NOT NULL,
    last_modified text NOT NULL,
    PRIMARY KEY (source, path)
);

CREATE TABLE source_histories (
    catalogue_number integer PRIMARY KEY,
    fetched_at timestamptz NOT NULL
);
