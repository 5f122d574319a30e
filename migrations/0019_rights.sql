-- Decisions about consent that were written down by mistake, and contacts of whom nothing is heard any more.

-- Undoing an import takes back what it claimed. The ledger is only added to, so that is a row of its own: it names the
-- decision that no longer counts.
ALTER TABLE marketing_consents ADD COLUMN retracts uuid;
ALTER TABLE marketing_consents DROP CONSTRAINT marketing_consents_action_check;
ALTER TABLE marketing_consents ADD CONSTRAINT marketing_consents_action_check CHECK (
    action IN ('granted', 'confirmed', 'withdrawn', 'expired', 'imported', 'refused', 'retracted')
    AND (action = 'retracted') = (retracts IS NOT NULL));
CREATE UNIQUE INDEX marketing_consents_retracts ON marketing_consents (workspace_id, retracts)
    WHERE retracts IS NOT NULL;

-- Since when nothing was heard of somebody: they opened, clicked, did and decided nothing for as long as the workspace's
-- settings say. Null: they are active, or new.
ALTER TABLE marketing_contacts ADD COLUMN inactive_since timestamptz;
CREATE INDEX marketing_contacts_inactive ON marketing_contacts (workspace_id, id)
    WHERE inactive_since IS NOT NULL AND deleted_at IS NULL;
