CREATE TYPE aggregate_type AS ENUM ('catalog', 'inventory', 'reservation', 'payment');

CREATE TABLE events (
    position       bigint         NOT NULL PRIMARY KEY,
    stream_id      uuid           NOT NULL,
    aggregate_type aggregate_type NOT NULL,
    version        bigint         NOT NULL,
    event_type     text           NOT NULL,
    event_version  integer        NOT NULL,
    event_data     bytea          NOT NULL,
    metadata       jsonb,
    commit_id      uuid           NOT NULL,
    recorded_at    timestamptz    NOT NULL,
    UNIQUE (stream_id, aggregate_type, version)
);

COMMENT ON COLUMN events.event_data IS 'JSON, byte for byte as it was written; convert_from(event_data, ''UTF8'')::json to read it';

-- The one row that every commit locks first: the position of the newest event.
CREATE TABLE log_head (
    id       boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (id),
    position bigint  NOT NULL
) WITH (fillfactor = 10);

INSERT INTO log_head (position) VALUES (0);

-- A commit without events has position 0 twice.
CREATE TABLE commits (
    commit_id      uuid   NOT NULL PRIMARY KEY,
    first_position bigint NOT NULL,
    last_position  bigint NOT NULL
);

-- Writers who were overtaken on a stream, in the order of their turns: each may write when those before it have. Without
-- it, who commits again and again would overtake the others each time: they have to read first what it wrote. Who had to
-- make way gets its turn back after a few commits of the other and not after one: reading is what each change costs. A
-- claim ends by itself, and losing one costs a try.
CREATE UNLOGGED TABLE claims (
    stream_id      uuid           NOT NULL,
    aggregate_type aggregate_type NOT NULL,
    writer         uuid           NOT NULL,
    turn_begins    timestamptz    NOT NULL,
    ends_at        timestamptz    NOT NULL,
    PRIMARY KEY (stream_id, aggregate_type, writer)
);

CREATE TABLE deadlines (
    stream_id      uuid           NOT NULL,
    aggregate_type aggregate_type NOT NULL,
    kind           text           NOT NULL,
    due_at         timestamptz    NOT NULL,
    event_id       uuid           NOT NULL,
    leased_until   timestamptz,
    PRIMARY KEY (stream_id, aggregate_type, kind)
);

CREATE INDEX deadlines_by_due ON deadlines (due_at);

CREATE TABLE idempotency_records (
    user_id     uuid        NOT NULL,
    key         text        NOT NULL,
    fingerprint bytea       NOT NULL,
    answer      bytea       NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, key)
);

CREATE INDEX idempotency_records_by_time ON idempotency_records (recorded_at);

