-- Which log this is, which life of it, and which generation of facts every build that works on it can read: one row. The
-- id is minted once, a UUID of version 4.
CREATE TABLE log (
    id           INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    log_id       BLOB    NOT NULL,
    incarnation  INTEGER NOT NULL DEFAULT 1,
    schema_floor INTEGER NOT NULL DEFAULT 1
) STRICT;

INSERT INTO log (id, log_id) VALUES (1, unhex(
    hex(randomblob(6))
    || '4' || substr(hex(randomblob(2)), 2)
    || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2)
    || hex(randomblob(6))
));

-- The lane of an event. Until now the first event of a stream told it: the stream of a catalog is its lane, and all
-- others begin with the event on sale that they are of. An event without a lane ends the migration, and all is as it was.
CREATE TABLE events_with_lanes (
    position       INTEGER NOT NULL PRIMARY KEY,
    aggregate_type INTEGER NOT NULL,
    aggregate_id   BLOB    NOT NULL,
    version        INTEGER NOT NULL,
    event_type     TEXT    NOT NULL,
    event_version  INTEGER NOT NULL,
    event_data     BLOB    NOT NULL,
    metadata       TEXT,
    commit_id      BLOB    NOT NULL,
    recorded_at    INTEGER NOT NULL,
    lane_kind      INTEGER NOT NULL,
    lane_id        BLOB    NOT NULL
) STRICT;

WITH lanes (aggregate_id, aggregate_type, lane_id) AS MATERIALIZED (
    SELECT aggregate_id, aggregate_type,
           CASE aggregate_type
               WHEN 1 THEN aggregate_id
               ELSE unhex(replace(CAST(event_data AS TEXT) ->> 'event_id', '-', ''))
           END
    FROM events
    WHERE version = 1
)
INSERT INTO events_with_lanes
SELECT event.position, event.aggregate_type, event.aggregate_id, event.version, event.event_type, event.event_version,
       event.event_data, event.metadata, event.commit_id, event.recorded_at, 1, lane.lane_id
FROM events AS event
LEFT JOIN lanes AS lane USING (aggregate_id, aggregate_type)
ORDER BY event.position;

DROP TABLE events;
ALTER TABLE events_with_lanes RENAME TO events;
CREATE UNIQUE INDEX events_by_stream ON events (aggregate_id, aggregate_type, version);
-- A lane in the order of positions, which every index has behind its columns.
CREATE INDEX events_by_lane ON events (lane_id);

-- What set a deadline stands beside it; of those that are set already nobody knows.
ALTER TABLE deadlines RENAME COLUMN event_id TO lane_id;
ALTER TABLE deadlines ADD COLUMN lane_kind INTEGER NOT NULL DEFAULT 1;
ALTER TABLE deadlines ADD COLUMN cause TEXT;
