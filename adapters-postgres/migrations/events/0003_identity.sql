-- Which log this is, which life of it, and which generation of facts every build that works on it can read, beside the
-- position of its newest event.
ALTER TABLE log_head
    ADD COLUMN log_id       uuid    NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN incarnation  integer NOT NULL DEFAULT 1,
    ADD COLUMN schema_floor integer NOT NULL DEFAULT 1;

-- Functions have a version in their names from here on: the next one stands beside the one before, for as long as a build
-- runs that calls it. Those without are of tables that are no longer so.
DROP FUNCTION write_commit, moved_on, claimed_before, claim, turn_of;
DROP TYPE commit_outcome;

-- What the numbers mean, for who looks at the tables; `migrate` adds what a new version of the program knows besides.
CREATE TABLE aggregates (number smallint NOT NULL PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE lane_kinds (number smallint NOT NULL PRIMARY KEY, name text NOT NULL UNIQUE);
INSERT INTO aggregates VALUES (1, 'catalog'), (2, 'inventory'), (3, 'reservation'), (4, 'payment');
INSERT INTO lane_kinds VALUES (1, 'event');

-- The lane of an event. Until now the first event of a stream told it: the stream of a catalog is its lane, and all
-- others begin with the event on sale that they are of. An event without a lane ends the migration, and all is as it was.
ALTER TABLE events RENAME TO events_without_lanes;

-- Columns of a fixed width first, and the widest of them, so that rows have no holes.
CREATE TABLE events (
    position       bigint      NOT NULL,
    version        bigint      NOT NULL,
    recorded_at    timestamptz NOT NULL,
    event_version  integer     NOT NULL,
    aggregate_type smallint    NOT NULL,
    lane_kind      smallint    NOT NULL,
    stream_id      uuid        NOT NULL,
    lane_id        uuid        NOT NULL,
    commit_id      uuid        NOT NULL,
    event_type     text        NOT NULL,
    event_data     bytea       NOT NULL,
    metadata       jsonb
);

COMMENT ON COLUMN events.event_data IS 'JSON, byte for byte as it was written; convert_from(event_data, ''UTF8'')::json to read it';

WITH lanes AS (
    SELECT stream_id, aggregate_type,
           CASE aggregate_type
               WHEN 'catalog' THEN stream_id
               ELSE (convert_from(event_data, 'UTF8')::jsonb ->> 'event_id')::uuid
           END AS lane_id
    FROM events_without_lanes
    WHERE version = 1
)
INSERT INTO events
SELECT event.position, event.version, event.recorded_at, event.event_version, known.number, 1,
       event.stream_id, lane.lane_id, event.commit_id, event.event_type, event.event_data, event.metadata
FROM events_without_lanes AS event
JOIN aggregates AS known ON known.name = event.aggregate_type::text
LEFT JOIN lanes AS lane USING (stream_id, aggregate_type)
ORDER BY event.position;

DROP TABLE events_without_lanes;
ALTER TABLE events
    ADD PRIMARY KEY (position),
    ADD UNIQUE (stream_id, aggregate_type, version);
-- So that a cold lane is read in one statement. Without the position, equal entries share their space: 7 bytes an event
-- instead of 66, and a lane is sorted by who reads it. Ids of lanes differ whatever their kind.
CREATE INDEX events_by_lane ON events (lane_id);

-- What set a deadline stands beside it; of those that are set already nobody knows.
ALTER TABLE deadlines RENAME COLUMN event_id TO lane_id;
ALTER TABLE deadlines
    ALTER COLUMN aggregate_type TYPE smallint USING array_position(enum_range(NULL::aggregate_type), aggregate_type),
    ADD COLUMN lane_kind smallint NOT NULL DEFAULT 1,
    ADD COLUMN cause jsonb;
ALTER TABLE deadlines ALTER COLUMN lane_kind DROP DEFAULT;

DELETE FROM claims;
ALTER TABLE claims
    ALTER COLUMN aggregate_type TYPE smallint USING array_position(enum_range(NULL::aggregate_type), aggregate_type);

DROP TYPE aggregate_type;

-- The places, from 1, of the streams that are not at the version that was seen; nothing when all are.
CREATE FUNCTION moved_on_v2(types smallint[], streams uuid[], versions bigint[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE
-- Tables grow from nothing within one on-sale, faster than their statistics: plans are made once and use the indexes.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
    RETURN (
        SELECT array_agg(seen.place ORDER BY seen.place)
        FROM unnest(types, streams, versions)
             WITH ORDINALITY AS seen (aggregate_type, stream_id, version, place)
        WHERE seen.version <> coalesce((
            SELECT max(newest.version) FROM events AS newest
            WHERE newest.stream_id = seen.stream_id AND newest.aggregate_type = seen.aggregate_type
        ), 0)
    );
END;
$$;

-- Up to so many events of several streams, stream after stream as they are asked for, each after a version. Only what is
-- returned is read.
CREATE FUNCTION read_streams_v1(types smallint[], streams uuid[], after bigint[], most bigint) RETURNS SETOF events
LANGUAGE plpgsql STABLE
-- Tables grow from nothing within one on-sale, faster than their statistics: plans are made once and use the indexes.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
    room bigint := most;
    read bigint;
BEGIN
    FOR place IN 1 .. cardinality(streams) LOOP
        EXIT WHEN room <= 0;
        RETURN QUERY
            SELECT * FROM events
            WHERE stream_id = streams[place] AND aggregate_type = types[place] AND version > after[place]
            ORDER BY version
            LIMIT room;
        GET DIAGNOSTICS read = ROW_COUNT;
        room := room - read;
    END LOOP;
END;
$$;

-- What is recorded under any of the keys, each once.
CREATE FUNCTION find_answers_v1(users uuid[], keys text[]) RETURNS SETOF idempotency_records
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
    RETURN QUERY
        SELECT known.*
        FROM (SELECT DISTINCT * FROM unnest(users, keys) AS one (user_id, key)) AS asked
        CROSS JOIN LATERAL (
            SELECT * FROM idempotency_records AS record
            WHERE record.user_id = asked.user_id AND record.key = asked.key
            LIMIT 1
        ) AS known;
END;
$$;

CREATE TYPE commit_outcome_v2 AS (
    -- 'written', 'conflict', 'key_taken', or 'claimed' by another writer
    verdict        text,
    first_position bigint,
    last_position  bigint,
    -- Which appends, or which idempotency records, are in the way: their places, from 1.
    refused        bigint[],
    incarnation    integer
);

-- When a writer's turn begins: with the first of its claims, so that no two wait for each other.
CREATE FUNCTION turn_of_v2(the_writer uuid) RETURNS timestamptz
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (SELECT min(turn_begins) FROM claims WHERE writer = the_writer AND ends_at > clock_timestamp());
END;
$$;

-- The places of streams on which it is the turn of others, who come before this writer.
CREATE FUNCTION claimed_before_v2(the_writer uuid, types smallint[], streams uuid[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    mine timestamptz := coalesce(turn_of_v2(the_writer), 'infinity');
BEGIN
    RETURN (
        SELECT array_agg(DISTINCT stream.place)
        FROM unnest(types, streams) WITH ORDINALITY AS stream (aggregate_type, stream_id, place)
        JOIN claims AS claim USING (stream_id, aggregate_type)
        WHERE claim.writer <> the_writer
          AND clock_timestamp() BETWEEN claim.turn_begins AND claim.ends_at
          AND claim.turn_begins < mine
    );
END;
$$;

-- Gives a writer its turn on the streams at these places, if it does not wait for one already.
CREATE FUNCTION claim_v2(the_writer uuid, types smallint[], streams uuid[], places bigint[], after interval) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    -- Nobody misses a claim that a crash has undone. Until the end of the transaction, which writes nothing else.
    SET LOCAL synchronous_commit = off;
    INSERT INTO claims AS claim (stream_id, aggregate_type, writer, turn_begins, ends_at)
    SELECT streams[place], types[place], the_writer,
           coalesce(turn_of_v2(the_writer), clock_timestamp() + after),
           clock_timestamp() + after + interval '250 milliseconds'
    FROM unnest(places) AS place
    ON CONFLICT (stream_id, aggregate_type, writer)
    DO UPDATE SET turn_begins = excluded.turn_begins, ends_at = excluded.ends_at;
END;
$$;

-- One commit, whole: a single call is a single round trip and a transaction of its own.
--
-- It begins by locking the head of the log, so commits stand in a queue. What is checked after that cannot change before
-- the end, positions have no gaps and become visible in their order, and no two commits can wait for each other.
-- A refused commit writes nothing. Statements see what the commit before wrote: each takes a new snapshot under
-- READ COMMITTED, so the function refuses to run under anything stricter.
CREATE FUNCTION write_commit_v2(
    the_commit uuid, the_writer uuid, the_lane_kind smallint, the_lane uuid, written_at timestamptz,
    append_types smallint[], append_streams uuid[], append_expected bigint[],
    event_aggregates smallint[], event_streams uuid[], event_versions bigint[],
    event_types text[], schema_versions integer[], event_payloads bytea[], event_metadata text[],
    cleared_types smallint[], cleared_streams uuid[], cleared_kinds text[],
    set_types smallint[], set_streams uuid[], set_kinds text[], set_due timestamptz[],
    set_lane_kinds smallint[], set_lanes uuid[], set_causes text[],
    key_users uuid[], keys text[], key_fingerprints bytea[], key_answers bytea[], key_times timestamptz[]
) RETURNS commit_outcome_v2
LANGUAGE plpgsql
-- Tables grow from nothing within one on-sale, faster than their statistics: plans are made once and use the indexes.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
    head    bigint;
    life    integer;
    added   bigint := cardinality(event_streams);
    outcome commit_outcome_v2;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'commits are written under READ COMMITTED';
    END IF;

    SELECT position, incarnation INTO STRICT head, life FROM log_head WHERE id FOR UPDATE;

    SELECT 'written', known.first_position, known.last_position, NULL, life INTO outcome
    FROM commits AS known
    WHERE known.commit_id = the_commit;
    IF FOUND THEN
        RETURN outcome;
    END IF;
    outcome.incarnation := life;

    -- A taken key goes first: who lost that race wants the recorded answer, not another decision.
    IF cardinality(keys) > 0 THEN
        SELECT array_agg(wanted.place) INTO outcome.refused
        FROM unnest(key_users, keys) WITH ORDINALITY AS wanted (user_id, key, place)
        WHERE EXISTS (
            SELECT FROM idempotency_records AS taken
            WHERE taken.user_id = wanted.user_id AND taken.key = wanted.key
        );
        IF outcome.refused IS NOT NULL THEN
            outcome.verdict := 'key_taken';
            RETURN outcome;
        END IF;
    END IF;

    -- Who was overtaken goes first; who waits for that is next.
    IF EXISTS (SELECT FROM claims) THEN
        outcome.refused := claimed_before_v2(the_writer, append_types, append_streams);
        IF outcome.refused IS NOT NULL THEN
            PERFORM claim_v2(the_writer, append_types, append_streams, outcome.refused, interval '10 milliseconds');
            outcome.verdict := 'claimed';
            RETURN outcome;
        END IF;
    END IF;

    -- A stable function looks through the snapshot of the statement that calls it: this one is taken after the lock.
    outcome.refused := moved_on_v2(append_types, append_streams, append_expected);
    IF outcome.refused IS NOT NULL THEN
        PERFORM claim_v2(the_writer, append_types, append_streams, outcome.refused, interval '0');
        outcome.verdict := 'conflict';
        RETURN outcome;
    END IF;

    IF added > 0 THEN
        INSERT INTO events (position, version, recorded_at, event_version, aggregate_type, lane_kind, stream_id,
                            lane_id, commit_id, event_type, event_data, metadata)
        SELECT head + event.place, event.version, written_at, event.schema_version, event.aggregate_type,
               the_lane_kind, event.stream_id, the_lane, the_commit, event.event_type, event.payload,
               event.metadata::jsonb
        FROM unnest(event_streams, event_aggregates, event_versions, event_types, schema_versions,
                    event_payloads, event_metadata)
             WITH ORDINALITY AS event (stream_id, aggregate_type, version, event_type, schema_version, payload,
                                       metadata, place);
        UPDATE log_head SET position = head + added WHERE id;
        outcome.first_position := head + 1;
        outcome.last_position := head + added;
    ELSE
        outcome.first_position := 0;
        outcome.last_position := 0;
    END IF;

    INSERT INTO commits (commit_id, first_position, last_position)
    VALUES (the_commit, outcome.first_position, outcome.last_position);

    IF cardinality(cleared_streams) > 0 THEN
        DELETE FROM deadlines AS past
        USING unnest(cleared_streams, cleared_types, cleared_kinds)
              AS cleared (stream_id, aggregate_type, kind)
        WHERE past.stream_id = cleared.stream_id
          AND past.aggregate_type = cleared.aggregate_type
          AND past.kind = cleared.kind;
    END IF;

    IF cardinality(set_streams) > 0 THEN
        INSERT INTO deadlines (stream_id, aggregate_type, kind, due_at, lane_kind, lane_id, cause)
        SELECT stream_id, aggregate_type, kind, due_at, lane_kind, lane_id, cause::jsonb
        FROM unnest(set_streams, set_types, set_kinds, set_due, set_lane_kinds, set_lanes, set_causes)
             AS wanted (stream_id, aggregate_type, kind, due_at, lane_kind, lane_id, cause)
        ON CONFLICT (stream_id, aggregate_type, kind)
        DO UPDATE SET due_at = excluded.due_at, lane_kind = excluded.lane_kind, lane_id = excluded.lane_id,
                      cause = excluded.cause, leased_until = NULL;
    END IF;

    IF cardinality(keys) > 0 THEN
        INSERT INTO idempotency_records (user_id, key, fingerprint, answer, recorded_at)
        SELECT * FROM unnest(key_users, keys, key_fingerprints, key_answers, key_times);
    END IF;

    IF EXISTS (SELECT FROM claims) THEN
        DELETE FROM claims AS claim
        USING unnest(append_types, append_streams) AS append (aggregate_type, stream_id)
        WHERE claim.stream_id = append.stream_id
          AND claim.aggregate_type = append.aggregate_type
          AND claim.writer = the_writer;
        DELETE FROM claims WHERE ends_at < clock_timestamp() - interval '1 minute';
    END IF;

    outcome.verdict := 'written';
    RETURN outcome;
END;
$$;
