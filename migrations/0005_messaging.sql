-- Messaging: senders, suppressions and the ledger of messages.

-- The id of a message (see MessageRouting.swift): 48 bits of milliseconds, version 7, 12 high bits of the workspace's routing
-- key, the variant, its 20 low bits, 32 bits of position, 10 random bits. to_hex of a negative bigint is its two's complement.
CREATE FUNCTION marketing_message_id(milliseconds bigint, routing_key bigint, place bigint, noise bigint)
RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (lpad(to_hex(milliseconds), 12, '0')
        || lpad(to_hex(28672 | ((routing_key >> 20) & 4095)), 4, '0')
        || to_hex((-9223372036854775808)::bigint
            | ((routing_key & 1048575) << 42) | ((place & 4294967295) << 10) | (noise & 1023)))::uuid
$$;

-- One row per address that must not get marketing mail. A lifted row stays as history.
CREATE TABLE marketing_suppressions (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    email_key text COLLATE "C" NOT NULL,
    reason text NOT NULL CHECK (reason IN ('unsubscribed', 'hard_bounce', 'complaint', 'manual')),
    source text NOT NULL,
    contact_id uuid,
    message_id uuid,
    detail text,
    created_at timestamptz NOT NULL DEFAULT now(),
    lifted_at timestamptz,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX marketing_suppressions_active ON marketing_suppressions (workspace_id, email_key)
    WHERE lifted_at IS NULL;
CREATE INDEX marketing_suppressions_newest ON marketing_suppressions (workspace_id, created_at DESC, id DESC);
SELECT marketing_protect('marketing_suppressions');

-- How a workspace sends e-mail. No row: the Outbox.
CREATE TABLE marketing_email_settings (
    workspace_id uuid PRIMARY KEY REFERENCES marketing_workspaces (id) ON DELETE CASCADE,
    provider text NOT NULL DEFAULT 'outbox' CHECK (provider IN ('outbox', 'smtp')),
    host text,
    port integer CHECK (port BETWEEN 1 AND 65535),
    encryption text NOT NULL DEFAULT 'starttls' CHECK (encryption IN ('none', 'starttls', 'tls')),
    username text,
    -- Sealed by SecretBox; the workspace is part of the seal.
    password bytea,
    connections integer NOT NULL DEFAULT 4 CHECK (connections BETWEEN 1 AND 64),
    rate_per_second integer CHECK (rate_per_second > 0),
    from_name text,
    from_email text,
    reply_to text,
    bounce_domain text,
    version integer NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
);
SELECT marketing_protect('marketing_email_settings');

-- One sending of one content to one audience.
CREATE TABLE marketing_sends (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    campaign_id uuid,
    state text NOT NULL CHECK (state IN ('sending', 'paused', 'sent', 'cancelled', 'failed')),
    -- Why it is paused or waits, in words for people.
    notice text,
    -- The prepared content and the audience: what is needed to render a message at any time.
    content jsonb NOT NULL,
    audience jsonb NOT NULL,
    snapshot_complete boolean NOT NULL DEFAULT false,
    recipients bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    sent bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    bounced bigint NOT NULL DEFAULT 0,
    uncertain bigint NOT NULL DEFAULT 0,
    retrying bigint NOT NULL DEFAULT 0,
    cancelled bigint NOT NULL DEFAULT 0,
    -- People who opened and clicked, machines left out, each once.
    opened bigint NOT NULL DEFAULT 0,
    clicked bigint NOT NULL DEFAULT 0,
    unsubscribed bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    first_sent_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (workspace_id, id)
) WITH (fillfactor = 50);
CREATE INDEX marketing_sends_campaign ON marketing_sends (workspace_id, campaign_id);
SELECT marketing_protect('marketing_sends');

-- How far the audience of a send was written to the ledger. Apart from the send's row, which every settlement updates.
CREATE TABLE marketing_send_snapshots (
    workspace_id uuid NOT NULL,
    send_id uuid NOT NULL,
    after_contact uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    next_position bigint NOT NULL DEFAULT 0,
    complete boolean NOT NULL DEFAULT false,
    PRIMARY KEY (workspace_id, send_id)
);
SELECT marketing_protect('marketing_send_snapshots');

-- The sends that some worker should look at, of all workspaces: few rows, gone when a send ends or pauses.
CREATE TABLE marketing_active_sends (
    workspace_id uuid NOT NULL,
    send_id uuid NOT NULL,
    wake_at timestamptz NOT NULL DEFAULT now(),
    -- How often in a row the mail server could not be reached.
    setbacks integer NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, send_id)
);
SELECT marketing_global('marketing_active_sends');

-- The ledger: one row per person and send, written once when the audience is fixed and once when the message is settled.
-- No index holds a column that changes, and pages keep room, so that updates stay on their page.
CREATE TABLE marketing_messages (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    send_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    occurrence integer NOT NULL DEFAULT 1,
    attempt integer NOT NULL DEFAULT 0,
    open_count integer NOT NULL DEFAULT 0,
    click_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    next_attempt_at timestamptz,
    sent_at timestamptz,
    delivered_at timestamptz,
    bounced_at timestamptz,
    opened_at timestamptz,
    clicked_at timestamptz,
    unsubscribed_at timestamptz,
    state text NOT NULL CHECK (state IN ('pending', 'sending', 'sent', 'delivered', 'retry', 'failed', 'bounced',
        'uncertain', 'skipped', 'cancelled')),
    email text,
    reason text,
    provider_response text,
    PRIMARY KEY (workspace_id, id),
    CONSTRAINT marketing_messages_once UNIQUE (workspace_id, send_id, contact_id, occurrence)
) WITH (fillfactor = 70);
CREATE INDEX marketing_messages_contact ON marketing_messages (workspace_id, contact_id, id);
SELECT marketing_protect('marketing_messages');

-- Stretches of the ledger that one dispatcher takes at a time. A batch of retries names its messages.
CREATE TABLE marketing_send_batches (
    workspace_id uuid NOT NULL,
    send_id uuid NOT NULL,
    id uuid NOT NULL,
    first_id uuid NOT NULL,
    last_id uuid NOT NULL,
    ids uuid[],
    size integer NOT NULL,
    state text NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'claimed', 'done')),
    not_before timestamptz,
    fence bigint NOT NULL DEFAULT 0,
    claimed_by text,
    leased_until timestamptz,
    settled_at timestamptz,
    PRIMARY KEY (workspace_id, send_id, id)
) WITH (fillfactor = 70);
CREATE INDEX marketing_send_batches_open ON marketing_send_batches (workspace_id, send_id, state, id)
    WHERE state <> 'done';
SELECT marketing_protect('marketing_send_batches');

-- The tracked links of a send.
CREATE TABLE marketing_links (
    workspace_id uuid NOT NULL,
    send_id uuid NOT NULL,
    number integer NOT NULL,
    url text NOT NULL,
    PRIMARY KEY (workspace_id, send_id, number)
);
SELECT marketing_protect('marketing_links');

-- What the built-in Outbox "delivered": readable in the portal, sent nowhere.
CREATE TABLE marketing_outbox_messages (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    send_id uuid,
    recipient text NOT NULL,
    subject text NOT NULL,
    raw bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, id)
);
SELECT marketing_protect('marketing_outbox_messages');
