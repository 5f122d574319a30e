-- Who did something so often is counted as neighbours pass by, in the order of people, in half the time.
DROP INDEX marketing_events_by_name;
CREATE INDEX marketing_events_by_name ON marketing_events (workspace_id, name, contact_id, occurred_at);
