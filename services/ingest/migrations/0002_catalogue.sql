-- What is known of an object, as last recorded; filled by rebuilding the read models.
ALTER TABLE objects
ADD COLUMN version bigint NOT NULL DEFAULT 0,
ADD COLUMN body bytea,
ADD COLUMN decay bytea,
ADD COLUMN retired boolean NOT NULL DEFAULT false,
ADD COLUMN name_text text NOT NULL DEFAULT '',
ADD COLUMN designator_text text NOT NULL DEFAULT '',
ADD COLUMN owner text NOT NULL DEFAULT '',
ADD COLUMN type integer NOT NULL DEFAULT 0,
-- Redistribution classes of what is searched for and shown.
ADD COLUMN name_class text NOT NULL DEFAULT 'internal',
ADD COLUMN designator_class text NOT NULL DEFAULT 'internal',
ADD COLUMN owner_class text NOT NULL DEFAULT 'internal',
ADD COLUMN type_class text NOT NULL DEFAULT 'internal',
ADD COLUMN decay_class text NOT NULL DEFAULT 'internal',
ADD COLUMN elements_class text NOT NULL DEFAULT 'internal',
ADD COLUMN shown_classes text [] NOT NULL DEFAULT '{}';

CREATE INDEX objects_designator ON objects (international_designator);
CREATE INDEX objects_owner ON objects (owner);
CREATE INDEX objects_perigee ON objects (perigee_altitude_km);

-- Text is found by trigrams where the extension can be had, and by reading the table where not.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') THEN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
        CREATE INDEX objects_name_trigrams ON objects USING gin (name_text gin_trgm_ops);
        CREATE INDEX objects_number_trigrams ON objects USING gin ((catalogue_number::text) gin_trgm_ops);
        CREATE INDEX objects_designator_trigrams ON objects USING gin (designator_text gin_trgm_ops);
    END IF;
END
$$;

ALTER TABLE rejections ADD COLUMN redistribution text NOT NULL DEFAULT 'internal';
