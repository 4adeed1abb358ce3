-- Times are microseconds since 1970 (UTC), ids the 16 bytes of a UUID, aggregate types and kinds the numbers in the code.

CREATE TABLE events (
    position       INTEGER NOT NULL PRIMARY KEY,
    aggregate_type INTEGER NOT NULL,
    aggregate_id   BLOB    NOT NULL,
    version        INTEGER NOT NULL,
    event_type     TEXT    NOT NULL,
    event_version  INTEGER NOT NULL,
    event_data     BLOB    NOT NULL,
    metadata       TEXT,
    commit_id      BLOB    NOT NULL,
    recorded_at    INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX events_by_stream ON events (aggregate_id, aggregate_type, version);

-- A commit without events has position 0 twice.
CREATE TABLE commits (
    commit_id      BLOB    NOT NULL PRIMARY KEY,
    first_position INTEGER NOT NULL,
    last_position  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE deadlines (
    aggregate_id   BLOB    NOT NULL,
    aggregate_type INTEGER NOT NULL,
    kind           INTEGER NOT NULL,
    due_at         INTEGER NOT NULL,
    event_id       BLOB    NOT NULL,
    leased_until   INTEGER,
    PRIMARY KEY (aggregate_id, aggregate_type, kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX deadlines_by_due ON deadlines (due_at);

CREATE TABLE idempotency_records (
    user_id        BLOB    NOT NULL,
    key            TEXT    NOT NULL,
    fingerprint    BLOB    NOT NULL,
    answer         BLOB    NOT NULL,
    recorded_at    INTEGER NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT;

CREATE INDEX idempotency_records_by_time ON idempotency_records (recorded_at);
