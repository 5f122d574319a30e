-- Searches that know what stands beside a dot, an at sign, a hyphen, an underscore or a plus sign.
--
-- pg_trgm begins a new word there, so of `xaver.n` it told `xaver` and "some word that begins with n": four times as many
-- people as have it, and all of them were looked at. Now these signs stand as letters that are rare in names, so that the
-- trigrams reach across. What an entry finds is compared with the text itself, so a text with the letter in place of the
-- sign is looked at and passed over.

DROP INDEX marketing_contact_search_text;

CREATE OR REPLACE FUNCTION marketing_search_keys(workspace uuid, content text) RETURNS bigint[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    seed bigint := uuid_hash_extended(workspace, 0);
BEGIN
    RETURN ARRAY(
        SELECT hashtextextended(trigram, seed) FROM unnest(show_trgm(translate(content, '.@-_+', 'qjxzq'))) AS trigram);
END
$$;

CREATE OR REPLACE FUNCTION marketing_search_word_keys(workspace uuid, words text[]) RETURNS bigint[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    seed bigint := uuid_hash_extended(workspace, 0);
    sure text[] := ARRAY(
        SELECT DISTINCT trigram
        FROM (SELECT translate(given, '.@-_+', 'qjxzq') AS word FROM unnest(words) AS given) w,
            unnest(show_trgm(word)) AS trigram
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

CREATE INDEX marketing_contact_search_text ON marketing_contact_search
    USING gin (marketing_search_keys(workspace_id, text)) WITH (fastupdate = on, gin_pending_list_limit = 65536);
