-- What rules ask of opens and clicks as one small number beside the key, in place of two texts: 1 a person's click, 2 a person's
-- open, 3 and 4 the same by a machine, 5 anything else. Up to 2: whoever opened, because a click shows an open too, where
-- images are off; up to 4: machines as well.
ALTER TABLE marketing_email_events ADD COLUMN hit smallint GENERATED ALWAYS AS (
    CASE kind WHEN 'click' THEN 1 WHEN 'open' THEN 2 ELSE 5 END
        + CASE WHEN class = 'human' OR kind NOT IN ('click', 'open') THEN 0 ELSE 2 END) STORED;
DROP INDEX marketing_email_events_by_contact;
CREATE INDEX marketing_email_events_by_contact ON marketing_email_events (workspace_id, contact_id, occurred_at)
    INCLUDE (hit, message_id);
