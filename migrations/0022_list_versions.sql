-- Grows with each change of a list's name or description, so that two people cannot overwrite each other unseen. The
-- number of members is settled by itself and does not count.
ALTER TABLE marketing_lists ADD COLUMN version integer NOT NULL DEFAULT 1;
