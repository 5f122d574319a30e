-- Segments: lists whose members are found by a rule.

CREATE TABLE marketing_segments (
    workspace_id uuid NOT NULL,
    -- The list (kind 'segment') that holds the members.
    list_id uuid NOT NULL,
    -- `filterRules` as docs/segments.md describes them.
    rules jsonb NOT NULL,
    -- Names of changes that may change who matches (see marketing_audience_changes).
    fields text[] NOT NULL,
    -- The days of the workspace decide: who matches changes by itself at midnight.
    is_relative boolean NOT NULL,
    -- Grows with each change of the rules.
    version integer NOT NULL DEFAULT 1,
    state text NOT NULL DEFAULT 'filling' CHECK (state IN ('filling', 'live', 'broken')),
    -- Why it is broken, in words for people.
    problem text,
    filled_at timestamptz,
    -- The last full check, and how many people it found on the wrong side.
    checked_at timestamptz,
    check_differences integer,
    check_milliseconds integer,
    created_by uuid,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, list_id)
) WITH (fillfactor = 70);
SELECT marketing_protect('marketing_segments');

-- When a segment is to be looked at as a whole again: at the workspace's next midnight where its rule counts days. Global,
-- so that one look tells what is due anywhere.
CREATE TABLE marketing_segment_wakes (
    workspace_id uuid NOT NULL,
    list_id uuid NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, list_id)
);
CREATE INDEX marketing_segment_wakes_due ON marketing_segment_wakes (due_at);
SELECT marketing_global('marketing_segment_wakes');

-- Opens and clicks within a time, told from machines, without a look at the events themselves.
CREATE INDEX marketing_email_events_by_kind ON marketing_email_events (workspace_id, kind, occurred_at)
    INCLUDE (contact_id, class);
