CREATE TABLE reentry_events (
    reentry_event_id text PRIMARY KEY,
    catalogue_number integer NOT NULL,
    state integer NOT NULL,
    window_start_time timestamptz NOT NULL,
    window_end_time timestamptz NOT NULL,
    assessment_event_id text NOT NULL
);

CREATE TABLE alerts (
    alert_id text PRIMARY KEY,
    reentry_event_id text NOT NULL,
    catalogue_number integer NOT NULL,
    fir_designator text NOT NULL,
    fir_name text NOT NULL,
    state text NOT NULL,
    share double precision NOT NULL,
    threat bytea NOT NULL,
    acknowledged_by text NOT NULL DEFAULT '',
    acknowledged_at timestamptz,
    raised_at timestamptz NOT NULL,
    version bigint NOT NULL
);

CREATE INDEX alerts_of_event ON alerts (reentry_event_id);
CREATE INDEX alerts_by_share ON alerts (share DESC, alert_id);
