-- Which log this is, and which life of it, beside the position of its newest event.
ALTER TABLE log_head
    ADD COLUMN log_id      uuid    NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN incarnation integer NOT NULL DEFAULT 1;

-- Up to so many events of several streams, stream after stream as they are asked for, each after a version. Only what is
-- returned is read.
CREATE FUNCTION read_streams_v1(types text[], streams uuid[], after bigint[], most bigint) RETURNS SETOF events
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
            WHERE stream_id = streams[place] AND aggregate_type = types[place]::aggregate_type AND version > after[place]
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

-- One commit, whole: a single call is a single round trip and a transaction of its own.
--
-- It begins by locking the head of the log, so commits stand in a queue. What is checked after that cannot change before
-- the end, positions have no gaps and become visible in their order, and no two commits can wait for each other.
-- A refused commit writes nothing. Statements see what the commit before wrote: each takes a new snapshot under
-- READ COMMITTED, so the function refuses to run under anything stricter.
CREATE FUNCTION write_commit_v2(
    the_commit uuid, the_writer uuid, written_at timestamptz,
    append_types text[], append_streams uuid[], append_expected bigint[],
    event_aggregates text[], event_streams uuid[], event_versions bigint[],
    event_types text[], schema_versions integer[], event_payloads bytea[], event_metadata text[],
    cleared_types text[], cleared_streams uuid[], cleared_kinds text[],
    set_types text[], set_streams uuid[], set_kinds text[], set_due timestamptz[], set_events uuid[],
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

DROP FUNCTION write_commit;
DROP TYPE commit_outcome;
