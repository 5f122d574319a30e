-- What rules ask of everybody's events, opens and clicks is answered by an index alone, in the order of people.

-- Properties of events that fit beside the key of an index: nearly all. Long ones are read where they are.
ALTER TABLE marketing_events ADD COLUMN short_properties jsonb
    GENERATED ALWAYS AS (CASE WHEN octet_length(properties::text) <= 400 THEN properties END) STORED;
DROP INDEX marketing_events_by_name;
CREATE INDEX marketing_events_by_name ON marketing_events (workspace_id, name, contact_id, occurred_at)
    INCLUDE (short_properties);
CREATE INDEX marketing_events_long ON marketing_events (workspace_id, name, contact_id, occurred_at)
    WHERE short_properties IS NULL;

-- One index of all opens and clicks does for a person's own and for everybody's; clicks are few among them.
DROP INDEX marketing_email_events_by_kind;
DROP INDEX marketing_email_events_by_contact;
CREATE INDEX marketing_email_events_by_contact ON marketing_email_events (workspace_id, contact_id, occurred_at)
    INCLUDE (kind, class);
CREATE INDEX marketing_email_events_clicks ON marketing_email_events (workspace_id, contact_id, occurred_at)
    INCLUDE (class) WHERE kind = 'click';
