-- A chain over the audit log of each workspace, so that a change from outside is found. Deeds are written unchained, so
-- that no writer waits for another; a job chains them afterwards, in the order in which it finds them.

-- Deeds that are not chained yet. Written with the deed; it belongs to the clock of all workspaces.
CREATE TABLE marketing_audit_waiting (
    workspace_id uuid NOT NULL,
    entry_id uuid NOT NULL,
    PRIMARY KEY (workspace_id, entry_id)
);
SELECT marketing_global('marketing_audit_waiting');

-- A link for each deed: positions without gaps. `fixed` is the digest of what nothing ever changes, `content` the digest
-- of what an erasure blanks, with a salt that goes with it, so that what is left cannot be guessed.
CREATE TABLE marketing_audit_chain (
    workspace_id uuid NOT NULL,
    position bigint NOT NULL,
    entry_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    fixed bytea NOT NULL,
    content bytea NOT NULL,
    salt bytea,
    hash bytea NOT NULL,
    -- When the deed came to the end of its keeping time.
    purged_at timestamptz,
    PRIMARY KEY (workspace_id, position)
);
CREATE UNIQUE INDEX marketing_audit_chain_entry ON marketing_audit_chain (workspace_id, entry_id);
SELECT marketing_protect('marketing_audit_chain');

-- The end of each chain; locked by whoever adds links, erases or purges.
CREATE TABLE marketing_audit_heads (
    workspace_id uuid PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    started_at timestamptz NOT NULL DEFAULT now(),
    -- Whether the deeds from before the chain are in it, so that only waiting ones are looked for.
    is_complete boolean NOT NULL DEFAULT false
);
SELECT marketing_protect('marketing_audit_heads');

-- What the last look at each chain found.
CREATE TABLE marketing_audit_checks (
    workspace_id uuid PRIMARY KEY,
    checked_at timestamptz NOT NULL,
    entries bigint NOT NULL,
    -- When the chain was last found intact, and whether it was not the last time.
    intact_at timestamptz,
    is_broken boolean NOT NULL,
    faults jsonb NOT NULL DEFAULT '{}'
);
SELECT marketing_protect('marketing_audit_checks');

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'marketing_app') THEN
        REVOKE UPDATE, DELETE ON marketing_audit_waiting FROM marketing_app;
        REVOKE INSERT, UPDATE, DELETE ON marketing_audit_chain, marketing_audit_heads FROM marketing_app;
    END IF;
END
$$;

