-- The audience: properties with types, companies, consent, events, and the note of what changed that segments live on.

-- What a property of people or companies holds. Values stand in the `properties` of the person or the company under `name`.
CREATE TABLE marketing_property_definitions (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    object text NOT NULL CHECK (object IN ('contact', 'company')),
    -- The key in `properties`, in imports, in Liquid and in the API: it never changes.
    name text NOT NULL,
    label text NOT NULL,
    type text NOT NULL CHECK (type IN ('text', 'longText', 'number', 'money', 'boolean', 'date', 'dateTime',
        'singleSelect', 'multiSelect', 'url')),
    group_name text NOT NULL DEFAULT '',
    position integer NOT NULL DEFAULT 0,
    required boolean NOT NULL DEFAULT false,
    default_value jsonb,
    description text NOT NULL DEFAULT '',
    -- [{"value": …, "label": …}]: values are stored and stay, labels may be renamed.
    options jsonb NOT NULL DEFAULT '[]',
    -- Whether values also stand in the table of property values, so that conditions find people by an index.
    speed text NOT NULL DEFAULT 'normal' CHECK (speed IN ('normal', 'building', 'fast')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX marketing_property_definitions_name ON marketing_property_definitions (workspace_id, object, name);
SELECT marketing_protect('marketing_property_definitions');

INSERT INTO marketing_property_definitions (workspace_id, id, object, name, label, type, created_at, updated_at)
SELECT workspace_id, gen_random_uuid(), 'contact', name, name, 'text', created_at, created_at
FROM marketing_contact_properties;

-- The values of fast properties, apart from the people: behind the workspace wall no index on an expression is used,
-- because the operators of jsonb are not leakproof; comparisons of text and double precision are. One row per value, so
-- several for a choice of many. Texts are cut at 200 characters and in lower case; days and moments are seconds since 1970, money is
-- its amount, yes is 1.
CREATE TABLE marketing_contact_property_values (
    workspace_id uuid NOT NULL,
    property_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    text_value text COLLATE "C",
    number_value double precision
);
CREATE INDEX marketing_contact_property_values_contact ON marketing_contact_property_values
    (workspace_id, contact_id, property_id);
CREATE INDEX marketing_contact_property_values_text ON marketing_contact_property_values
    (workspace_id, property_id, text_value, contact_id) WHERE text_value IS NOT NULL;
CREATE INDEX marketing_contact_property_values_number ON marketing_contact_property_values
    (workspace_id, property_id, number_value, contact_id) WHERE number_value IS NOT NULL;
SELECT marketing_protect('marketing_contact_property_values');

CREATE TABLE marketing_companies (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    -- Lower case, ASCII, without "www.": what people are matched by.
    domain text COLLATE "C",
    phone text COLLATE "C",
    website text,
    owner_id uuid,
    properties jsonb NOT NULL DEFAULT '{}',
    source text,
    contact_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (workspace_id, id)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX marketing_companies_domain ON marketing_companies (workspace_id, domain)
    WHERE deleted_at IS NULL AND domain IS NOT NULL;
CREATE INDEX marketing_companies_name ON marketing_companies (workspace_id, lower(name), id) WHERE deleted_at IS NULL;
SELECT marketing_protect('marketing_companies');

ALTER TABLE marketing_contacts
    ADD COLUMN company_id uuid,
    -- What the consent ledger says last; null when it says nothing.
    ADD COLUMN email_opt_in boolean,
    ADD COLUMN sms_opt_in boolean;
CREATE INDEX marketing_contacts_company ON marketing_contacts (workspace_id, company_id, id)
    WHERE deleted_at IS NULL AND company_id IS NOT NULL;

-- Static lists hold who was put on them, segments whom their rules find.
ALTER TABLE marketing_lists
    ADD COLUMN kind text NOT NULL DEFAULT 'static' CHECK (kind IN ('static', 'segment'));

-- Every decision about being written to, and its proof. Rows are never changed; the latest wins.
CREATE TABLE marketing_consents (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    -- Null once the person was erased; the hash of the address stays.
    contact_id uuid,
    address_hash bytea,
    channel text NOT NULL CHECK (channel IN ('email', 'sms', 'tracking', 'profiling')),
    -- "marketing" for everything, else the name of a topic.
    purpose text NOT NULL DEFAULT 'marketing',
    action text NOT NULL CHECK (action IN ('granted', 'confirmed', 'withdrawn', 'expired', 'imported', 'refused')),
    basis text,
    wording text,
    source text NOT NULL,
    actor text NOT NULL CHECK (actor IN ('contact', 'staff', 'system', 'provider')),
    actor_id uuid,
    evidence jsonb NOT NULL DEFAULT '{}',
    occurred_at timestamptz NOT NULL,
    expires_at timestamptz,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX marketing_consents_contact ON marketing_consents (workspace_id, contact_id, channel, purpose, occurred_at);
SELECT marketing_protect('marketing_consents');

-- What people did elsewhere, as the host product, the shop or the site tells it.
CREATE TABLE marketing_events (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    properties jsonb NOT NULL DEFAULT '{}',
    source text NOT NULL,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, occurred_at, id)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX marketing_events_by_contact ON marketing_events (workspace_id, contact_id, name, occurred_at);
CREATE INDEX marketing_events_by_name ON marketing_events (workspace_id, name, occurred_at, contact_id);
SELECT marketing_protect('marketing_events');
SELECT marketing_add_month_partition('marketing_events', (date_trunc('month', now()) + make_interval(months => m))::date)
FROM generate_series(-13, 2) AS m;

-- Which people changed in what, one row per statement that changed them, written in its transaction. Segments read and
-- remove the rows, oldest first. It is global: one look tells which workspaces have something to do.
CREATE TABLE marketing_audience_changes (
    workspace_id uuid NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    -- Null: anybody may have changed.
    contact_ids uuid[],
    -- Names of conditions: "email", "tags", "properties.plan", "company", "list", "consent", "sent", "opened", "clicked",
    -- "event.order placed"; empty: anything may have changed.
    fields text[] NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, position)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE marketing_audience_changes ALTER COLUMN contact_ids SET STORAGE EXTERNAL;
SELECT marketing_global('marketing_audience_changes');
