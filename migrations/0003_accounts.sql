-- Workspaces, the people who work in them, and how they prove who they are.
-- These tables are global: they are small, and signing in has to read them before any workspace is known.

CREATE TABLE marketing_workspaces (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    -- A random number that travels inside message ids, so that an open or a click finds its workspace without a lookup.
    routing_key integer NOT NULL UNIQUE,
    time_zone text NOT NULL DEFAULT 'UTC',
    locale text NOT NULL DEFAULT 'en',
    postal_address text NOT NULL DEFAULT '',
    brand_name text NOT NULL DEFAULT '',
    brand_color text NOT NULL DEFAULT '',
    brand_logo text NOT NULL DEFAULT '',
    track_opens boolean NOT NULL DEFAULT true,
    track_clicks boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
SELECT marketing_global('marketing_workspaces');

CREATE TABLE marketing_users (
    id uuid PRIMARY KEY,
    email text NOT NULL,
    email_key text NOT NULL UNIQUE,
    name text NOT NULL,
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz
);
SELECT marketing_global('marketing_users');

CREATE TABLE marketing_memberships (
    workspace_id uuid NOT NULL REFERENCES marketing_workspaces (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES marketing_users (id) ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'editor', 'viewer')),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX marketing_memberships_by_user ON marketing_memberships (user_id, created_at);
SELECT marketing_global('marketing_memberships');

-- Only the hash of a session's token is kept: whoever reads this table cannot sign in with it.
CREATE TABLE marketing_sessions (
    token_hash bytea PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES marketing_users (id) ON DELETE CASCADE,
    workspace_id uuid NOT NULL REFERENCES marketing_workspaces (id) ON DELETE CASCADE,
    user_agent text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX marketing_sessions_by_user ON marketing_sessions (user_id);
CREATE INDEX marketing_sessions_by_expiry ON marketing_sessions (expires_at);
SELECT marketing_global('marketing_sessions');

CREATE TABLE marketing_invitations (
    workspace_id uuid NOT NULL REFERENCES marketing_workspaces (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    email text NOT NULL,
    email_key text NOT NULL,
    role text NOT NULL CHECK (role IN ('admin', 'editor', 'viewer')),
    token_hash bytea NOT NULL UNIQUE,
    invited_by uuid NOT NULL REFERENCES marketing_users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    closed_at timestamptz,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX marketing_invitations_open ON marketing_invitations (workspace_id, email_key) WHERE closed_at IS NULL;
SELECT marketing_global('marketing_invitations');

CREATE TABLE marketing_password_resets (
    token_hash bytea PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES marketing_users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
SELECT marketing_global('marketing_password_resets');

-- Failed tries to sign in, by account and by address; the key is a hash of either.
CREATE TABLE marketing_login_failures (
    key bytea PRIMARY KEY,
    failures integer NOT NULL,
    blocked_until timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
SELECT marketing_global('marketing_login_failures');

CREATE TABLE marketing_audit_log (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    actor_id uuid,
    actor_name text NOT NULL,
    action text NOT NULL,
    subject text,
    href text,
    details jsonb NOT NULL DEFAULT '{}',
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
SELECT marketing_protect('marketing_audit_log');
