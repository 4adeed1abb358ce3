//! Writer turns: a process whose commit lost a race goes first on that stream for a moment.
//!
//! Without turns, a process that commits without a pause would win every race. A commit that is refused as stale gives its writer
//! a turn on the streams in question: rows in the table `claims`. For 250 ms `write_commit_v4` then refuses other writers on these
//! streams with the verdict `claimed`, unless their own turn began earlier.
//!
//! The names in the database are older than the word: `claims` has the turns, `turn_of_v2` returns when a writer's turn begins,
//! `claimed_before_v2` on which streams others go first, and `claim_v2` gives a turn. A turn need not survive a crash, so that
//! `claim_v2` does not wait for the disk.

use std::time::Duration;

use sqlx::postgres::PgPool;
use ticketing_ports::log::streams::StreamId;
use uuid::Uuid;

/// How long a waiting writer pauses before it asks again whether the turns of the others are over.
const PAUSE: Duration = Duration::from_millis(1);

/// How many times a waiting writer asks at most: together longer than a turn lasts.
const MOST_QUESTIONS: u32 = 300;

/// Waits until it is this writer's turn on the streams. It gives up waiting when the database fails.
///
/// The caller reads the streams again afterwards, whether the wait ended well or not. Each question waits for the commit
/// that is under way, so that the caller then also reads what that commit wrote.
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
