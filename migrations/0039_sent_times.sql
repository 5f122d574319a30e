-- When each person was handed a message: narrow rows in the order of people, where the ledger would have to be read as a
-- whole. Whatever sets `sent_at` of a message adds one.
CREATE TABLE marketing_sent_times (
    workspace_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    message_id uuid NOT NULL,
    PRIMARY KEY (workspace_id, contact_id, occurred_at, message_id)
) WITH (
    autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000,
    -- Reading it from the index alone asks that old rows are known to be seen by everybody.
    autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_insert_threshold = 1000);

-- The walls are down meanwhile, because the owner of the tables is in no workspace.
ALTER TABLE marketing_messages NO FORCE ROW LEVEL SECURITY;
ALTER TABLE marketing_engaged_contacts NO FORCE ROW LEVEL SECURITY;

INSERT INTO marketing_sent_times (workspace_id, contact_id, occurred_at, message_id)
SELECT workspace_id, contact_id, sent_at, id FROM marketing_messages WHERE sent_at IS NOT NULL;

-- Machines as well: who has a message that none but a machine opened first.
ALTER TABLE marketing_engaged_contacts DROP CONSTRAINT marketing_engaged_contacts_deed_check;
ALTER TABLE marketing_engaged_contacts ADD CONSTRAINT marketing_engaged_contacts_deed_check
    CHECK (deed IN ('opened', 'clicked', 'opened_by_machine', 'clicked_by_machine'));
INSERT INTO marketing_engaged_contacts (workspace_id, deed, contact_id)
SELECT DISTINCT m.workspace_id, d.deed, m.contact_id
FROM marketing_messages m
CROSS JOIN LATERAL (VALUES
    ('opened_by_machine', m.open_count + m.click_count > 0 AND m.opened_at IS NULL),
    ('clicked_by_machine', m.click_count > 0 AND m.clicked_at IS NULL)) d (deed, happened)
WHERE d.happened;

ALTER TABLE marketing_messages FORCE ROW LEVEL SECURITY;
ALTER TABLE marketing_engaged_contacts FORCE ROW LEVEL SECURITY;
SELECT marketing_protect('marketing_sent_times');
ANALYZE marketing_sent_times;
ANALYZE marketing_engaged_contacts;

-- Merging people and taking it back keep both tables themselves, with a statement each instead of one for each message.
DROP TRIGGER marketing_messages_moved ON marketing_messages;
DROP FUNCTION marketing_move_engagement();
