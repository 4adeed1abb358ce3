-- What long streams come to, so that nobody reads them from the beginning. Any row can be deleted at any time.
CREATE TABLE snapshots (
    aggregate_id   BLOB    NOT NULL,
    aggregate_type INTEGER NOT NULL,
    format         INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    -- Wrote the event of that version. If the log shows another there, the snapshot is of a past that it has lost.
    commit_id      BLOB    NOT NULL,
    state          BLOB    NOT NULL,
    PRIMARY KEY (aggregate_id, aggregate_type, format)
) STRICT;