-- The places, from 1, of the streams that are not at the version that was seen; nothing when all are.
CREATE FUNCTION moved_on(types text[], streams uuid[], versions bigint[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE
-- Tables grow from nothing within one on-sale, faster than their statistics: plans are made once and use the indexes.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
    RETURN (
        SELECT array_agg(seen.place ORDER BY seen.place)
        FROM unnest(types::aggregate_type[], streams, versions)
             WITH ORDINALITY AS seen (aggregate_type, stream_id, version, place)
        WHERE seen.version <> coalesce((
            SELECT max(newest.version) FROM events AS newest
            WHERE newest.stream_id = seen.stream_id AND newest.aggregate_type = seen.aggregate_type
        ), 0)
    );
END;
$$;

CREATE TYPE commit_outcome AS (
    -- 'written', 'conflict', 'key_taken', or 'claimed' by another writer
    verdict        text,
    first_position bigint,
    last_position  bigint,
    -- Which appends, or which idempotency records, are in the way: their places, from 1.
    refused        bigint[]
);

-- When a writer's turn begins: with the first of its claims, so that no two wait for each other.
CREATE FUNCTION turn_of(the_writer uuid) RETURNS timestamptz
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (SELECT min(turn_begins) FROM claims WHERE writer = the_writer AND ends_at > clock_timestamp());
END;
$$;

-- The places of streams on which it is the turn of others, who come before this writer.
CREATE FUNCTION claimed_before(the_writer uuid, types text[], streams uuid[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    mine timestamptz := coalesce(turn_of(the_writer), 'infinity');
BEGIN
    RETURN (
        SELECT array_agg(DISTINCT stream.place)
        FROM unnest(types::aggregate_type[], streams) WITH ORDINALITY AS stream (aggregate_type, stream_id, place)
        JOIN claims AS claim USING (stream_id, aggregate_type)
        WHERE claim.writer <> the_writer
          AND clock_timestamp() BETWEEN claim.turn_begins AND claim.ends_at
          AND claim.turn_begins < mine
    );
END;
$$;

-- Gives a writer its turn on the streams at these places, if it does not wait for one already.
CREATE FUNCTION claim(the_writer uuid, types text[], streams uuid[], places bigint[], after interval) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    -- Nobody misses a claim that a crash has undone. Until the end of the transaction, which writes nothing else.
    SET LOCAL synchronous_commit = off;
    INSERT INTO claims AS claim (stream_id, aggregate_type, writer, turn_begins, ends_at)
    SELECT streams[place], types[place]::aggregate_type, the_writer,
           coalesce(turn_of(the_writer), clock_timestamp() + after),
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
CREATE FUNCTION write_commit(
    the_commit uuid, the_writer uuid, written_at timestamptz,
    append_types text[], append_streams uuid[], append_expected bigint[],
    event_aggregates text[], event_streams uuid[], event_versions bigint[],
    event_types text[], schema_versions integer[], event_payloads bytea[], event_metadata text[],
    cleared_types text[], cleared_streams uuid[], cleared_kinds text[],
    set_types text[], set_streams uuid[], set_kinds text[], set_due timestamptz[], set_events uuid[],
    key_users uuid[], keys text[], key_fingerprints bytea[], key_answers bytea[], key_times timestamptz[]
) RETURNS commit_outcome
LANGUAGE plpgsql
-- Tables grow from nothing within one on-sale, faster than their statistics: plans are made once and use the indexes.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
    head    bigint;
    added   bigint := cardinality(event_streams);
    outcome commit_outcome;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'commits are written under READ COMMITTED';
    END IF;

    SELECT position INTO STRICT head FROM log_head WHERE id FOR UPDATE;

    SELECT 'written', known.first_position, known.last_position, NULL INTO outcome
    FROM commits AS known
    WHERE known.commit_id = the_commit;
    IF FOUND THEN
        RETURN outcome;
    END IF;

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
        outcome.refused := claimed_before(the_writer, append_types, append_streams);
        IF outcome.refused IS NOT NULL THEN
            PERFORM claim(the_writer, append_types, append_streams, outcome.refused, interval '10 milliseconds');
            outcome.verdict := 'claimed';
            RETURN outcome;
        END IF;
    END IF;

    -- A stable function looks through the snapshot of the statement that calls it: this one is taken after the lock.
    outcome.refused := moved_on(append_types, append_streams, append_expected);
    IF outcome.refused IS NOT NULL THEN
        PERFORM claim(the_writer, append_types, append_streams, outcome.refused, interval '0');
        outcome.verdict := 'conflict';
        RETURN outcome;
    END IF;

    IF added > 0 THEN
        INSERT INTO events (position, stream_id, aggregate_type, version, event_type, event_version, event_data,
                            metadata, commit_id, recorded_at)
        SELECT head + event.place, event.stream_id, event.aggregate_type, event.version, event.event_type,
               event.schema_version, event.payload, event.metadata::jsonb, the_commit, written_at
        FROM unnest(event_streams, event_aggregates::aggregate_type[], event_versions, event_types, schema_versions,
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
        USING unnest(cleared_streams, cleared_types::aggregate_type[], cleared_kinds)
              AS cleared (stream_id, aggregate_type, kind)
        WHERE past.stream_id = cleared.stream_id
          AND past.aggregate_type = cleared.aggregate_type
          AND past.kind = cleared.kind;
    END IF;

    IF cardinality(set_streams) > 0 THEN
        INSERT INTO deadlines (stream_id, aggregate_type, kind, due_at, event_id)
        SELECT * FROM unnest(set_streams, set_types::aggregate_type[], set_kinds, set_due, set_events)
        ON CONFLICT (stream_id, aggregate_type, kind)
        DO UPDATE SET due_at = excluded.due_at, event_id = excluded.event_id, leased_until = NULL;
    END IF;

    IF cardinality(keys) > 0 THEN
        INSERT INTO idempotency_records (user_id, key, fingerprint, answer, recorded_at)
        SELECT * FROM unnest(key_users, keys, key_fingerprints, key_answers, key_times);
    END IF;

    IF EXISTS (SELECT FROM claims) THEN
        DELETE FROM claims AS claim
        USING unnest(append_types::aggregate_type[], append_streams) AS append (aggregate_type, stream_id)
        WHERE claim.stream_id = append.stream_id
          AND claim.aggregate_type = append.aggregate_type
          AND claim.writer = the_writer;
        DELETE FROM claims WHERE ends_at < clock_timestamp() - interval '1 minute';
    END IF;

    outcome.verdict := 'written';
    RETURN outcome;
END;
$$;
