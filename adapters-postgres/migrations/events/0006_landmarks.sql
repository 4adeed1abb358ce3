-- A commit that says what its writer remembers of the log: facts by position, and which commit wrote each of them. Where
-- another fact stands, or none, the log was put back to an older copy, and what was decided on the newer one is not
-- written: the verdict is 'lost_past'. Whoever has written already is told where, whatever is remembered.
CREATE FUNCTION write_commit_v3(
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
    outcome commit_outcome_v2;
BEGIN
    IF cardinality(landmarks) > 0 THEN
        -- What is looked at now cannot change before the commit is written.
        SELECT incarnation INTO STRICT outcome.incarnation FROM log_head WHERE id FOR UPDATE;
        IF EXISTS (
            SELECT FROM unnest(landmarks, landmark_commits) AS remembered (position, commit_id)
            WHERE NOT EXISTS (
                SELECT FROM events AS event
                WHERE event.position = remembered.position AND event.commit_id = remembered.commit_id
            )
        ) AND NOT EXISTS (SELECT FROM commits AS known WHERE known.commit_id = the_commit) THEN
            outcome.verdict := 'lost_past';
            RETURN outcome;
        END IF;
    END IF;

    RETURN write_commit_v2(
        the_commit, the_writer, the_lane_kind, the_lane, written_at,
        append_types, append_streams, append_expected,
        event_aggregates, event_streams, event_versions, event_types, schema_versions, event_payloads, event_metadata,
        cleared_types, cleared_streams, cleared_kinds,
        set_types, set_streams, set_kinds, set_due, set_lane_kinds, set_lanes, set_causes,
        key_users, keys, key_fingerprints, key_answers, key_times
    );
END;
$$;
