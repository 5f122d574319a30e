-- People, lists, imports and what happened to people.
--
-- Ids are UUIDs of version 7, so the primary key is also the order of creation and "newest first" needs no index of its
-- own. Every index costs an import time: those of marketing_contacts are few, and most are partial.

CREATE TABLE marketing_contacts (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    email text,
    -- The one spelling of the address (EmailAddress.key): lower case, ASCII domain.
    email_key text COLLATE "C",
    phone text COLLATE "C",
    first_name text,
    last_name text,
    properties jsonb NOT NULL DEFAULT '{}',
    tags text[] NOT NULL DEFAULT '{}',
    email_status text NOT NULL DEFAULT 'active'
        CHECK (email_status IN ('active', 'unsubscribed', 'bounced', 'complained', 'unconfirmed')),
    tracking_allowed boolean NOT NULL DEFAULT true,
    consent_basis text,
    source text,
    import_id uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    -- The lists that a deleted contact was on, for undoing the deletion.
    deleted_list_ids uuid[],
    -- Grows with every change by hand, by the API or by an import: what If-Match and undo compare.
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (workspace_id, id)
) WITH (fillfactor = 90);

CREATE UNIQUE INDEX marketing_contacts_email_key ON marketing_contacts (workspace_id, email_key)
    WHERE deleted_at IS NULL AND email_key IS NOT NULL;
CREATE INDEX marketing_contacts_phone ON marketing_contacts (workspace_id, phone)
    WHERE deleted_at IS NULL AND phone IS NOT NULL;
CREATE INDEX marketing_contacts_status ON marketing_contacts (workspace_id, email_status, id)
    WHERE deleted_at IS NULL AND email_status <> 'active';
CREATE INDEX marketing_contacts_without_email ON marketing_contacts (workspace_id, id)
    WHERE deleted_at IS NULL AND email_key IS NULL;

-- What people are found and sorted by, apart from the people so that an import need not build it: filled at once for a
-- person edited by hand, and by a job after an import.
CREATE TABLE marketing_contact_search (
    workspace_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    -- Last name, first name; the address where there is neither. Lower case.
    name_key text COLLATE "C" NOT NULL,
    -- First name, last name, address and phone number in lower case, for substrings.
    text text NOT NULL,
    tags text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (workspace_id, contact_id)
);
CREATE INDEX marketing_contact_search_name ON marketing_contact_search (workspace_id, name_key, contact_id);
-- New entries wait in the pending list, which every search reads: an import flushes it after each chunk, a schedule does
-- so every minute. Merging many at once is three times as fast as one by one.
CREATE INDEX marketing_contact_search_text ON marketing_contact_search
    USING gin (workspace_id, text gin_trgm_ops) WITH (fastupdate = on, gin_pending_list_limit = 65536);

CREATE INDEX marketing_contact_search_tags ON marketing_contact_search USING gin (workspace_id, tags) WHERE tags <> '{}';

-- Behind the workspace wall PostgreSQL evaluates conditions that are not leakproof, and LIKE and @> are not, only after
-- the wall's own: the indexes above would never be used. These functions look behind the wall with the rights of the
-- table's owner and let nothing out but ids of the workspace that the transaction has entered.
CREATE FUNCTION marketing_search_contacts(pattern text, before uuid, at_most integer) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
    RETURN QUERY WITH found AS MATERIALIZED (
        SELECT s.contact_id FROM marketing_contact_search s
        WHERE s.workspace_id = (SELECT marketing_workspace()) AND s.text LIKE pattern
    )
    SELECT contact_id FROM found WHERE before IS NULL OR contact_id < before ORDER BY contact_id DESC LIMIT at_most;
END
$$;

CREATE FUNCTION marketing_tagged_contacts(tag text, before uuid, at_most integer) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
    RETURN QUERY WITH found AS MATERIALIZED (
        SELECT s.contact_id FROM marketing_contact_search s
        WHERE s.workspace_id = (SELECT marketing_workspace()) AND s.tags @> ARRAY[tag] AND s.tags <> '{}'
    )
    SELECT contact_id FROM found WHERE before IS NULL OR contact_id < before ORDER BY contact_id DESC LIMIT at_most;
END
$$;

-- Only an index's owner may flush it, and the app's role owns nothing.
CREATE FUNCTION marketing_flush_contact_search() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RETURN gin_clean_pending_list('marketing_contact_search_text'::regclass)
        + gin_clean_pending_list('marketing_contact_search_tags'::regclass);
END
$$;

REVOKE ALL ON FUNCTION marketing_search_contacts(text, uuid, integer), marketing_tagged_contacts(text, uuid, integer),
    marketing_flush_contact_search() FROM PUBLIC;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'marketing_app') THEN
        GRANT EXECUTE ON FUNCTION marketing_search_contacts(text, uuid, integer),
            marketing_tagged_contacts(text, uuid, integer), marketing_flush_contact_search() TO marketing_app;
    END IF;
END
$$;

-- One row per workspace, settled by the statement that adds or removes people.
CREATE TABLE marketing_contact_totals (
    workspace_id uuid PRIMARY KEY,
    contact_count bigint NOT NULL DEFAULT 0,
    -- Grows with every change of people or lists: counts of filters are remembered for as long as it stands still.
    revision bigint NOT NULL DEFAULT 0,
    -- How many people an import made or changed that the search table does not know yet.
    unindexed_count bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- The names that properties have been given in this workspace, for filters, pickers and column mapping.
CREATE TABLE marketing_contact_properties (
    workspace_id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, name)
);

