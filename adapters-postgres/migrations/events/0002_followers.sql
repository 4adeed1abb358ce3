-- Who follows the log on behalf of all processes, and how far.
CREATE TABLE followers (
    name         text        NOT NULL PRIMARY KEY,
    position     bigint      NOT NULL DEFAULT 0,
    worker       uuid,
    turn_ends_at timestamptz
);
