-- Opens and clicks as they came in, machines included; `class` says who seems to be behind each.
CREATE TABLE marketing_email_events (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    message_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    kind text NOT NULL,
    link_number smallint,
    url text,
    occurred_at timestamptz NOT NULL,
    class text NOT NULL,
    class_reason text NOT NULL,
    user_agent text NOT NULL,
    network text NOT NULL,
    PRIMARY KEY (workspace_id, occurred_at, id)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX marketing_email_events_by_message ON marketing_email_events (workspace_id, message_id);
CREATE INDEX marketing_email_events_by_contact ON marketing_email_events (workspace_id, contact_id, occurred_at);
SELECT marketing_protect('marketing_email_events');
SELECT marketing_add_month_partition('marketing_email_events', (date_trunc('month', now()) + make_interval(months => m))::date)
FROM generate_series(-1, 2) AS m;
