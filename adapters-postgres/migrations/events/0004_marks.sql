-- A follower is one of one log and of one generation, and remembers which commit wrote the fact where it stands.
ALTER TABLE followers
    ALTER COLUMN position DROP NOT NULL,
    ALTER COLUMN position DROP DEFAULT,
    ADD COLUMN log_id     uuid,
    ADD COLUMN generation integer NOT NULL DEFAULT 1,
    ADD COLUMN commit_id  uuid;

UPDATE followers SET log_id = (SELECT log_id FROM log_head);

-- Who stands beyond the end of the log has a position of a past that is gone, and begins again.
UPDATE followers SET commit_id = commits.commit_id
FROM events AS commits
WHERE commits.position = followers.position;

UPDATE followers SET position = NULL WHERE commit_id IS NULL;

ALTER TABLE followers
    ALTER COLUMN log_id SET NOT NULL,
    ALTER COLUMN generation DROP DEFAULT,
    ADD CHECK ((position IS NULL) = (commit_id IS NULL)),
    DROP CONSTRAINT followers_pkey,
    ADD PRIMARY KEY (log_id, name, generation);
