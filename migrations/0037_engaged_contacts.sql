-- Who ever opened a message or followed a link, machines left out: one narrow row for each person, where the ledger would
-- have to be read as a whole. A first open or click adds it with the ledger's own change.
CREATE TABLE marketing_engaged_contacts (
    workspace_id uuid NOT NULL,
    deed text COLLATE "C" NOT NULL CHECK (deed IN ('opened', 'clicked')),
    contact_id uuid NOT NULL,
    PRIMARY KEY (workspace_id, deed, contact_id)
) WITH (
    autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000,
    -- Reading it from the index alone asks that old rows are known to be seen by everybody.
    autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_insert_threshold = 1000);

-- Those of the ledger so far. The walls are down meanwhile, because the owner of the tables is in no workspace.
ALTER TABLE marketing_messages NO FORCE ROW LEVEL SECURITY;
INSERT INTO marketing_engaged_contacts (workspace_id, deed, contact_id)
SELECT DISTINCT m.workspace_id, d.deed, m.contact_id
FROM marketing_messages m
CROSS JOIN LATERAL (VALUES ('opened', m.opened_at), ('clicked', m.clicked_at)) d (deed, at)
WHERE d.at IS NOT NULL;
ALTER TABLE marketing_messages FORCE ROW LEVEL SECURITY;
SELECT marketing_protect('marketing_engaged_contacts');
ANALYZE marketing_engaged_contacts;

-- Messages that come to belong to somebody else take along what was done with them: by a merge, by undoing it, or by an
-- erasure.
CREATE FUNCTION marketing_move_engagement() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO marketing_engaged_contacts (workspace_id, deed, contact_id)
    SELECT NEW.workspace_id, d.deed, NEW.contact_id
    FROM (VALUES ('opened', NEW.opened_at), ('clicked', NEW.clicked_at)) d (deed, at) WHERE d.at IS NOT NULL
    ON CONFLICT DO NOTHING;
    DELETE FROM marketing_engaged_contacts e
    WHERE e.workspace_id = OLD.workspace_id AND e.contact_id = OLD.contact_id AND NOT EXISTS (
        SELECT FROM marketing_messages m
        WHERE m.workspace_id = OLD.workspace_id AND m.contact_id = OLD.contact_id
            AND CASE e.deed WHEN 'opened' THEN m.opened_at ELSE m.clicked_at END IS NOT NULL);
    RETURN NULL;
END
$$;
CREATE TRIGGER marketing_messages_moved AFTER UPDATE OF contact_id ON marketing_messages
    FOR EACH ROW WHEN (OLD.contact_id <> NEW.contact_id AND NEW.opened_at IS NOT NULL)
    EXECUTE FUNCTION marketing_move_engagement();
