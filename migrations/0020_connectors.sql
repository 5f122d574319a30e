-- Host products: which workspace their tenants work in, the keys they come with, what they sent, and people made one.

-- The tenants of host products. Global: who asks is known by this table before any workspace is.
CREATE TABLE marketing_connections (
    connector_type text COLLATE "C" NOT NULL,
    external_tenant_id text COLLATE "C" NOT NULL,
    workspace_id uuid NOT NULL REFERENCES marketing_workspaces (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (connector_type, external_tenant_id)
);
CREATE INDEX marketing_connections_workspace ON marketing_connections (workspace_id);
SELECT marketing_global('marketing_connections');

-- Keys of single workspaces. Only their hash is kept: whoever reads this table cannot use them.
CREATE TABLE marketing_service_keys (
    key_hash bytea PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    workspace_id uuid NOT NULL REFERENCES marketing_workspaces (id) ON DELETE CASCADE,
    name text NOT NULL,
    -- The last characters, so that people can tell keys apart.
    hint text NOT NULL,
    created_by uuid,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX marketing_service_keys_workspace ON marketing_service_keys (workspace_id, id);
SELECT marketing_global('marketing_service_keys');

-- Which company a record of another system stands for; people's stand in marketing_contact_identities.
CREATE TABLE marketing_company_identities (
    workspace_id uuid NOT NULL,
    source text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    company_id uuid NOT NULL,
    source_updated_at timestamptz,
    source_deleted boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, source, value)
) WITH (fillfactor = 80);
CREATE INDEX marketing_company_identities_company ON marketing_company_identities (workspace_id, company_id);
SELECT marketing_protect('marketing_company_identities');

-- One row per batch that a host product sent.
CREATE TABLE marketing_sync_runs (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('contacts', 'companies', 'events')),
    -- Who sent it, in words.
    caller text NOT NULL,
    received integer NOT NULL,
    created integer NOT NULL DEFAULT 0,
    updated integer NOT NULL DEFAULT 0,
    unchanged integer NOT NULL DEFAULT 0,
    stale integer NOT NULL DEFAULT 0,
    deleted integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    milliseconds integer NOT NULL DEFAULT 0,
    received_at timestamptz NOT NULL,
    -- The run whose failed rows were tried again.
    replay_of uuid,
    PRIMARY KEY (workspace_id, id)
);
SELECT marketing_protect('marketing_sync_runs');

CREATE TABLE marketing_sync_failures (
    workspace_id uuid NOT NULL,
    run_id uuid NOT NULL,
    -- The place in the batch.
    row_number integer NOT NULL,
    source_type text NOT NULL,
    source_id text NOT NULL,
    reason text NOT NULL,
    -- The row as it came, for trying it again; null when it was too large, or too long ago.
    payload jsonb,
    replayed_at timestamptz,
    PRIMARY KEY (workspace_id, run_id, row_number)
);
SELECT marketing_protect('marketing_sync_failures');

-- Two contacts made one, with what undoing it needs.
CREATE TABLE marketing_contact_merges (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    winner_id uuid NOT NULL,
    loser_id uuid NOT NULL,
    -- The fields that the merge changed, before and after.
    winner_before jsonb NOT NULL,
    winner_after jsonb NOT NULL,
    merged_by uuid,
    merged_at timestamptz NOT NULL,
    undone_by uuid,
    undone_at timestamptz,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX marketing_contact_merges_winner ON marketing_contact_merges (workspace_id, winner_id);
CREATE INDEX marketing_contact_merges_loser ON marketing_contact_merges (workspace_id, loser_id);
SELECT marketing_protect('marketing_contact_merges');

-- What moved from one to the other: the rows of each table by their ids, and what else their way back needs.
CREATE TABLE marketing_contact_merge_moves (
    workspace_id uuid NOT NULL,
    merge_id uuid NOT NULL,
    name text NOT NULL,
    ids uuid[] NOT NULL DEFAULT '{}',
    extra jsonb,
    PRIMARY KEY (workspace_id, merge_id, name)
);
ALTER TABLE marketing_contact_merge_moves ALTER COLUMN ids SET STORAGE EXTERNAL;
SELECT marketing_protect('marketing_contact_merge_moves');

-- Decisions about consent are never changed, and the app may not. Whose they are follows a merge: this moves them from one
-- person to another, all of them or those named, and answers which.
CREATE FUNCTION marketing_move_consents(from_id uuid, to_id uuid, chosen uuid[]) RETURNS uuid[]
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    moved uuid[];
BEGIN
    WITH changed AS (
        UPDATE marketing_consents SET contact_id = to_id
        WHERE workspace_id = marketing_workspace() AND contact_id = from_id AND (chosen IS NULL OR id = ANY (chosen))
        RETURNING id
    )
    SELECT coalesce(array_agg(id), '{}') INTO moved FROM changed;
    RETURN moved;
END
$$;
REVOKE ALL ON FUNCTION marketing_move_consents(uuid, uuid, uuid[]) FROM PUBLIC;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'marketing_app') THEN
        GRANT EXECUTE ON FUNCTION marketing_move_consents(uuid, uuid, uuid[]) TO marketing_app;
    END IF;
END
$$;
