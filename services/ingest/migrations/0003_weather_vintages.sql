-- Each day of space weather as it was published, so that what was known at a time can be told.
-- Days recorded before this count as known from the beginning until the read models are rebuilt.
ALTER TABLE weather_days ADD COLUMN available_at timestamptz NOT NULL DEFAULT '-infinity';
ALTER TABLE weather_days ADD COLUMN position bigint NOT NULL DEFAULT 0;
ALTER TABLE weather_days ALTER COLUMN available_at DROP DEFAULT;
ALTER TABLE weather_days ALTER COLUMN position DROP DEFAULT;
ALTER TABLE weather_days DROP CONSTRAINT weather_days_pkey;
ALTER TABLE weather_days ADD PRIMARY KEY (source, predicted, mjd, available_at, position);
CREATE INDEX weather_days_by_mjd ON weather_days (mjd, predicted, available_at);

CREATE TABLE weather_indices (
    source text NOT NULL,
    mjd integer NOT NULL,
    available_at timestamptz NOT NULL,
    position bigint NOT NULL,
    ap_3h double precision [] NOT NULL,
    f107_observed_sfu double precision,
    PRIMARY KEY (source, mjd, available_at, position)
);
