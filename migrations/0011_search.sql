-- Searches that read only what belongs to their workspace.
--
-- An index of workspace and trigrams has one entry per workspace that names all of its people, and each search read it:
-- two thirds of its time at a million people, and trigrams were shared with everybody else's. Now an entry is the hash of
-- workspace and trigram together, so each list of an entry belongs to one workspace and is as short as the trigram is rare.

-- The entries of a text: its trigrams (pg_trgm), hashed with the workspace. Hashes may collide, so what an entry finds is
-- compared with the text afterwards.
CREATE FUNCTION marketing_search_keys(workspace uuid, content text) RETURNS bigint[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    seed bigint := uuid_hash_extended(workspace, 0);
BEGIN
    RETURN ARRAY(SELECT hashtextextended(trigram, seed) FROM unnest(show_trgm(content)) AS trigram);
END
$$;

-- The entries that every text with all these words in it has, wherever the words stand: a trigram at a word's end counts
-- only if it is there whatever stands beside the word. Trigrams of two blanks and a letter name so many people that
-- reading them costs more than it saves, unless nothing else tells of that letter. Empty when no word has three letters
-- or digits in a row.
CREATE FUNCTION marketing_search_word_keys(workspace uuid, words text[]) RETURNS bigint[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    seed bigint := uuid_hash_extended(workspace, 0);
    sure text[] := ARRAY(
        SELECT DISTINCT trigram FROM unnest(words) AS word, unnest(show_trgm(word)) AS trigram
        WHERE trigram = ANY (show_trgm('a' || word || 'a')) AND trigram = ANY (show_trgm('b' || word || 'b'))
    );
BEGIN
    RETURN ARRAY(
        SELECT hashtextextended(trigram, seed) FROM unnest(sure) AS trigram
        WHERE left(trigram, 2) <> '  ' OR cardinality(sure) = 1
            OR NOT EXISTS (SELECT FROM unnest(sure) AS longer WHERE left(longer, 2) = right(trigram, 2))
    );
END
$$;

CREATE FUNCTION marketing_search_pattern(word text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '%' || replace(replace(replace(word, '\', '\\'), '%', '\%'), '_', '\_') || '%';

DROP INDEX marketing_contact_search_text;
CREATE INDEX marketing_contact_search_text ON marketing_contact_search
    USING gin (marketing_search_keys(workspace_id, text)) WITH (fastupdate = on, gin_pending_list_limit = 65536);

-- The people of the workspace with all these words among names, address and number, by the index; newest first.
DROP FUNCTION marketing_search_contacts(text, uuid, integer);
CREATE FUNCTION marketing_search_contacts(words text[], before uuid, at_most integer) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
AS $$
DECLARE
    workspace uuid := marketing_workspace();
    keys bigint[] := marketing_search_word_keys(workspace, words);
    patterns text[] := ARRAY(SELECT marketing_search_pattern(word) FROM unnest(words) AS word);
BEGIN
    -- Without an entry to begin with, everybody would have to be looked at.
    IF cardinality(keys) = 0 THEN RETURN; END IF;
    RETURN QUERY WITH found AS MATERIALIZED (
        SELECT s.workspace_id, s.contact_id FROM marketing_contact_search s
        WHERE marketing_search_keys(s.workspace_id, s.text) @> keys AND s.text LIKE ALL (patterns)
    )
    SELECT f.contact_id FROM found f
    WHERE f.workspace_id = workspace AND (before IS NULL OR f.contact_id < before)
    ORDER BY f.contact_id DESC LIMIT at_most;
END
$$;

-- How many of so many people, newest first, have the words, and who they are: `looked` is smaller than asked for when
-- there are no more people. The table of texts is read eight times as fast as people, but does not know yet whom an
-- import has just made.
CREATE FUNCTION marketing_search_walk(patterns text[], before uuid, people integer, OUT ids uuid[], OUT looked bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
AS $$
DECLARE
    workspace uuid := marketing_workspace();
    last uuid := coalesce(before, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
BEGIN
    IF EXISTS (SELECT FROM marketing_contact_totals t WHERE t.workspace_id = workspace AND t.unindexed_count > 0) THEN
        SELECT array_agg(w.id) FILTER (WHERE w.deleted_at IS NULL
                AND lower(concat_ws(' ', w.first_name, w.last_name, w.email, w.phone)) LIKE ALL (patterns)), count(*)
        INTO ids, looked
        FROM (
            SELECT * FROM marketing_contacts c WHERE c.workspace_id = workspace AND c.id < last
            ORDER BY c.id DESC LIMIT people
        ) w;
    ELSE
        SELECT array_agg(w.contact_id) FILTER (WHERE w.text LIKE ALL (patterns)), count(*)
        INTO ids, looked
        FROM (
            SELECT s.contact_id, s.text FROM marketing_contact_search s
            WHERE s.workspace_id = workspace AND s.contact_id < last ORDER BY s.contact_id DESC LIMIT people
        ) w;
    END IF;
    ids := coalesce(ids, '{}');
END
$$;

-- The newest people with all these words. Common words fill a page from the newest people, rare ones are looked up; a first
-- look at a few of the newest tells which it will be. With each id come the number of people looked at and how many of
-- them have the words: a share, or all there are when `looked` is null.
CREATE FUNCTION marketing_search_page(words text[], before uuid, at_most integer)
    RETURNS TABLE (id uuid, found bigint, looked bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    patterns text[] := ARRAY(SELECT marketing_search_pattern(word) FROM unnest(words) AS word);
    people integer := 500;
    ids uuid[];
    seen bigint;
BEGIN
    SELECT w.ids, w.looked INTO ids, seen FROM marketing_search_walk(patterns, before, people) w;
    IF seen = people AND cardinality(ids) < at_most THEN
        -- So many have to be looked at to fill the page, if the others are like these, and a third more for luck.
        people := CASE WHEN cardinality(ids) = 0 THEN NULL ELSE people * at_most / cardinality(ids) * 4 / 3 END;
        IF people <= 9000 THEN
            SELECT w.ids, w.looked INTO ids, seen FROM marketing_search_walk(patterns, before, people) w;
        END IF;
        IF people IS NULL OR people > 9000 OR (seen = people AND cardinality(ids) < at_most) THEN
            ids := ARRAY(SELECT marketing_search_contacts(words, before, 20000));
            seen := NULL;
        END IF;
    END IF;
    IF seen < people THEN seen := NULL; END IF;
    RETURN QUERY SELECT f, cardinality(ids)::bigint, seen FROM unnest(ids[1:at_most]) AS f;
END
$$;

REVOKE ALL ON FUNCTION marketing_search_contacts(text[], uuid, integer), marketing_search_walk(text[], uuid, integer),
    marketing_search_page(text[], uuid, integer) FROM PUBLIC;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'marketing_app') THEN
        GRANT EXECUTE ON FUNCTION marketing_search_contacts(text[], uuid, integer),
            marketing_search_page(text[], uuid, integer) TO marketing_app;
    END IF;
END
$$;
