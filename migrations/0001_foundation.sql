-- The ground that every later migration stands on: the app's role, the workspace wall, month partitions.

-- The role the app works under. It owns nothing, so it cannot pass the wall. Where the login may not create roles the
-- app works under the login itself, and FORCE ROW LEVEL SECURITY keeps the wall up.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'marketing_app') THEN
        CREATE ROLE marketing_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
    END IF;
    EXECUTE format('GRANT marketing_app TO %I', current_user);
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO marketing_app', current_schema());
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        -- Another database of the same server made it at this moment.
        EXECUTE format('GRANT marketing_app TO %I', current_user);
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'The role marketing_app cannot be created; the app works under %.', current_user;
END
$$;

-- Substring search and mixed indexes.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;

-- The workspace of the current transaction, set with SET LOCAL app.workspace_id. The setting is an empty string, not
-- null, once a transaction has set it and ended.
CREATE FUNCTION marketing_workspace() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.workspace_id', true), '')::uuid;

-- Lets the app's role read and write a table that belongs to no workspace.
CREATE FUNCTION marketing_global(target regclass) RETURNS void
    LANGUAGE plpgsql
AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'marketing_app') THEN
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO marketing_app', target);
    END IF;
END
$$;

-- Puts the wall around a table with a workspace_id, and around its partitions, and lets the app's role in.
CREATE FUNCTION marketing_protect(target regclass) RETURNS void
    LANGUAGE plpgsql
AS $$
DECLARE
    part regclass;
BEGIN
    FOR part IN SELECT target UNION SELECT relid FROM pg_partition_tree(target) LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', part);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', part);
        EXECUTE format('DROP POLICY IF EXISTS workspace_wall ON %s', part);
        EXECUTE format(
            'CREATE POLICY workspace_wall ON %s USING (workspace_id = (SELECT marketing_workspace())) '
            'WITH CHECK (workspace_id = (SELECT marketing_workspace()))', part);
        PERFORM marketing_global(part);
    END LOOP;
END
$$;

-- Makes the partition of a table for the month of a day, with the wall around it, unless it is there. The app calls it
-- ahead of time although it owns no table; it can make nothing but such partitions. Answers whether it made one.
CREATE FUNCTION marketing_add_month_partition(target regclass, day date) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    first_day date := date_trunc('month', day::timestamp)::date;
    next_month date := (date_trunc('month', day::timestamp) + interval '1 month')::date;
    parent record;
    part_name text;
BEGIN
    SELECT c.relname, n.nspname INTO parent
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = target AND c.relkind = 'p' AND starts_with(c.relname, 'marketing_');
    IF NOT FOUND THEN
        RAISE EXCEPTION '% is no partitioned table of the portal', target USING ERRCODE = 'invalid_parameter_value';
    END IF;
    part_name := format('%s_%s', parent.relname, to_char(first_day, 'YYYY_MM'));
    PERFORM pg_advisory_xact_lock(hashtext(part_name));
    IF to_regclass(format('%I.%I', parent.nspname, part_name)) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I.%I (LIKE %s INCLUDING ALL)', parent.nspname, part_name, target);
    PERFORM marketing_protect(format('%I.%I', parent.nspname, part_name)::regclass);
    EXECUTE format(
        'ALTER TABLE %s ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)', target, parent.nspname, part_name,
        first_day::timestamp AT TIME ZONE 'UTC', next_month::timestamp AT TIME ZONE 'UTC');
    RETURN true;
END
$$;

REVOKE ALL ON FUNCTION marketing_global(regclass), marketing_protect(regclass),
    marketing_add_month_partition(regclass, date) FROM PUBLIC;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'marketing_app') THEN
        GRANT EXECUTE ON FUNCTION marketing_add_month_partition(regclass, date) TO marketing_app;
    END IF;
END
$$;
