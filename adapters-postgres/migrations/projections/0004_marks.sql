-- Of which log the rows are, and which commit wrote the fact at the position. All zeros say that no log has claimed them;
-- the first one that has the position does.
ALTER TABLE read_models.checkpoint
    ADD COLUMN log_id    uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    ADD COLUMN commit_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
