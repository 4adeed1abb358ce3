-- What long streams come to, so that nobody reads them from the beginning. Any row can be deleted at any time.
CREATE TABLE snapshots (
    version        bigint   NOT NULL,
    format         integer  NOT NULL,
    aggregate_type smallint NOT NULL,
    stream_id      uuid     NOT NULL,
    -- Wrote the event of that version. If the log shows another there, the snapshot is of a past that it has lost.
    commit_id      uuid     NOT NULL,
    state          bytea    NOT NULL,
    PRIMARY KEY (stream_id, aggregate_type, format)
);
-- Mostly ids, which nothing makes shorter.
ALTER TABLE snapshots ALTER COLUMN state SET STORAGE EXTERNAL;

-- The snapshots of these streams, each in its format, that the log confirms.
CREATE FUNCTION latest_snapshots_v1(types smallint[], streams uuid[], formats integer[]) RETURNS SETOF snapshots
LANGUAGE plpgsql STABLE
-- Tables grow from nothing within one on-sale, faster than their statistics: plans are made once and use the indexes.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
    RETURN QUERY
        SELECT kept.*
        FROM unnest(types, streams, formats) AS asked (aggregate_type, stream_id, format)
        JOIN snapshots AS kept USING (stream_id, aggregate_type, format)
        WHERE EXISTS (
            SELECT FROM events AS newest
            WHERE newest.stream_id = kept.stream_id AND newest.aggregate_type = kept.aggregate_type
              AND newest.version = kept.version AND newest.commit_id = kept.commit_id
        );
END;
$$;

-- Keeps a snapshot unless there is a newer one of its stream and format that the log confirms.
CREATE FUNCTION keep_snapshot_v1(
    the_type smallint, the_stream uuid, the_format integer, the_version bigint, the_commit uuid, the_state bytea
) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
    -- Nobody misses a snapshot that a crash has undone, and nobody's commit waits for it.
    SET LOCAL synchronous_commit = off;
    INSERT INTO snapshots AS kept (version, format, aggregate_type, stream_id, commit_id, state)
    VALUES (the_version, the_format, the_type, the_stream, the_commit, the_state)
    ON CONFLICT (stream_id, aggregate_type, format)
    DO UPDATE SET version = excluded.version, commit_id = excluded.commit_id, state = excluded.state
    WHERE kept.version <= excluded.version OR NOT EXISTS (
        SELECT FROM events AS newest
        WHERE newest.stream_id = kept.stream_id AND newest.aggregate_type = kept.aggregate_type
          AND newest.version = kept.version AND newest.commit_id = kept.commit_id
    );
END;
$$;
