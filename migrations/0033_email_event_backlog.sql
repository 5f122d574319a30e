-- Opens and clicks that came in many at a time: stored, and counted a moment later. One row for each group, because a row
-- with arrays costs what a row for one event would. It is global: one look tells which workspaces have something to do.
CREATE TABLE marketing_email_event_backlog (
    workspace_id uuid NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    -- The event at each place of the arrays has the columns of marketing_email_events.
    ids uuid[] NOT NULL,
    message_ids uuid[] NOT NULL,
    kinds text[] NOT NULL,
    link_numbers integer[] NOT NULL,
    urls text[] NOT NULL,
    times timestamptz[] NOT NULL,
    classes text[] NOT NULL,
    class_reasons text[] NOT NULL,
    user_agents text[] NOT NULL,
    networks text[] NOT NULL,
    humans boolean[] NOT NULL,
    PRIMARY KEY (workspace_id, position)
) WITH (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);
-- Nobody reads it twice: packing would cost more than it saves.
ALTER TABLE marketing_email_event_backlog
    ALTER COLUMN ids SET STORAGE EXTERNAL, ALTER COLUMN message_ids SET STORAGE EXTERNAL,
    ALTER COLUMN kinds SET STORAGE EXTERNAL, ALTER COLUMN link_numbers SET STORAGE EXTERNAL,
    ALTER COLUMN urls SET STORAGE EXTERNAL, ALTER COLUMN times SET STORAGE EXTERNAL,
    ALTER COLUMN classes SET STORAGE EXTERNAL, ALTER COLUMN class_reasons SET STORAGE EXTERNAL,
    ALTER COLUMN user_agents SET STORAGE EXTERNAL, ALTER COLUMN networks SET STORAGE EXTERNAL,
    ALTER COLUMN humans SET STORAGE EXTERNAL;
SELECT marketing_global('marketing_email_event_backlog');
