-- Keys are recorded at once, and looked at one by one only when one of them is there already. Answers are forgotten from
-- time to time by going through all of them, which costs less than an index by time costs with each.
DROP INDEX idempotency_records_by_time;

-- The places, from 1, of keys that are recorded; nothing when none is.
CREATE FUNCTION taken_keys_v4(users uuid[], names text[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
    RETURN (
        SELECT array_agg(wanted.place)
        FROM unnest(users, names) WITH ORDINALITY AS wanted (user_id, key, place)
        WHERE EXISTS (
            SELECT FROM idempotency_records AS taken
            WHERE taken.user_id = wanted.user_id AND taken.key = wanted.key
        )
    );
END;
$$;

-- As `write_commit_v3`, in one function.
CREATE FUNCTION write_commit_v4(
    landmarks bigint[], landmark_commits uuid[],
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
    taken   bigint[];
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

    IF cardinality(landmarks) > 0 AND EXISTS (
        SELECT FROM unnest(landmarks, landmark_commits) AS remembered (position, commit_id)
        WHERE NOT EXISTS (
            SELECT FROM events AS event
            WHERE event.position = remembered.position AND event.commit_id = remembered.commit_id
        )
    ) THEN
        outcome.verdict := 'lost_past';
        RETURN outcome;
    END IF;

    -- Who was overtaken goes first; who waits for that is next.
    IF EXISTS (SELECT FROM claims) THEN
        outcome.refused := claimed_before_v2(the_writer, append_types, append_streams);
        IF outcome.refused IS NOT NULL THEN
            -- A taken key goes first: who lost that race wants the recorded answer, not another decision.
            taken := taken_keys_v4(key_users, keys);
            IF taken IS NOT NULL THEN
                outcome.refused := taken;
                outcome.verdict := 'key_taken';
                RETURN outcome;
            END IF;
            PERFORM claim_v2(the_writer, append_types, append_streams, outcome.refused, interval '10 milliseconds');
            outcome.verdict := 'claimed';
            RETURN outcome;
        END IF;
    END IF;

    -- A stable function looks through the snapshot of the statement that calls it: this one is taken after the lock.
    outcome.refused := moved_on_v2(append_types, append_streams, append_expected);
    IF outcome.refused IS NOT NULL THEN
        taken := taken_keys_v4(key_users, keys);
        IF taken IS NOT NULL THEN
            outcome.refused := taken;
            outcome.verdict := 'key_taken';
            RETURN outcome;
        END IF;
        PERFORM claim_v2(the_writer, append_types, append_streams, outcome.refused, interval '0');
        outcome.verdict := 'conflict';
        RETURN outcome;
    END IF;

    IF cardinality(keys) > 0 THEN
        BEGIN
            INSERT INTO idempotency_records (user_id, key, fingerprint, answer, recorded_at)
            SELECT * FROM unnest(key_users, keys, key_fingerprints, key_answers, key_times);
        EXCEPTION WHEN unique_violation THEN
            outcome.refused := taken_keys_v4(key_users, keys);
            outcome.verdict := 'key_taken';
            RETURN outcome;
        END;
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
