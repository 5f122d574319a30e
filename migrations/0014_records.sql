-- Properties with versions and checks, their fast values kept by the database itself; notes, tasks and activities of
-- people; the history of companies.

ALTER TABLE marketing_property_definitions
    -- Grows with every change: what If-Match and edit forms compare.
    ADD COLUMN version integer NOT NULL DEFAULT 1,
    -- A change of type that is under way: what it is to become, how far looking through the values is, what would not fit.
    ADD COLUMN change jsonb;
CREATE INDEX marketing_property_definitions_fast ON marketing_property_definitions (workspace_id, object)
    WHERE speed <> 'normal';

-- The vocabulary that the definitions replace. Its names come along, also those that were added since 0013; what the
-- newest people hold under a name says whether it is a number or a yes and no. The walls are down meanwhile, because the
-- owner of the tables is in no workspace.
ALTER TABLE marketing_contact_properties NO FORCE ROW LEVEL SECURITY;
ALTER TABLE marketing_property_definitions NO FORCE ROW LEVEL SECURITY;
ALTER TABLE marketing_contacts NO FORCE ROW LEVEL SECURITY;
INSERT INTO marketing_property_definitions (workspace_id, id, object, name, label, type, created_at, updated_at)
SELECT workspace_id, gen_random_uuid(), 'contact', name, name, 'text', created_at, created_at
FROM marketing_contact_properties
ON CONFLICT (workspace_id, object, name) DO NOTHING;
UPDATE marketing_property_definitions d SET type = k.kind
FROM (
    SELECT w.workspace_id, p.name, min(jsonb_typeof(p.value)) AS kind
    FROM (SELECT DISTINCT workspace_id FROM marketing_property_definitions) w
    CROSS JOIN LATERAL (
        SELECT c.properties FROM marketing_contacts c WHERE c.workspace_id = w.workspace_id
        ORDER BY c.id DESC LIMIT 2000
    ) c CROSS JOIN LATERAL jsonb_each(c.properties) AS p(name, value)
    WHERE jsonb_typeof(p.value) <> 'null'
    GROUP BY w.workspace_id, p.name
    HAVING min(jsonb_typeof(p.value)) = max(jsonb_typeof(p.value)) AND min(jsonb_typeof(p.value)) IN ('number', 'boolean')
) k
WHERE d.workspace_id = k.workspace_id AND d.object = 'contact' AND d.name = k.name AND d.type = 'text';
ALTER TABLE marketing_property_definitions FORCE ROW LEVEL SECURITY;
ALTER TABLE marketing_contacts FORCE ROW LEVEL SECURITY;
DROP TABLE marketing_contact_properties;

