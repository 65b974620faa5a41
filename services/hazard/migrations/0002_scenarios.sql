-- What the catalogue says of objects, as far as it decides what they break into.
CREATE TABLE objects (
    catalogue_number integer PRIMARY KEY,
    version bigint NOT NULL,
    kind text NOT NULL,
    dry_mass_kg double precision NOT NULL,
    shape text NOT NULL,
    redistribution text NOT NULL -- strictest class of what is said here
);

-- Assessments by run; an analyst's variants stand beside those of record.
ALTER TABLE runs ADD COLUMN variant boolean NOT NULL DEFAULT false;
ALTER TABLE runs ADD COLUMN prediction_version bigint NOT NULL DEFAULT 0;
ALTER TABLE assessments ADD COLUMN run_id uuid;
ALTER TABLE assessments ADD COLUMN variant boolean NOT NULL DEFAULT false;
ALTER TABLE assessments ADD COLUMN quick boolean NOT NULL DEFAULT false;
ALTER TABLE assessments ADD COLUMN prediction_version bigint NOT NULL DEFAULT 0;
CREATE INDEX assessments_of_run ON assessments (run_id);
CREATE INDEX runs_in_flight ON runs (catalogue_number) WHERE state = 'running';
