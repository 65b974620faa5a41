-- Columns that came with defaults get what the log says: classes of airspace, reasons of refusals, days of weather as they
-- were published, the last set of each object.
INSERT INTO rebuilds (migration)
SELECT 'ingest/0010_rebuild.sql' WHERE EXISTS (SELECT FROM events);
