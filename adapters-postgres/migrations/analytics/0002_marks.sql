-- Of which log the facts are, and which commit wrote the one at the position. All zeros say that no log has claimed them.
ALTER TABLE checkpoint
    ADD COLUMN log_id    uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    ADD COLUMN commit_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