CREATE FUNCTION marketing_audit_fixed(entry marketing_audit_log) RETURNS bytea
    LANGUAGE sql STABLE
    RETURN sha256(convert_to(jsonb_build_array(
        (entry).workspace_id, (entry).id, (entry).actor_id, (entry).actor_name, (entry).action, (entry).area,
        (entry).request_id, (entry).network,
        to_char((entry).occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'))::text, 'UTF8'));

CREATE FUNCTION marketing_audit_content(salt bytea, entry marketing_audit_log) RETURNS bytea
    LANGUAGE sql STABLE
    RETURN sha256(salt || convert_to(jsonb_build_array(
        (entry).subject, (entry).href, (entry).details, (entry).before, (entry).after)::text, 'UTF8'));

CREATE FUNCTION marketing_audit_link(previous bytea, place bigint, at timestamptz, fixed bytea, content bytea)
    RETURNS bytea
    LANGUAGE sql IMMUTABLE
    RETURN sha256(previous || int8send(place) || timestamptz_send(at) || fixed || content);

-- Waits for whoever else works on the chain of this workspace, and keeps it until the end of the transaction.
CREATE FUNCTION marketing_lock_audit_chain() RETURNS marketing_audit_heads
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    head marketing_audit_heads;
BEGIN
    INSERT INTO marketing_audit_heads (workspace_id) VALUES (marketing_workspace()) ON CONFLICT DO NOTHING;
    SELECT * INTO head FROM marketing_audit_heads WHERE workspace_id = marketing_workspace() FOR UPDATE;
    RETURN head;
END
$$;

-- Chains deeds that are committed and not chained yet, the oldest first, and answers how many. What is committed later
-- comes later, whatever its time. In the first hour it looks for all that have no link, so that nodes of the version
-- before, which do not say what waits, leave nothing behind.
CREATE FUNCTION marketing_chain_audit_log(most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    head marketing_audit_heads := marketing_lock_audit_chain();
    here uuid := marketing_workspace();
    batch uuid[];
    entry marketing_audit_log;
    salt bytea;
    fixed_digest bytea;
    content_digest bytea;
BEGIN
    IF head.is_complete THEN
        SELECT array_agg(found.id) INTO batch FROM (
            SELECT l.id FROM marketing_audit_waiting w
            JOIN marketing_audit_log l ON l.workspace_id = w.workspace_id AND l.id = w.entry_id
            WHERE w.workspace_id = here ORDER BY l.occurred_at, l.id LIMIT most
        ) found;
    ELSE
        SELECT array_agg(found.id) INTO batch FROM (
            SELECT l.id FROM marketing_audit_log l
            WHERE l.workspace_id = here AND NOT EXISTS (
                SELECT FROM marketing_audit_chain c WHERE c.workspace_id = here AND c.entry_id = l.id)
            ORDER BY l.occurred_at, l.id LIMIT most
        ) found;
        IF coalesce(cardinality(batch), 0) < most AND head.started_at < now() - interval '1 hour' THEN
            UPDATE marketing_audit_heads SET is_complete = true WHERE workspace_id = here;
        END IF;
    END IF;
    IF batch IS NULL THEN
        RETURN 0;
    END IF;
    FOR entry IN
        SELECT l.* FROM marketing_audit_log l
        WHERE l.workspace_id = here AND l.id = ANY (batch) ORDER BY l.occurred_at, l.id
    LOOP
        salt := uuid_send(gen_random_uuid());
        fixed_digest := marketing_audit_fixed(entry);
        content_digest := marketing_audit_content(salt, entry);
        head.position := head.position + 1;
        head.hash := marketing_audit_link(head.hash, head.position, entry.occurred_at, fixed_digest,
            content_digest);
        INSERT INTO marketing_audit_chain (workspace_id, position, entry_id, occurred_at, fixed, content, salt, hash)
        VALUES (here, head.position, entry.id, entry.occurred_at, fixed_digest, content_digest, salt, head.hash);
    END LOOP;
    DELETE FROM marketing_audit_waiting WHERE workspace_id = here AND entry_id = ANY (batch);
    UPDATE marketing_audit_heads SET position = head.position, hash = head.hash WHERE workspace_id = here;
    RETURN cardinality(batch);
END
$$;

-- As before; the links stay, without their salts.
CREATE OR REPLACE FUNCTION marketing_purge_audit_log(older_than timestamptz) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    gone uuid[];
BEGIN
    PERFORM marketing_lock_audit_chain();
    WITH old AS (
        DELETE FROM marketing_audit_log
        WHERE workspace_id = marketing_workspace() AND occurred_at < least(older_than, now() - interval '12 months')
        RETURNING id
    )
    SELECT array_agg(id) INTO gone FROM old;
    UPDATE marketing_audit_chain SET purged_at = now(), salt = NULL
    WHERE workspace_id = marketing_workspace() AND entry_id = ANY (gone);
    DELETE FROM marketing_audit_waiting WHERE workspace_id = marketing_workspace() AND entry_id = ANY (gone);
    RETURN coalesce(cardinality(gone), 0);
END
$$;

-- As before; the salts of what was blanked go too, so that no digest of it can be guessed.
CREATE OR REPLACE FUNCTION marketing_erase_audit_subject(page text, names text[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    changed uuid[];
BEGIN
    PERFORM marketing_lock_audit_chain();
    WITH blanked AS (
        UPDATE marketing_audit_log
        SET subject = 'an erased person', href = NULL, details = '{}', before = NULL, after = NULL
        WHERE workspace_id = marketing_workspace() AND subject IS DISTINCT FROM 'an erased person' AND (
            href = page OR starts_with(href, page || '/') OR lower(subject) = ANY (names) OR EXISTS (
                SELECT FROM unnest(names) AS name
                WHERE strpos(lower(concat_ws(' ', subject, details::text, before::text, after::text)), name) > 0))
        RETURNING id
    )
    SELECT array_agg(id) INTO changed FROM blanked;
    UPDATE marketing_audit_chain SET salt = NULL
    WHERE workspace_id = marketing_workspace() AND entry_id = ANY (changed);
    RETURN coalesce(cardinality(changed), 0);
END
$$;

-- What is wrong with links after a place, the first few of each look: `previous` is the hash of the link at that place.
CREATE FUNCTION marketing_audit_chain_part(place bigint, previous bytea, most integer)
    RETURNS TABLE (links bigint, last_position bigint, last_hash bytea, changed bigint, removed bigint, unlinked bigint,
        first_position bigint, first_at timestamptz)
    LANGUAGE sql STABLE
AS $$
    WITH part AS (
        SELECT c.position, c.hash, c.occurred_at,
            coalesce(lag(c.position) OVER places, place) AS before_position,
            coalesce(lag(c.hash) OVER places, previous) AS before_hash,
            c.fixed, c.content, c.salt, c.purged_at, l.id IS NOT NULL AS is_there, l AS entry
        FROM (
            SELECT * FROM marketing_audit_chain
            WHERE workspace_id = marketing_workspace() AND position > place ORDER BY position LIMIT most
        ) c
        LEFT JOIN marketing_audit_log l ON l.workspace_id = marketing_workspace() AND l.id = c.entry_id
        WINDOW places AS (ORDER BY c.position)
    ), looked AS (
        SELECT position, hash, occurred_at,
            position <> before_position + 1
                OR hash <> marketing_audit_link(before_hash, position, occurred_at, fixed, content) AS is_unlinked,
            NOT is_there AND (purged_at IS NULL OR purged_at < occurred_at + interval '12 months') AS is_removed,
            is_there AND (
                purged_at IS NOT NULL OR fixed <> marketing_audit_fixed(entry)
                OR occurred_at <> (entry).occurred_at
                OR CASE WHEN salt IS NULL
                    THEN ((entry).subject, (entry).details) IS DISTINCT FROM ('an erased person', '{}'::jsonb)
                        OR (entry).href IS NOT NULL OR (entry).before IS NOT NULL OR (entry).after IS NOT NULL
                    ELSE content <> marketing_audit_content(salt, entry) END) AS is_changed
        FROM part
    )
    SELECT count(*), max(position), (array_agg(hash ORDER BY position DESC))[1],
        count(*) FILTER (WHERE is_changed), count(*) FILTER (WHERE is_removed), count(*) FILTER (WHERE is_unlinked),
        min(position) FILTER (WHERE is_changed OR is_removed OR is_unlinked),
        min(occurred_at) FILTER (WHERE is_changed OR is_removed OR is_unlinked)
    FROM looked
$$;

REVOKE ALL ON FUNCTION marketing_lock_audit_chain(), marketing_chain_audit_log(integer) FROM PUBLIC;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'marketing_app') THEN
        GRANT EXECUTE ON FUNCTION marketing_chain_audit_log(integer) TO marketing_app;
    END IF;
END
$$;
