-- Facts that could not be projected. They outlive a rebuild, which removes those that it could project.
CREATE TABLE dead_letters (
    projection     text        NOT NULL,
    position       bigint      NOT NULL,
    stream_id      uuid        NOT NULL,
    aggregate_type text        NOT NULL,
    version        bigint      NOT NULL,
    event_type     text        NOT NULL,
    event_version  integer     NOT NULL,
    event_data     bytea       NOT NULL,
    metadata       jsonb       NOT NULL,
    commit_id      uuid        NOT NULL,
    recorded_at    timestamptz NOT NULL,
    -- UTF-8; a text column takes no zero byte, and what a broken fact leads to may have one.
    reason         bytea       NOT NULL,
    parked_at      timestamptz NOT NULL,
    PRIMARY KEY (projection, position)
);

CREATE INDEX dead_letters_of_stream ON dead_letters (projection, stream_id, aggregate_type);
