-- Predictions of others, ephemerides and conjunctions, by what they say of their object.
CREATE TABLE object_messages (
    content_key bytea PRIMARY KEY,
    kind text NOT NULL,
    catalogue_number integer NOT NULL,
    said_at timestamptz NOT NULL,
    position bigint NOT NULL,
    redistribution text NOT NULL,
    body bytea NOT NULL
);

CREATE INDEX object_messages_of_object ON object_messages (catalogue_number, kind, said_at DESC, position DESC);
