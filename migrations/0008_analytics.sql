-- How many people a workspace had at the end of each of its days: what the growth chart reads, so that it never counts
-- people. Written every hour; the last entry of a day stays.
CREATE TABLE marketing_contact_counts (
    workspace_id uuid NOT NULL,
    day date NOT NULL,
    contact_count bigint NOT NULL,
    PRIMARY KEY (workspace_id, day)
);
SELECT marketing_protect('marketing_contact_counts');
