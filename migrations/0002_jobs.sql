-- The job queue, its schedules and the outbox. They are global: a worker serves all workspaces.

CREATE TABLE marketing_job_queue (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    lane text NOT NULL CHECK (lane IN ('transactional', 'bulk', 'maintenance')),
    -- All zeros when the job belongs to the portal itself.
    workspace_id uuid NOT NULL,
    -- At most one job of a kind with this key exists in a workspace.
    key text,
    payload jsonb NOT NULL,
    state text NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'running', 'dead')),
    attempts integer NOT NULL DEFAULT 0,
    max_attempts integer NOT NULL,
    run_at timestamptz NOT NULL,
    enqueued_at timestamptz NOT NULL,
    -- Who runs it, until when nobody else may, and how often it was handed out: a worker that wakes up late finds
    -- another fence and can settle nothing.
    worker text,
    leased_until timestamptz,
    fence bigint NOT NULL DEFAULT 0,
    -- It was enqueued once more while it ran: it starts again when it is done.
    again boolean NOT NULL DEFAULT false,
    last_error text,
    failed_at timestamptz
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 500);
CREATE UNIQUE INDEX marketing_job_queue_key ON marketing_job_queue (kind, workspace_id, key) WHERE key IS NOT NULL;
CREATE INDEX marketing_job_queue_ready ON marketing_job_queue (lane, workspace_id, run_at, id) WHERE state = 'ready';
CREATE INDEX marketing_job_queue_running ON marketing_job_queue (lane, workspace_id, leased_until)
    WHERE state = 'running';
CREATE INDEX marketing_job_queue_dead ON marketing_job_queue (failed_at, id) WHERE state = 'dead';
SELECT marketing_global('marketing_job_queue');

CREATE TABLE marketing_job_schedules (
    name text PRIMARY KEY,
    next_run_at timestamptz NOT NULL,
    last_run_at timestamptz
);
SELECT marketing_global('marketing_job_schedules');

-- What happened in a slice and higher slices want to know. Rows go when all subscribers have handled them.
CREATE TABLE marketing_outbox (
    workspace_id uuid NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    topic text NOT NULL,
    payload jsonb NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    last_error text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, position)
);
SELECT marketing_global('marketing_outbox');
