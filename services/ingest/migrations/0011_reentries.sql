-- When the mesh predicts objects to come down, for the poller; no read model: the next prediction of each renews it.
CREATE TABLE predicted_reentries (
    catalogue_number integer PRIMARY KEY,
    nominal_at timestamptz NOT NULL
);
