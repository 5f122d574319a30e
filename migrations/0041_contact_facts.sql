-- What rules compare of people, apart from them: narrow rows with their properties in columns of a type, for workspaces in
-- which counting reads very many people (docs/segments.md). They follow their people: a trigger notes who changed, and what
-- works off the notes copies those anew. Whoever counts takes people with a note from marketing_contacts, so a count is right
-- whether or not the copies are up to date.

-- Whose people are copied, and whether everybody is there. Global, as are the notes: one look tells who has something to do.
CREATE TABLE marketing_contact_facts_state (
    workspace_id uuid PRIMARY KEY,
    -- Transactions below this number may have changed people without a note; null: not looked up yet.
    horizon bigint,
    is_filled boolean NOT NULL DEFAULT false
);
SELECT marketing_global('marketing_contact_facts_state');

CREATE TABLE marketing_stale_facts (
    workspace_id uuid NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    contact_ids uuid[] NOT NULL,
    people integer NOT NULL,
    PRIMARY KEY (workspace_id, position)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE marketing_stale_facts ALTER COLUMN contact_ids SET STORAGE EXTERNAL;
SELECT marketing_global('marketing_stale_facts');

-- Which property stands in which column.
CREATE TABLE marketing_fact_columns (
    workspace_id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    -- Null: the property is gone, and the column is to be emptied.
    property_id uuid,
    -- The key in `properties`.
    property text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('text', 'date', 'number', 'money', 'flag', 'choices', 'long')),
    -- Whether it is there for everybody.
    is_filled boolean NOT NULL DEFAULT false,
    PRIMARY KEY (workspace_id, name)
);
SELECT marketing_protect('marketing_fact_columns');

-- Everybody who is not deleted. Texts are in lower case. A flag is 1 for yes and 0 for no. What is stored under a property but is of
-- another type than the property's is U+0001, NaN or 2: it is neither nothing nor any value.
--
-- A row is read up to the last column that is asked for, so those that are asked for most come first.
CREATE TABLE marketing_contact_facts (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    company_id uuid,
    email_opt_in boolean,
    sms_opt_in boolean,
    tracking_allowed boolean NOT NULL,
    email_status text COLLATE "C" NOT NULL,
    flag1 smallint, flag2 smallint, flag3 smallint, flag4 smallint,
    text1 text COLLATE "C", number1 numeric, text2 text COLLATE "C", number2 numeric,
    text3 text COLLATE "C", number3 numeric, text4 text COLLATE "C", number4 numeric,
    text5 text COLLATE "C", number5 numeric, text6 text COLLATE "C", number6 numeric,
    text7 text COLLATE "C", number7 numeric, text8 text COLLATE "C", number8 numeric,
    -- Null: none.
    tags text[],
    last_name text COLLATE "C",
    first_name text COLLATE "C",
    email_key text COLLATE "C",
    phone text COLLATE "C",
    source text COLLATE "C",
    flag5 smallint, flag6 smallint, flag7 smallint, flag8 smallint,
    text9 text COLLATE "C", number9 numeric, text10 text COLLATE "C", number10 numeric,
    text11 text COLLATE "C", number11 numeric, text12 text COLLATE "C", number12 numeric,
    text13 text COLLATE "C", number13 numeric, text14 text COLLATE "C", number14 numeric,
    text15 text COLLATE "C", number15 numeric, text16 text COLLATE "C", number16 numeric,
    PRIMARY KEY (workspace_id, id)
) WITH (autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000);
SELECT marketing_protect('marketing_contact_facts');

-- Long texts, in lower case: beside the narrow rows, so that only rules about them read them. They are named in the order of
-- people.
CREATE TABLE marketing_long_facts (
    workspace_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    -- As in marketing_fact_columns.
    name text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    PRIMARY KEY (workspace_id, contact_id, name)
) WITH (autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000);
SELECT marketing_protect('marketing_long_facts');

