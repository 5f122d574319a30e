-- Consent that cannot be rewritten, suppressions of more than addresses, and an audit log that tells before and after.

-- Decisions are added, never changed: the app may read and insert. Erasing a person is the one exception, below.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'marketing_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON marketing_consents FROM marketing_app;
        REVOKE UPDATE, DELETE, TRUNCATE ON marketing_audit_log FROM marketing_app;
    END IF;
END
$$;
-- What remains of an erased person's decisions, by the hash of the address.
CREATE INDEX marketing_consents_erased ON marketing_consents (workspace_id, address_hash)
    WHERE address_hash IS NOT NULL;
-- Grants that end by themselves.
CREATE INDEX marketing_consents_expiring ON marketing_consents (workspace_id, expires_at, contact_id)
    WHERE expires_at IS NOT NULL AND contact_id IS NOT NULL;

-- Separates the decisions of a person from the person: what was decided, when, and on what words stays as proof under the
-- hash of the address; who, from where and with which browser goes. Answers how many rows it changed.
CREATE FUNCTION marketing_erase_consents(person uuid, hash bytea) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    changed integer;
BEGIN
    IF hash IS NOT NULL AND octet_length(hash) <> 32 THEN
        RAISE EXCEPTION 'The hash of an address has 32 bytes.' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE marketing_consents
    SET contact_id = NULL, address_hash = hash, evidence = '{}',
        actor_id = CASE WHEN actor = 'contact' THEN NULL ELSE actor_id END
    WHERE workspace_id = marketing_workspace() AND contact_id = person;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END
$$;

-- Who did what: with the values before and after, the request it came by, and where from (cut to a network).
ALTER TABLE marketing_audit_log
    ADD COLUMN area text NOT NULL DEFAULT 'other',
    ADD COLUMN before jsonb,
    ADD COLUMN after jsonb,
    ADD COLUMN request_id text,
    ADD COLUMN network text;
UPDATE marketing_audit_log SET area = CASE
    WHEN href LIKE '/contacts%' THEN 'contacts'
    WHEN href LIKE '/lists%' THEN 'lists'
    WHEN href LIKE '/campaigns%' THEN 'campaigns'
    WHEN href LIKE '/suppressions%' THEN 'suppressions'
    WHEN href LIKE '/settings/members%' THEN 'members'
    WHEN href LIKE '/settings%' THEN 'settings'
    ELSE 'other' END;
CREATE INDEX marketing_audit_log_actor ON marketing_audit_log (workspace_id, actor_id, id);
CREATE INDEX marketing_audit_log_area ON marketing_audit_log (workspace_id, area, id);

-- Deeds older than their keeping time go; never those of the last twelve months, whatever is asked for.
CREATE FUNCTION marketing_purge_audit_log(older_than timestamptz) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    gone bigint;
BEGIN
    DELETE FROM marketing_audit_log
    WHERE workspace_id = marketing_workspace() AND occurred_at < least(older_than, now() - interval '12 months');
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;

-- Takes a person out of the audit log: that something was done, by whom and when stays; to whom, and the values, go.
CREATE FUNCTION marketing_erase_audit_subject(page text, names text[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    changed integer;
BEGIN
    UPDATE marketing_audit_log
    SET subject = 'an erased person', href = NULL, details = '{}', before = NULL, after = NULL
    WHERE workspace_id = marketing_workspace() AND subject IS DISTINCT FROM 'an erased person' AND (
        href = page OR starts_with(href, page || '/') OR lower(subject) = ANY (names) OR EXISTS (
            SELECT FROM unnest(names) AS name
            WHERE strpos(lower(concat_ws(' ', subject, details::text, before::text, after::text)), name) > 0));
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END
$$;

REVOKE ALL ON FUNCTION marketing_erase_consents(uuid, bytea), marketing_purge_audit_log(timestamptz),
    marketing_erase_audit_subject(text, text[]) FROM PUBLIC;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'marketing_app') THEN
        GRANT EXECUTE ON FUNCTION marketing_erase_consents(uuid, bytea), marketing_purge_audit_log(timestamptz),
            marketing_erase_audit_subject(text, text[]) TO marketing_app;
    END IF;
END
$$;

-- What must not be written to: an address; a whole domain, as "@example.com"; a phone number, as "+…"; and the hash of an
-- address that was erased, as "#…". The first character tells them apart, so that all share one key and one index, and
-- the look-up of an address costs what it always did.
ALTER TABLE marketing_suppressions
    ADD COLUMN kind text NOT NULL GENERATED ALWAYS AS (CASE left(email_key, 1)
        WHEN '@' THEN 'domain' WHEN '+' THEN CASE WHEN strpos(email_key, '@') > 0 THEN 'email' ELSE 'phone' END
        WHEN '#' THEN CASE WHEN strpos(email_key, '@') > 0 THEN 'email' ELSE 'erased' END
        ELSE 'email' END) STORED,
    -- Until when; null: until somebody lifts it.
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN note text,
    ADD COLUMN created_by uuid,
    ADD COLUMN lifted_by uuid,
    ADD COLUMN lift_reason text;
ALTER TABLE marketing_suppressions DROP CONSTRAINT marketing_suppressions_reason_check;
ALTER TABLE marketing_suppressions ADD CONSTRAINT marketing_suppressions_reason_check
    CHECK (reason IN ('unsubscribed', 'hard_bounce', 'soft_bounce', 'complaint', 'manual', 'erased'));
-- Whether a workspace suppresses domains, or has erased anybody, is one look at these.
CREATE INDEX marketing_suppressions_domains ON marketing_suppressions (workspace_id, kind, email_key)
    WHERE lifted_at IS NULL AND kind <> 'email';
CREATE INDEX marketing_suppressions_expiring ON marketing_suppressions (workspace_id, expires_at)
    WHERE lifted_at IS NULL AND expires_at IS NOT NULL;

-- A file of suppressions that was brought in, with what became of its rows.
CREATE TABLE marketing_suppression_imports (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    file_name text NOT NULL,
    added bigint NOT NULL DEFAULT 0,
    known bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    created_by uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
SELECT marketing_protect('marketing_suppression_imports');
CREATE TABLE marketing_suppression_import_failures (
    workspace_id uuid NOT NULL,
    import_id uuid NOT NULL,
    row_number bigint NOT NULL,
    line text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (workspace_id, import_id, row_number)
);
SELECT marketing_protect('marketing_suppression_import_failures');
