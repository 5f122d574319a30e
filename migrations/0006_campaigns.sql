-- Campaigns: what is sent, to whom, when.

CREATE TABLE marketing_campaigns (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    type text NOT NULL DEFAULT 'one_time' CHECK (type IN ('one_time')),
    status text NOT NULL DEFAULT 'draft'
        CHECK (status IN ('draft', 'scheduled', 'sending', 'paused', 'sent', 'cancelled', 'failed')),
    -- {"listIds": […], "excludeListIds": […]}
    audience jsonb NOT NULL DEFAULT '{"listIds":[],"excludeListIds":[]}',
    subject text NOT NULL DEFAULT '',
    preview_text text NOT NULL DEFAULT '',
    body_mode text NOT NULL DEFAULT 'rich' CHECK (body_mode IN ('rich', 'html', 'markdown')),
    html text NOT NULL DEFAULT '',
    from_name text,
    from_email text,
    reply_to text,
    scheduled_at timestamptz,
    launched_at timestamptz,
    finished_at timestamptz,
    send_id uuid,
    version integer NOT NULL DEFAULT 1,
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX marketing_campaigns_newest ON marketing_campaigns (workspace_id, updated_at DESC, id DESC)
    WHERE deleted_at IS NULL;
CREATE INDEX marketing_campaigns_status ON marketing_campaigns (workspace_id, status) WHERE deleted_at IS NULL;
SELECT marketing_protect('marketing_campaigns');
