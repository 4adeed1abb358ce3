//! Restoring a backup during a run.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;

use super::PutBack;
use super::stage::{Stage, read_log};

/// Plays an operator who, in some runs, takes a backup of the log and restores it later, while the servers run or while
/// they are stopped.
pub(super) async fn operate(stage: Arc<Stage>, mut rng: StdRng) {
    if rng.random_bool(0.5) {
        return;
    }
    for _ in 0..rng.random_range(1..3) {
        tokio::time::sleep(Duration::from_millis(rng.random_range(10_000..90_000))).await;
        let put_back = (stage.world().back_up)();
        tokio::time::sleep(Duration::from_millis(rng.random_range(100..30_000))).await;
        let stopped = rng.random_bool(0.3);
        stage.put_back(put_back, stopped).await;
    }
}

impl Stage {
    /// Restores a backup without waiting for the commits that are under way.
    async fn put_back(&self, put_back: PutBack, stopped: bool) {
        let log = &self.world().log;
        let before = read_log(self.world()).await;
        let identity = log.identity().await.expect("the log of the caller injects no faults");
        let rows = self.rows_of_all().await;
        if stopped {
            self.stop_all();
        }
        put_back();
        if stopped {
            self.start_both();
        }
        let kept = read_log(self.world()).await.len();
        let remembered = rows.is_some_and(|rows| rows.0 > kept as u64);
        let lost = before.get(kept..).unwrap_or_default();
        self.lost().take(lost, identity.incarnation, remembered);
        if !lost.is_empty() {
            self.note(if stopped {
                "put back: servers stopped"
            } else {
                "put back: servers running"
            });
        }
    }
}
