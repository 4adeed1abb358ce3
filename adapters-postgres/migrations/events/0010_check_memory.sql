-- What somebody remembers of the log, compared with it in one look: the streams that are not at the version given, by their
-- place in the list, and whether a landmark is gone.
CREATE FUNCTION check_memory_v1(
    types smallint[], streams uuid[], versions bigint[], landmarks bigint[], landmark_commits uuid[],
    OUT moved bigint[], OUT lost boolean
)
LANGUAGE plpgsql STABLE
-- Tables grow from nothing within one on-sale, faster than their statistics: plans are made once and use the indexes.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
    moved := moved_on_v2(types, streams, versions);
    lost := EXISTS (
        SELECT FROM unnest(landmarks, landmark_commits) AS remembered (position, commit_id)
        WHERE NOT EXISTS (
            SELECT FROM events AS event
            WHERE event.position = remembered.position AND event.commit_id = remembered.commit_id
        )
    );
END;
$$;
