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
ALTER TABLE assessments ADD COLUMN run_id uuid;
ALTER TABLE assessments ADD COLUMN variant boolean NOT NULL DEFAULT false;
CREATE INDEX assessments_of_run ON assessments (run_id);
