ALTER TABLE element_sets ADD COLUMN redistribution text NOT NULL DEFAULT 'internal';