CREATE TABLE marketing_contact_tags (
    workspace_id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, name)
);

CREATE TABLE marketing_contact_events (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    kind text NOT NULL,
    occurred_at timestamptz NOT NULL,
    data jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (workspace_id, contact_id, id)
);

CREATE TABLE marketing_lists (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    member_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    PRIMARY KEY (workspace_id, id)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX marketing_lists_name ON marketing_lists (workspace_id, lower(name)) WHERE deleted_at IS NULL;

-- Members are people who are not deleted; deleting a person remembers their lists on the person. No foreign keys: the
-- two look-ups per row would halve the speed of an import, and both sides are only removed by this slice. No index by
-- person either: the lists of one person are found by probing the workspace's lists.
CREATE TABLE marketing_list_members (
    workspace_id uuid NOT NULL,
    list_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    added_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, list_id, contact_id)
);

CREATE TABLE marketing_contact_imports (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    status text NOT NULL CHECK (status IN
        ('uploaded', 'queued', 'running', 'done', 'failed', 'cancelled', 'undoing', 'undone')),
    file_name text NOT NULL,
    spool_path text,
    byte_count bigint NOT NULL DEFAULT 0,
    encoding text NOT NULL,
    delimiter text NOT NULL,
    options jsonb NOT NULL DEFAULT '{}',
    list_id uuid,
    -- Progress, committed together with the rows it counts: where to go on after a crash.
    byte_offset bigint NOT NULL DEFAULT 0,
    row_number bigint NOT NULL DEFAULT 0,
    total bigint NOT NULL DEFAULT 0,
    created bigint NOT NULL DEFAULT 0,
    updated bigint NOT NULL DEFAULT 0,
    unchanged bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    listed bigint NOT NULL DEFAULT 0,
    cancel_requested boolean NOT NULL DEFAULT false,
    error text,
    undo_removed bigint NOT NULL DEFAULT 0,
    undo_restored bigint NOT NULL DEFAULT 0,
    undo_kept bigint NOT NULL DEFAULT 0,
    created_by uuid,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    undone_at timestamptz,
    PRIMARY KEY (workspace_id, id)
) WITH (fillfactor = 50);

-- Rows that could not be imported, with the reason, as they stood in the file.
CREATE TABLE marketing_contact_import_failures (
    workspace_id uuid NOT NULL,
    import_id uuid NOT NULL,
    row_number bigint NOT NULL,
    reason text NOT NULL,
    line text NOT NULL,
    PRIMARY KEY (workspace_id, import_id, row_number)
);

-- One row per chunk of rows, committed with the people in it: what a crash did not undo, where to go on, and what undoing
-- the import needs. Values before the change stand in arrays, one element per changed person.
CREATE TABLE marketing_contact_import_chunks (
    workspace_id uuid NOT NULL,
    import_id uuid NOT NULL,
    number integer NOT NULL,
    end_offset bigint NOT NULL,
    end_row bigint NOT NULL,
    row_count integer NOT NULL,
    repeated integer NOT NULL,
    failed integer NOT NULL,
    -- The ids that were ready for new people; which of them exist is told by the people.
    first_id uuid,
    last_id uuid,
    created integer NOT NULL,
    existing integer NOT NULL,
    expected integer NOT NULL,
    changed integer NOT NULL,
    listed integer NOT NULL,
    -- Null when everybody in the chunk was new: then they are the people of the id range.
    listed_ids uuid[],
    before_ids uuid[],
    before_versions integer[],
    before_phones text[],
    before_first_names text[],
    before_last_names text[],
    before_properties jsonb[],
    before_tags text[],
    before_consents text[],
    indexed boolean NOT NULL DEFAULT false,
    undone boolean NOT NULL DEFAULT false,
    PRIMARY KEY (workspace_id, import_id, number)
);
-- Compressing megabytes of arrays would cost more than writing them.
ALTER TABLE marketing_contact_import_chunks
    ALTER COLUMN listed_ids SET STORAGE EXTERNAL, ALTER COLUMN before_ids SET STORAGE EXTERNAL,
    ALTER COLUMN before_properties SET STORAGE EXTERNAL, ALTER COLUMN before_first_names SET STORAGE EXTERNAL,
    ALTER COLUMN before_last_names SET STORAGE EXTERNAL;

-- Bulk work on a filter or a selection: what is to be done, and how far it is.
CREATE TABLE marketing_contact_bulk_actions (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    options jsonb NOT NULL,
    status text NOT NULL CHECK (status IN ('queued', 'running', 'done', 'failed')),
    total bigint NOT NULL DEFAULT 0,
    done bigint NOT NULL DEFAULT 0,
    last_contact_id uuid,
    created_by uuid,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    PRIMARY KEY (workspace_id, id)
);

SELECT marketing_protect('marketing_contacts');
SELECT marketing_protect('marketing_contact_search');
-- The functions above need the owner's rights to reach the rows; everybody else stays behind the wall.
ALTER TABLE marketing_contact_search NO FORCE ROW LEVEL SECURITY;
SELECT marketing_protect('marketing_contact_totals');
SELECT marketing_protect('marketing_contact_properties');
SELECT marketing_protect('marketing_contact_tags');
SELECT marketing_protect('marketing_contact_events');
SELECT marketing_protect('marketing_lists');
SELECT marketing_protect('marketing_list_members');
SELECT marketing_protect('marketing_contact_imports');
SELECT marketing_protect('marketing_contact_import_failures');
SELECT marketing_protect('marketing_contact_import_chunks');
SELECT marketing_protect('marketing_contact_bulk_actions');
