-- Statistics that know new workspaces soon.
--
-- Where PostgreSQL has counted the rows of each workspace, one that is not among them has none for all it knows, and then
-- every index that begins with the workspace seems as good as the right one. Tables count themselves anew when a tenth of
-- their rows has changed, which in a table of millions is a long time for a workspace of a hundred thousand.
DO $$
DECLARE
    grown regclass;
BEGIN
    FOR grown IN
        SELECT c.oid::regclass FROM pg_class c
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
            AND c.relname ~ ('^marketing_(contacts|contact_search|contact_property_values|contact_identities|contact_aliases'
                || '|consents|companies|company_identities|lists|list_members|messages|send_batches|event_ids'
                || '|email_events_\d+_\d+|events_\d+_\d+)$')
    LOOP
        EXECUTE format(
            'ALTER TABLE %s SET (autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000)', grown);
    END LOOP;
END
$$;

-- As before, with the same settings for the parts of later months.
CREATE OR REPLACE FUNCTION marketing_add_month_partition(target regclass, day date) RETURNS boolean
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
    EXECUTE format(
        'CREATE TABLE %I.%I (LIKE %s INCLUDING ALL)
            WITH (autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000)',
        parent.nspname, part_name, target);
    PERFORM marketing_protect(format('%I.%I', parent.nspname, part_name)::regclass);
    EXECUTE format(
        'ALTER TABLE %s ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)', target, parent.nspname, part_name,
        first_day::timestamp AT TIME ZONE 'UTC', next_month::timestamp AT TIME ZONE 'UTC');
    RETURN true;
END
$$;
