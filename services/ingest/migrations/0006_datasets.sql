CREATE TABLE orientation_days (
    source text NOT NULL,
    mjd integer NOT NULL,
    pole_x_arcsec double precision NOT NULL,
    pole_y_arcsec double precision NOT NULL,
    ut1_utc_s double precision NOT NULL,
    predicted boolean NOT NULL,
    PRIMARY KEY (source, mjd)
);

CREATE TABLE traffic_datasets (
    dataset text PRIMARY KEY,
    input_sha256 text NOT NULL,
    source text NOT NULL,
    row_count integer NOT NULL
);
