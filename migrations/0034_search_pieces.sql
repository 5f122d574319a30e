-- Searches by pieces of four characters instead of three.
--
-- Two trigrams of a word that nobody has may each name one person in forty, and reading both lists took longer than the
-- rest of the page. Pieces of four characters name so few that a rare word costs a tenth, the index stays as large as it
-- was, and making its entries takes no longer.
--
-- And searches find names that begin with a capital beyond ASCII: numbers are compared byte by byte, and so were the texts
-- that they are part of, in which `Ø` and `И` then stayed as they are. Accents that are characters of their own are found.

DROP INDEX marketing_contact_search_text;

-- A text as it is looked for: in small letters, and letters with their accents as one character, as keyboards type them;
-- files of some systems have two. An i without a dot is one with, whose capital it has in most languages.
CREATE FUNCTION marketing_search_folded(content text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN octet_length(content) = length(content) THEN lower(content COLLATE "C") COLLATE "default"
        ELSE translate(lower(normalize(content) COLLATE "default"), 'ı', 'i') END;

-- What a person is found by.
CREATE FUNCTION marketing_search_text(first_name text, last_name text, email text, phone text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN marketing_search_folded(concat_ws(' ', first_name, last_name, email, phone));

UPDATE marketing_contact_search SET text = marketing_search_folded(text)
WHERE octet_length(text) > length(text) AND text <> marketing_search_folded(text);

-- The entries of a text: of each of its words the pieces of four characters, and the last three with the blank behind them,
-- hashed with the workspace. In words with letters beyond ASCII any three stand with a blank behind them too. Hashes may
-- collide, so what an entry finds is compared with the text afterwards. (Without SET, which would cost as much as the rest.)
CREATE OR REPLACE FUNCTION marketing_search_keys(workspace uuid, content text) RETURNS bigint[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY(
        SELECT hashtextextended(substr(word, place, 4), uuid_hash_extended(workspace, 0))
        FROM (
            SELECT given || ' ' AS word, generate_series(1, length(given) - 2) AS place
            FROM unnest(string_to_array(content, ' ')) AS given
        ) pieces
        UNION ALL
        SELECT hashtextextended(substr(word, place, 3) || ' ', uuid_hash_extended(workspace, 0))
        FROM (
            SELECT given AS word, generate_series(1, length(given) - 3) AS place
            FROM unnest(string_to_array(content, ' ')) AS given
            WHERE octet_length(given) > length(given)
        ) beginnings
    );

-- The entries that every text with all these words in it has: of each word of four characters or more the pieces that
-- stand one behind the other, and the last. Empty when all words are shorter.
CREATE OR REPLACE FUNCTION marketing_search_word_keys(workspace uuid, words text[]) RETURNS bigint[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    seed bigint := uuid_hash_extended(workspace, 0);
BEGIN
    RETURN ARRAY(
        SELECT hashtextextended(substr(word, least(place, length(word) - 3), 4), seed)
        FROM (
            SELECT given AS word, generate_series(1, length(given), 4) AS place FROM unnest(words) AS given
            WHERE length(given) > 3
        ) pieces);
END
$$;

-- The entries of which every text with these three characters in it has one: they have a character of ASCII behind them (no
-- capital, texts are in small letters), end a word, or stand in one with letters beyond ASCII.
CREATE FUNCTION marketing_search_any_keys(workspace uuid, three text) RETURNS bigint[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    seed bigint := uuid_hash_extended(workspace, 0);
BEGIN
    RETURN ARRAY(
        SELECT hashtextextended(three || chr(code), seed) FROM generate_series(1, 127) AS code
        WHERE code NOT BETWEEN ascii('A') AND ascii('Z'));
END
$$;

-- The people of the workspace with all these words among names, address and number, by the index; newest first. Words have
-- no blanks in them. Starting helpers would take longer than most searches.
CREATE OR REPLACE FUNCTION marketing_search_contacts(words text[], before uuid, at_most integer) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
    workspace uuid := marketing_workspace();
    keys bigint[] := marketing_search_word_keys(workspace, words);
    first_word text := words[1];
    others text[] := ARRAY(SELECT marketing_search_pattern(word) FROM unnest(words[2:]) AS word);
    three text;
BEGIN
    IF cardinality(keys) > 0 THEN
        RETURN QUERY WITH found AS MATERIALIZED (
            SELECT s.workspace_id, s.contact_id FROM marketing_contact_search s
            WHERE marketing_search_keys(s.workspace_id, s.text) @> keys AND strpos(s.text, first_word) > 0
                AND s.text LIKE ALL (others)
        )
        SELECT f.contact_id FROM found f
        WHERE f.workspace_id = workspace AND (before IS NULL OR f.contact_id < before)
        ORDER BY f.contact_id DESC LIMIT at_most;
        RETURN;
    END IF;
    SELECT word INTO three FROM unnest(words) AS word WHERE length(word) = 3 LIMIT 1;
    -- Without an entry to begin with, everybody would have to be looked at.
    IF three IS NULL THEN RETURN; END IF;
    keys := marketing_search_any_keys(workspace, three);
    RETURN QUERY WITH found AS MATERIALIZED (
        SELECT s.workspace_id, s.contact_id FROM marketing_contact_search s
        WHERE marketing_search_keys(s.workspace_id, s.text) && keys AND strpos(s.text, first_word) > 0
            AND s.text LIKE ALL (others)
    )
    SELECT f.contact_id FROM found f
    WHERE f.workspace_id = workspace AND (before IS NULL OR f.contact_id < before)
    ORDER BY f.contact_id DESC LIMIT at_most;
END
$$;

-- As before, but for the text of those who wait to be indexed.
CREATE OR REPLACE FUNCTION marketing_search_walk(
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
            SELECT c.id, c.deleted_at, marketing_search_text(c.first_name, c.last_name, c.email, c.phone) AS text
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

CREATE INDEX marketing_contact_search_text ON marketing_contact_search
    USING gin (marketing_search_keys(workspace_id, text)) WITH (fastupdate = on, gin_pending_list_limit = 65536);
