-- Datasets of traffic density, the one recorded last of each name.
CREATE TABLE traffic (
    dataset text PRIMARY KEY,
    position bigint NOT NULL,
    input_sha256 text NOT NULL,
    source text NOT NULL
);
