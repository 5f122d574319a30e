-- A person's data out and away, how long things are kept, and the library of templates.

-- What a workspace chose about privacy. No row: the defaults, and nobody was ever erased.
CREATE TABLE marketing_privacy_settings (
    workspace_id uuid PRIMARY KEY,
    -- The key of the hashes that stay of erased addresses, sealed by SecretBox. It never changes: old hashes must be found.
    hash_key bytea,
    -- Days by kind of data; what is not named has its default.
    retention jsonb NOT NULL DEFAULT '{}',
    -- While a reason stands here, nothing is purged.
    hold_reason text,
    held_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL
);
SELECT marketing_protect('marketing_privacy_settings');

-- The data of one person in a file, for the person.
CREATE TABLE marketing_person_exports (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('queued', 'done', 'failed', 'expired')),
    file_name text,
    byte_count bigint NOT NULL DEFAULT 0,
    sha256 bytea,
    downloads integer NOT NULL DEFAULT 0,
    requested_by uuid,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    expires_at timestamptz,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX marketing_person_exports_contact ON marketing_person_exports (workspace_id, contact_id, id);
CREATE INDEX marketing_person_exports_expiring ON marketing_person_exports (workspace_id, expires_at)
    WHERE status = 'done';
SELECT marketing_protect('marketing_person_exports');

-- Erasing one person: who asked, why, how far it is, and what was done. The contact's id says nothing of a person who is
-- gone; the replacement takes its place where counts need one, and is forgotten when the work is checked.
CREATE TABLE marketing_erasures (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    replacement_id uuid,
    status text NOT NULL CHECK (status IN ('queued', 'running', 'done')),
    reason text NOT NULL,
    requested_by uuid,
    requested_at timestamptz NOT NULL,
    finished_at timestamptz,
    checked_at timestamptz,
    -- Table by table what was deleted or changed.
    outcome jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX marketing_erasures_contact ON marketing_erasures (workspace_id, contact_id);
SELECT marketing_protect('marketing_erasures');

-- What the nightly purge removed.
CREATE TABLE marketing_purge_runs (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    counts jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (workspace_id, id)
);
SELECT marketing_protect('marketing_purge_runs');

-- Reusable e-mails and text messages. What a version says never changes; saving adds one.
CREATE TABLE marketing_templates (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('email', 'sms')),
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    -- The number of the newest version.
    version integer NOT NULL DEFAULT 1,
    created_by uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX marketing_templates_newest ON marketing_templates (workspace_id, updated_at DESC, id DESC)
    WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX marketing_templates_name ON marketing_templates (workspace_id, kind, lower(name))
    WHERE deleted_at IS NULL;
SELECT marketing_protect('marketing_templates');

CREATE TABLE marketing_template_versions (
    workspace_id uuid NOT NULL,
    template_id uuid NOT NULL,
    number integer NOT NULL,
    subject text NOT NULL DEFAULT '',
    preview_text text NOT NULL DEFAULT '',
    body_mode text NOT NULL DEFAULT 'rich' CHECK (body_mode IN ('rich', 'html', 'markdown', 'text')),
    body text NOT NULL DEFAULT '',
    note text NOT NULL DEFAULT '',
    created_by uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, template_id, number)
);
SELECT marketing_protect('marketing_template_versions');
