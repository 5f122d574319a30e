-- Searches that look at less: a walk goes on where the first look ended, and the index is asked for fewer entries.

-- The entries that every text with all these words in it has: the trigrams that stand one behind the other, and the last.
-- Those that overlap them name nearly the same people, and reading their lists costs more than it saves. Words without
-- three letters or digits in a row fall back to what is sure at their ends. Empty when nothing is.
CREATE OR REPLACE FUNCTION marketing_search_word_keys(workspace uuid, words text[]) RETURNS bigint[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    seed bigint := uuid_hash_extended(workspace, 0);
    keys bigint[] := '{}';
    word text;
    piece text;
    place integer;
BEGIN
    FOREACH word IN ARRAY words LOOP
        word := translate(word, '.@-_+', 'qjxzq');
        place := 1;
        WHILE place <= length(word) LOOP
            piece := substr(word, greatest(1, least(place, length(word) - 2)), 3);
            keys := keys || ARRAY(
                SELECT hashtextextended(trigram, seed) FROM unnest(show_trgm('a' || piece || 'a')) AS trigram
                WHERE trigram = ANY (show_trgm('b' || piece || 'b')) AND left(trigram, 2) <> '  ');
            place := place + 3;
        END LOOP;
    END LOOP;
    IF cardinality(keys) > 0 THEN RETURN keys; END IF;
    RETURN ARRAY(
        SELECT DISTINCT hashtextextended(trigram, seed)
        FROM (SELECT translate(given, '.@-_+', 'qjxzq') AS whole FROM unnest(words) AS given) w,
            unnest(show_trgm(whole)) AS trigram
        WHERE trigram = ANY (show_trgm('a' || whole || 'a')) AND trigram = ANY (show_trgm('b' || whole || 'b')));
END
$$;

-- The people of the workspace with all these words among names, address and number, by the index; newest first.
CREATE OR REPLACE FUNCTION marketing_search_contacts(words text[], before uuid, at_most integer) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
AS $$
DECLARE
    workspace uuid := marketing_workspace();
    keys bigint[] := marketing_search_word_keys(workspace, words);
    first_word text := words[1];
    others text[] := ARRAY(SELECT marketing_search_pattern(word) FROM unnest(words[2:]) AS word);
BEGIN
    -- Without an entry to begin with, everybody would have to be looked at.
    IF cardinality(keys) = 0 THEN RETURN; END IF;
    RETURN QUERY WITH found AS MATERIALIZED (
        SELECT s.workspace_id, s.contact_id FROM marketing_contact_search s
        WHERE marketing_search_keys(s.workspace_id, s.text) @> keys AND strpos(s.text, first_word) > 0
            AND s.text LIKE ALL (others)
    )
    SELECT f.contact_id FROM found f
    WHERE f.workspace_id = workspace AND (before IS NULL OR f.contact_id < before)
    ORDER BY f.contact_id DESC LIMIT at_most;
END
$$;

-- How many of so many people, newest first, have the words, who they are, and who was the last that was looked at: `looked`
-- is smaller than asked for when there are no more people. The table of texts is read eight times as fast as people, but
-- does not know yet whom an import has just made.
DROP FUNCTION marketing_search_walk(text[], uuid, integer);
CREATE FUNCTION marketing_search_walk(
    words text[], before uuid, people integer, OUT ids uuid[], OUT looked bigint, OUT last uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
AS $$
DECLARE
    workspace uuid := marketing_workspace();
    start uuid := coalesce(before, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
    everybody uuid[];
    first_word text := words[1];
    others text[] := ARRAY(SELECT marketing_search_pattern(word) FROM unnest(words[2:]) AS word);
BEGIN
    IF EXISTS (SELECT FROM marketing_contact_totals t WHERE t.workspace_id = workspace AND t.unindexed_count > 0) THEN
        SELECT array_agg(w.id)
            FILTER (WHERE w.deleted_at IS NULL AND strpos(w.text, first_word) > 0 AND w.text LIKE ALL (others)),
            array_agg(w.id)
        INTO ids, everybody
        FROM (
            SELECT c.id, c.deleted_at, lower(concat_ws(' ', c.first_name, c.last_name, c.email, c.phone)) AS text
            FROM marketing_contacts c WHERE c.workspace_id = workspace AND c.id < start
            ORDER BY c.id DESC LIMIT people
        ) w;
    ELSE
        SELECT array_agg(w.contact_id) FILTER (WHERE strpos(w.text, first_word) > 0 AND w.text LIKE ALL (others)),
            array_agg(w.contact_id)
        INTO ids, everybody
        FROM (
            SELECT s.contact_id, s.text FROM marketing_contact_search s
            WHERE s.workspace_id = workspace AND s.contact_id < start ORDER BY s.contact_id DESC LIMIT people
        ) w;
    END IF;
    ids := coalesce(ids, '{}');
    looked := coalesce(cardinality(everybody), 0);
    last := everybody[looked];
END
$$;

-- The newest people with all these words. Common words fill a page from the newest people, rare ones are looked up; a first
-- look at a few of the newest tells which it will be, and the second goes on behind it. With each id come the number of
-- people looked at and how many of them have the words: a share, or all there are when `looked` is null.
CREATE OR REPLACE FUNCTION marketing_search_page(words text[], before uuid, at_most integer)
    RETURNS TABLE (id uuid, found bigint, looked bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    people integer := 500;
    more integer;
    ids uuid[];
    others uuid[];
    last uuid;
    seen bigint;
    seen_more bigint;
BEGIN
    SELECT w.ids, w.looked, w.last INTO ids, seen, last FROM marketing_search_walk(words, before, people) w;
    IF seen = people AND cardinality(ids) < at_most THEN
        -- So many have to be looked at to fill the page, if the others are like these, and a third more for luck.
        more := CASE WHEN cardinality(ids) > 0 THEN people * at_most / cardinality(ids) * 4 / 3 - people END;
        IF more <= 8500 THEN
            SELECT w.ids, w.looked INTO others, seen_more FROM marketing_search_walk(words, last, more) w;
            ids := ids || others;
            seen := seen + seen_more;
        END IF;
        IF seen_more < more THEN
            seen := NULL;
        ELSIF seen_more IS NULL OR cardinality(ids) < at_most THEN
            ids := ARRAY(SELECT marketing_search_contacts(words, before, 20000));
            seen := NULL;
        END IF;
    ELSIF seen < people THEN
        seen := NULL;
    END IF;
    RETURN QUERY SELECT f, cardinality(ids)::bigint, seen FROM unnest(ids[1:at_most]) AS f;
END
$$;

REVOKE ALL ON FUNCTION marketing_search_walk(text[], uuid, integer) FROM PUBLIC;
