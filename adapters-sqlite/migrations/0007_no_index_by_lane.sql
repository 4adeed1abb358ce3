-- Nobody reads a lane as a whole: a cold one is read stream by stream, from snapshots. Whoever begins to read whole lanes
-- brings the index along.
DROP INDEX events_by_lane;
