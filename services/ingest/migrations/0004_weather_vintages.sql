-- Each day of space weather as it was published, so that what was known at a time can be told. Days recorded before this
-- count as known from the beginning until the read models are rebuilt. `weather_days` is for the code that ran before.
CREATE TABLE weather_vintages (
    source text NOT NULL,
    predicted boolean NOT NULL,
    mjd integer NOT NULL,
    available_at timestamptz NOT NULL,
    position bigint NOT NULL,
    redistribution text NOT NULL,
    ap_3h double precision [] NOT NULL,
    ap_daily double precision NOT NULL,
    f107_observed_sfu double precision NOT NULL,
    PRIMARY KEY (source, predicted, mjd, available_at, position)
);

CREATE INDEX weather_vintages_by_mjd ON weather_vintages (mjd, predicted, available_at);

INSERT INTO weather_vintages
(source, predicted, mjd, available_at, position, redistribution, ap_3h, ap_daily, f107_observed_sfu)
SELECT source, predicted, mjd, '-infinity', 0, 'internal', ap_3h, ap_daily, f107_observed_sfu FROM weather_days;

CREATE TABLE weather_indices (
    source text NOT NULL,
    mjd integer NOT NULL,
    available_at timestamptz NOT NULL,
    position bigint NOT NULL,
    ap_3h double precision [] NOT NULL,
    f107_observed_sfu double precision,
    PRIMARY KEY (source, mjd, available_at, position)
);
