-- Tags in copies as lists of choices stand there: as JSON, in which looking for one costs less than in an array.
ALTER TABLE marketing_contact_facts ALTER COLUMN tags TYPE text COLLATE "C" USING to_jsonb(tags)::text;

-- From now on, a long text that is there is not empty, so the key tells who has one.
DELETE FROM marketing_long_facts WHERE value = '';
ALTER TABLE marketing_long_facts ADD CHECK (value <> '');
