-- After a crash an import knows its finished chunks by their numbers, so it goes on with chunks of the size it began with.
-- A version that does not know this column cuts chunks of 10,000.
ALTER TABLE marketing_contact_imports ADD COLUMN rows_per_chunk integer NOT NULL DEFAULT 10000;