-- What a value of a fast property stands for in marketing_contact_property_values. Days and moments are reckoned, not
-- cast: a value of an earlier type must not make a statement fail.
CREATE FUNCTION marketing_property_index(type text, value jsonb)
    RETURNS TABLE (text_value text, number_value double precision)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT lower(left(e.item, 200)), NULL::double precision
    FROM (
        SELECT value #>> '{}' AS item
        WHERE type IN ('text', 'longText', 'singleSelect', 'url') AND jsonb_typeof(value) IN ('string', 'number', 'boolean')
        UNION ALL
        SELECT a.item FROM jsonb_array_elements_text(
            CASE WHEN type = 'multiSelect' AND jsonb_typeof(value) = 'array' THEN value ELSE '[]' END) AS a(item)
    ) e
    UNION ALL
    SELECT NULL, CASE
        WHEN type = 'number' AND jsonb_typeof(value) = 'number' THEN (value #>> '{}')::double precision
        WHEN type = 'money' AND jsonb_typeof(value -> 'amount') = 'number' THEN (value ->> 'amount')::double precision
        WHEN type = 'boolean' AND jsonb_typeof(value) = 'boolean' THEN (value #>> '{}')::boolean::integer
        WHEN type IN ('date', 'dateTime') AND value #>> '{}' ~ '^[0-9]{4}-(0[1-9]|1[0-2])-[0-3][0-9]'
            AND left(value #>> '{}', 4) <> '0000' THEN
            (make_date(left(value #>> '{}', 4)::integer, substr(value #>> '{}', 6, 2)::integer, 1)
                - date '1970-01-01' + substr(value #>> '{}', 9, 2)::integer - 1) * 86400.0
            + CASE WHEN type = 'dateTime' AND value #>> '{}' ~ '^.{10}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$'
                THEN substr(value #>> '{}', 12, 2)::integer * 3600 + substr(value #>> '{}', 15, 2)::integer * 60
                    + substr(value #>> '{}', 18, 2)::integer
                ELSE 0 END
        END
    WHERE type IN ('number', 'money', 'boolean', 'date', 'dateTime')
$$;

-- Keeps the values of fast properties whatever changes people. Where a workspace has none, each statement costs one look
-- into an index that is empty.
CREATE FUNCTION marketing_keep_new_property_values() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM marketing_property_definitions WHERE object = 'contact' AND speed <> 'normal') THEN
        RETURN NULL;
    END IF;
    INSERT INTO marketing_contact_property_values (workspace_id, property_id, contact_id, text_value, number_value)
    SELECT n.workspace_id, d.id, n.id, v.text_value, v.number_value
    FROM marketing_property_definitions d
    JOIN new_people n ON n.workspace_id = d.workspace_id AND n.deleted_at IS NULL AND n.properties ? d.name
    CROSS JOIN LATERAL marketing_property_index(d.type, n.properties -> d.name) v
    WHERE d.object = 'contact' AND d.speed <> 'normal' AND (v.text_value IS NOT NULL OR v.number_value IS NOT NULL);
    RETURN NULL;
END
$$;

-- Imports forbid joins by hash to their own statements; the two row sets here have no other way.
CREATE FUNCTION marketing_keep_changed_property_values() RETURNS trigger
    LANGUAGE plpgsql SET enable_hashjoin = on SET enable_mergejoin = on
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM marketing_property_definitions WHERE object = 'contact' AND speed <> 'normal') THEN
        RETURN NULL;
    END IF;
    WITH changed AS MATERIALIZED (
        SELECT n.workspace_id, n.id, d.id AS property_id, d.type,
            CASE WHEN n.deleted_at IS NULL THEN n.properties -> d.name END AS value
        FROM old_people o JOIN new_people n ON n.workspace_id = o.workspace_id AND n.id = o.id
        JOIN marketing_property_definitions d
            ON d.workspace_id = n.workspace_id AND d.object = 'contact' AND d.speed <> 'normal'
        WHERE (o.properties -> d.name, o.deleted_at IS NULL) IS DISTINCT FROM (n.properties -> d.name, n.deleted_at IS NULL)
    ), gone AS (
        DELETE FROM marketing_contact_property_values v USING changed c
        WHERE v.workspace_id = c.workspace_id AND v.contact_id = c.id AND v.property_id = c.property_id
    )
    INSERT INTO marketing_contact_property_values (workspace_id, property_id, contact_id, text_value, number_value)
    SELECT c.workspace_id, c.property_id, c.id, v.text_value, v.number_value
    FROM changed c CROSS JOIN LATERAL marketing_property_index(c.type, c.value) v
    WHERE c.value IS NOT NULL AND (v.text_value IS NOT NULL OR v.number_value IS NOT NULL);
    RETURN NULL;
END
$$;

CREATE FUNCTION marketing_forget_property_values() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM marketing_contact_property_values v USING old_people o
    WHERE v.workspace_id = o.workspace_id AND v.contact_id = o.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER marketing_contacts_properties_new AFTER INSERT ON marketing_contacts
    REFERENCING NEW TABLE AS new_people FOR EACH STATEMENT EXECUTE FUNCTION marketing_keep_new_property_values();
CREATE TRIGGER marketing_contacts_properties_changed AFTER UPDATE ON marketing_contacts
    REFERENCING OLD TABLE AS old_people NEW TABLE AS new_people
    FOR EACH STATEMENT EXECUTE FUNCTION marketing_keep_changed_property_values();
CREATE TRIGGER marketing_contacts_properties_gone AFTER DELETE ON marketing_contacts
    REFERENCING OLD TABLE AS old_people FOR EACH STATEMENT EXECUTE FUNCTION marketing_forget_property_values();

-- How many people belong to each company, whatever changes them. The rows are locked in their order, so that two imports
-- cannot wait for each other.
CREATE FUNCTION marketing_count_company_people(companies uuid[], differences integer[]) RETURNS void
    LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM FROM marketing_companies WHERE id = ANY (companies) ORDER BY workspace_id, id FOR NO KEY UPDATE;
    UPDATE marketing_companies m SET contact_count = m.contact_count + d.difference
    FROM unnest(companies, differences) AS d(id, difference) WHERE m.id = d.id;
END
$$;

CREATE FUNCTION marketing_count_new_company_people() RETURNS trigger
    LANGUAGE plpgsql
AS $$
DECLARE
    companies uuid[];
    differences integer[];
BEGIN
    SELECT array_agg(company_id), array_agg(n) INTO companies, differences FROM (
        SELECT company_id, count(*)::integer AS n FROM new_people
        WHERE company_id IS NOT NULL AND deleted_at IS NULL GROUP BY company_id) c;
    IF companies IS NOT NULL THEN PERFORM marketing_count_company_people(companies, differences); END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION marketing_count_changed_company_people() RETURNS trigger
    LANGUAGE plpgsql
AS $$
DECLARE
    companies uuid[];
    differences integer[];
BEGIN
    SELECT array_agg(company_id), array_agg(n) INTO companies, differences FROM (
        SELECT company_id, sum(d)::integer AS n FROM (
            SELECT company_id, 1 AS d FROM new_people WHERE company_id IS NOT NULL AND deleted_at IS NULL
            UNION ALL
            SELECT company_id, -1 FROM old_people WHERE company_id IS NOT NULL AND deleted_at IS NULL
        ) p GROUP BY company_id HAVING sum(d) <> 0) c;
    IF companies IS NOT NULL THEN PERFORM marketing_count_company_people(companies, differences); END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION marketing_count_gone_company_people() RETURNS trigger
    LANGUAGE plpgsql
AS $$
DECLARE
    companies uuid[];
    differences integer[];
BEGIN
    SELECT array_agg(company_id), array_agg(n) INTO companies, differences FROM (
        SELECT company_id, -count(*)::integer AS n FROM old_people
        WHERE company_id IS NOT NULL AND deleted_at IS NULL GROUP BY company_id) c;
    IF companies IS NOT NULL THEN PERFORM marketing_count_company_people(companies, differences); END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER marketing_contacts_companies_new AFTER INSERT ON marketing_contacts
    REFERENCING NEW TABLE AS new_people FOR EACH STATEMENT EXECUTE FUNCTION marketing_count_new_company_people();
CREATE TRIGGER marketing_contacts_companies_changed AFTER UPDATE ON marketing_contacts
    REFERENCING OLD TABLE AS old_people NEW TABLE AS new_people
    FOR EACH STATEMENT EXECUTE FUNCTION marketing_count_changed_company_people();
CREATE TRIGGER marketing_contacts_companies_gone AFTER DELETE ON marketing_contacts
    REFERENCING OLD TABLE AS old_people FOR EACH STATEMENT EXECUTE FUNCTION marketing_count_gone_company_people();

-- For undoing an import: the companies that changed people belonged to before.
ALTER TABLE marketing_contact_import_chunks ADD COLUMN before_companies uuid[];
ALTER TABLE marketing_contact_import_chunks ALTER COLUMN before_companies SET STORAGE EXTERNAL;

-- What people at work note about a person. A private note is its author's alone.
CREATE TABLE marketing_contact_notes (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    author_id uuid,
    author_name text NOT NULL,
    body text NOT NULL,
    pinned boolean NOT NULL DEFAULT false,
    private boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, contact_id, id)
);
SELECT marketing_protect('marketing_contact_notes');

CREATE TABLE marketing_contact_tasks (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    title text NOT NULL,
    -- A day in the workspace's time zone.
    due_on date,
    assignee_id uuid,
    created_by uuid,
    created_at timestamptz NOT NULL,
    done_at timestamptz,
    PRIMARY KEY (workspace_id, contact_id, id)
);
CREATE INDEX marketing_contact_tasks_open ON marketing_contact_tasks (workspace_id, assignee_id, due_on)
    WHERE done_at IS NULL;
SELECT marketing_protect('marketing_contact_tasks');

-- Activities that other systems tell stand in the history; the same id twice is the same activity.
ALTER TABLE marketing_contact_events ADD COLUMN source_event_id text;
CREATE UNIQUE INDEX marketing_contact_events_source ON marketing_contact_events (workspace_id, source_event_id)
    WHERE source_event_id IS NOT NULL;

CREATE TABLE marketing_company_events (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    company_id uuid NOT NULL,
    kind text NOT NULL,
    occurred_at timestamptz NOT NULL,
    data jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (workspace_id, company_id, id)
);
SELECT marketing_protect('marketing_company_events');
