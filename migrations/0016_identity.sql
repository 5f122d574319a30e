-- Who a person is elsewhere, which old ids lead to them, who may be the same person, and which events came already.

-- What proves who a person is: the id of their account, their ids in other systems, and addresses they had before two
-- records were made one. The current address and number stand with the person.
CREATE TABLE marketing_contact_identities (
    workspace_id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('user', 'external', 'email', 'phone')),
    -- The system that gave the id, such as "serviceflow.customer"; empty where there is only one.
    source text COLLATE "C" NOT NULL DEFAULT '',
    value text COLLATE "C" NOT NULL,
    -- May be deleted: then the identity goes to whoever is found or made next.
    contact_id uuid NOT NULL,
    -- When the other system changed the person last, as it says: what comes later with an earlier time is stale.
    source_updated_at timestamptz,
    -- Whether the other system deleted the person.
    source_deleted boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, kind, source, value)
) WITH (fillfactor = 80);
CREATE INDEX marketing_contact_identities_contact ON marketing_contact_identities (workspace_id, contact_id, kind);
SELECT marketing_protect('marketing_contact_identities');

-- The ids of people who were merged into others. Chains are followed, so that undoing one merge leaves the others.
CREATE TABLE marketing_contact_aliases (
    workspace_id uuid NOT NULL,
    loser_id uuid NOT NULL,
    winner_id uuid NOT NULL,
    merge_id uuid NOT NULL,
    PRIMARY KEY (workspace_id, loser_id)
);
CREATE INDEX marketing_contact_aliases_winner ON marketing_contact_aliases (workspace_id, winner_id);
SELECT marketing_protect('marketing_contact_aliases');

-- Pairs of people who may be one. Each pair stands once, the smaller id first.
CREATE TABLE marketing_contact_duplicates (
    workspace_id uuid NOT NULL,
    first_id uuid NOT NULL,
    second_id uuid NOT NULL,
    reason text NOT NULL CHECK (reason IN ('identity', 'phone', 'company', 'email')),
    -- How sure, from 0 to 100.
    score integer NOT NULL,
    -- A pair that somebody found to be two people is not suggested again.
    dismissed_at timestamptz,
    found_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, first_id, second_id),
    CHECK (first_id < second_id)
);
CREATE INDEX marketing_contact_duplicates_second ON marketing_contact_duplicates (workspace_id, second_id);
CREATE INDEX marketing_contact_duplicates_open ON marketing_contact_duplicates
    (workspace_id, score DESC, first_id, second_id) WHERE dismissed_at IS NULL;
SELECT marketing_protect('marketing_contact_duplicates');

-- The ids that senders gave their events, hashed, so that a repeated event is recognised whatever else it says. The
-- events are partitioned by time, so they cannot hold a unique key of their own.
CREATE TABLE marketing_event_ids (
    workspace_id uuid NOT NULL,
    -- The first half of SHA-256.
    id_hash uuid NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id_hash)
);
CREATE INDEX marketing_event_ids_by_age ON marketing_event_ids (workspace_id, received_at);
SELECT marketing_protect('marketing_event_ids');
