//! Writer turns: a process whose commit lost a race on a stream may commit first on that stream for 250 ms.
//!
//! Without turns, a process that commits without a pause would win every race. A commit that is refused because its
//! streams have changed gives its writer a turn on these streams, which is kept as rows in the table `claims`. For
//! 250 ms `write_commit_v4` then refuses other writers on these streams with the verdict `claimed`, unless their own
//! turn began earlier.
//!
//! Some names in the database are older than the word "turn" and say "claim" instead. `turn_of_v2` returns when the
//! turn of a writer begins, `claimed_before_v2` returns the streams on which other writers go first, and `claim_v2`
//! gives a turn. A turn need not survive a crash, so `claim_v2` does not wait until the turn is on the disk.

use std::time::Duration;

use sqlx::postgres::PgPool;
use ticketing_ports::log::streams::StreamId;
use uuid::Uuid;

/// How long a waiting writer pauses before it asks again whether the turns of the other writers are over.
const PAUSE: Duration = Duration::from_millis(1);

/// How many times a waiting writer asks at most. The pauses between so many questions take 300 ms in all, which is
/// longer than a turn lasts.
const MOST_QUESTIONS: u32 = 300;

/// Waits until it is this writer's turn on the streams. It stops waiting when the database fails.
///
/// Afterwards the caller reads the streams again in any case. Each question to the database waits until the commit
/// that is under way has ended, so that the caller then also reads what that commit wrote.
pub(super) async fn wait_for_turn(pool: &PgPool, writer: Uuid, streams: &[StreamId]) {
    let types: Vec<i16> = streams.iter().map(|stream| stream.aggregate.number()).collect();
    let ids: Vec<Uuid> = streams.iter().map(|stream| stream.id).collect();
    for _ in 0..MOST_QUESTIONS {
        let seconds: Result<Option<f64>, _> = sqlx::query_scalar(
            "SELECT CASE
                 WHEN turn_of_v2($1) > clock_timestamp()
                     THEN extract(epoch FROM turn_of_v2($1) - clock_timestamp())::float8
                 WHEN claimed_before_v2($1, $2, $3) IS NOT NULL THEN $4
             END
             FROM log_head WHERE id
             FOR KEY SHARE",
        )
        .bind(writer)
        .bind(&types)
        .bind(&ids)
        .bind(PAUSE.as_secs_f64())
        .fetch_one(pool)
        .await;
        let Ok(Some(wait)) = seconds.map(|seconds| Duration::try_from_secs_f64(seconds?).ok()) else {
            return;
        };
        tokio::time::sleep(wait).await;
    }
}
