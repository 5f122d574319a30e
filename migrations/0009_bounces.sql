-- Bounces that come back by mail, and addresses that bounce softly again and again.

ALTER TABLE marketing_suppressions DROP CONSTRAINT marketing_suppressions_reason_check;
ALTER TABLE marketing_suppressions ADD CONSTRAINT marketing_suppressions_reason_check
    CHECK (reason IN ('unsubscribed', 'hard_bounce', 'soft_bounce', 'complaint', 'manual'));

-- What happened before somebody lifted a suppression does not count against the address any more.
CREATE INDEX marketing_suppressions_lifted ON marketing_suppressions (workspace_id, email_key)
    WHERE lifted_at IS NOT NULL;
