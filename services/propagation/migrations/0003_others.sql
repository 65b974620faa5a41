CREATE TABLE others (
    event_id uuid PRIMARY KEY,
    catalogue_number integer NOT NULL,
    source text NOT NULL,
    made_at timestamptz NOT NULL,
    available_at timestamptz NOT NULL,
    redistribution text NOT NULL,
    body bytea NOT NULL
);

CREATE INDEX others_of_object ON others (catalogue_number, source, made_at);
CREATE INDEX predictions_by_event ON predictions (event_id);