-- The value of a property as it stands in a column. What is empty is null, or the empty text.
CREATE FUNCTION marketing_text_fact(properties jsonb, name text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE jsonb_typeof(properties -> name)
    WHEN 'string' THEN lower(properties ->> name)
    WHEN 'null' THEN NULL
    ELSE CASE WHEN properties -> name <> '[]' THEN E'\x01' END
END;
-- As stored: days and moments have no case.
CREATE FUNCTION marketing_date_fact(properties jsonb, name text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE jsonb_typeof(properties -> name)
    WHEN 'string' THEN properties ->> name
    WHEN 'null' THEN NULL
    ELSE CASE WHEN properties -> name <> '[]' THEN E'\x01' END
END;
CREATE FUNCTION marketing_number_fact(properties jsonb, name text) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE jsonb_typeof(properties -> name)
    WHEN 'number' THEN (properties -> name)::numeric
    WHEN 'null' THEN NULL
    ELSE CASE WHEN properties -> name NOT IN ('""', '[]') THEN 'NaN'::numeric END
END;
-- Amounts in the smallest unit, those of each currency in a range of 10^20 numbers: by the letters of its code, from A to Z.
CREATE FUNCTION marketing_money_fact(properties jsonb, name text) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN jsonb_typeof(properties -> name -> 'amount') = 'number' AND properties -> name ->> 'currency' ~ '^[A-Z]{3}$' THEN
        (ascii(properties -> name ->> 'currency') * 676 + ascii(substr(properties -> name ->> 'currency', 2)) * 26
            + ascii(substr(properties -> name ->> 'currency', 3)) - 45695) * 1e20
        + least(greatest((properties -> name -> 'amount')::numeric, -1e19), 1e19)
    WHEN properties -> name NOT IN ('null', '""', '[]') THEN 'NaN'
END;
-- The texts of a list as JSON, each in quotation marks: searched for one of them, it costs half of what the list does.
CREATE FUNCTION marketing_choices_fact(properties jsonb, name text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN properties -> name NOT IN ('null', '""', '[]') THEN
    CASE jsonb_typeof(properties -> name)
        WHEN 'array' THEN jsonb_path_query_array(properties -> name, 'strict $[*] ? (@.type() == "string")')::text
        ELSE E'\x01'
    END
END;
CREATE FUNCTION marketing_flag_fact(properties jsonb, name text) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE jsonb_typeof(properties -> name)
    WHEN 'boolean' THEN CASE WHEN properties -> name = 'true' THEN 1 ELSE 0 END
    WHEN 'null' THEN NULL
    ELSE CASE WHEN properties -> name NOT IN ('""', '[]') THEN 2 END
END::smallint;

-- Notes whose copies no longer tell how people are, whatever changed them. Where nobody is copied, a statement costs one look
-- into a table that is empty.
CREATE FUNCTION marketing_note_stale_facts() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM marketing_contact_facts_state) THEN RETURN NULL; END IF;
    -- Not more people in one note than are copied in one transaction.
    INSERT INTO marketing_stale_facts (workspace_id, contact_ids, people)
    SELECT n.workspace_id, array_agg(n.id), count(*) FROM (
        SELECT p.workspace_id, p.id, (row_number() OVER () - 1) / 5000 AS part FROM changed_people p
        JOIN marketing_contact_facts_state s ON s.workspace_id = p.workspace_id
    ) n GROUP BY n.workspace_id, n.part;
    RETURN NULL;
END
$$;
CREATE TRIGGER marketing_contacts_facts_new AFTER INSERT ON marketing_contacts
    REFERENCING NEW TABLE AS changed_people FOR EACH STATEMENT EXECUTE FUNCTION marketing_note_stale_facts();
CREATE TRIGGER marketing_contacts_facts_changed AFTER UPDATE ON marketing_contacts
    REFERENCING NEW TABLE AS changed_people FOR EACH STATEMENT EXECUTE FUNCTION marketing_note_stale_facts();
CREATE TRIGGER marketing_contacts_facts_gone AFTER DELETE ON marketing_contacts
    REFERENCING OLD TABLE AS changed_people FOR EACH STATEMENT EXECUTE FUNCTION marketing_note_stale_facts();
