-- Answers to requests that carried an Idempotency-Key, so that a repeated request has no second effect.

CREATE TABLE marketing_idempotency_keys (
    workspace_id uuid NOT NULL,
    -- Method and pattern, such as "POST /v1/contacts".
    route text NOT NULL,
    key text NOT NULL,
    -- Path and query as they were sent; with the body's hash they tell a repetition from another request.
    target text NOT NULL,
    created_at timestamptz NOT NULL,
    -- All null while the first request is still being answered.
    body_hash bytea,
    body_length bigint,
    status integer,
    -- Names and values in turn.
    headers text[],
    body bytea,
    PRIMARY KEY (workspace_id, route, key)
);
CREATE INDEX marketing_idempotency_keys_by_age ON marketing_idempotency_keys (workspace_id, created_at);
SELECT marketing_protect('marketing_idempotency_keys');
