//! The task of one board: loads it, makes its ticks, and drops it some time after its last reader has left.
//!
//! A board that cannot be loaded stays for a while, so that whoever asks for it meanwhile is told so at once, and the
//! stores are not asked again and again.

use std::sync::Arc;
use std::time::Duration;

use ticketing_ports::log::identity::LogIdentity;
use ticketing_ports::vocabulary::ids::EventId;
use tokio::sync::{SemaphorePermit, watch};
use tokio::time::{Instant, timeout};
use tracing::{debug, warn};

use super::boards::{Boards, RETRY_AFTER};
use super::event_board::{EventBoard, Loaded, Shown, Stage};
use super::loading::read_board;
use super::state::BoardTick;
use crate::failure::{Failure, UnavailableCause};
use crate::follow::Reached;

/// The least time between two ticks of a board.
const BETWEEN_TICKS: Duration = Duration::from_millis(100);
/// How long a load may take in all. Whoever waits for the board is told then that it failed.
const LOAD_PATIENCE: Duration = Duration::from_secs(5);
/// How long a board that was shown already may wait for its turn to be loaded again. After an outage all boards are.
const RELOAD_TURN: Duration = Duration::from_secs(60);
/// The pause before a load is repeated because something has happened meanwhile.
const BEFORE_RELOAD: Duration = Duration::from_millis(10);
/// At most how long the task sleeps until the next hold runs out, since the clock may be set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Takes a board out of the map when its task ends, however it ends.
struct Registered<'a> {
    boards: &'a Boards,
    board: &'a Arc<EventBoard>,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.boards.remove(self.board);
    }
}

/// Why a board makes no more ticks.
enum Ended {
    /// The board has to be loaded again.
    Outdated,
    /// Nobody has used the board for some time, or the engine stops.
    Unused,
}

/// Runs one board until nobody has used it for some time, or until it cannot be loaded.
pub(super) async fn run(boards: Arc<Boards>, board: Arc<EventBoard>, stage: watch::Sender<Stage>) {
    let registered = Registered {
        boards: &boards,
        board: &board,
    };
    let live = async {
        let mut last: Option<Arc<BoardTick>> = None;
        loop {
            let turn = if last.is_some() { RELOAD_TURN } else { LOAD_PATIENCE };
            load_in_time(&boards, &board, turn).await?;
            match keep_ticking(&boards, &board, &stage, &mut last).await {
                Ended::Outdated => {}
                Ended::Unused => return Ok::<(), Failure>(()),
            }
        }
    };
    let ended = boards.stop.run_until_cancelled(live).await;
    if let Some(Err(failure)) = ended {
        report(board.event_id, &failure);
        // An event that does not exist now may exist in a moment, and asking for it costs one small read.
        let is_final = matches!(failure, Failure::Refused(_));
        if is_final {
            drop(registered);
        }
        stage.send_replace(Stage::Failed(Arc::new(failure)));
        if !is_final {
            let pause = tokio::time::sleep(RETRY_AFTER);
            boards.stop.run_until_cancelled(pause).await;
        }
    }
}

fn report(event_id: EventId, failure: &Failure) {
    let error = failure as &dyn std::error::Error;
    match failure {
        Failure::Refused(_) => debug!(%event_id, error, "there is no such event to watch"),
        _ => warn!(%event_id, error, "the live board of an event could not be loaded; the read models answer instead"),
    }
}

/// Loads the board, as often as something happens during the load.
///
/// # Errors
/// Fails if the turn of the board does not come within `turn`, or if its loads take longer than [`LOAD_PATIENCE`].
async fn load_in_time(boards: &Boards, board: &EventBoard, turn: Duration) -> Result<(), Failure> {
    let too_late = |_| Failure::Unavailable(UnavailableCause::BoardNotLoaded);
    let mut left = LOAD_PATIENCE;
    loop {
        let place = timeout(turn, boards.loads.acquire()).await.map_err(too_late)?;
        let place = place.map_err(|_| Failure::Unavailable(UnavailableCause::ShuttingDown))?;
        let began = Instant::now();
        match timeout(left, load(boards, board, place)).await.map_err(too_late)?? {
            Loaded::Live => return Ok(()),
            Loaded::Outdated => tokio::time::sleep(BEFORE_RELOAD).await,
        }
        left = left.saturating_sub(began.elapsed());
    }
}

async fn load(boards: &Boards, board: &EventBoard, place: SemaphorePermit<'_>) -> Result<Loaded, Failure> {
    let attempt = board.attempt();
    let log = boards.log.identity().await?;
    let read = read_board(boards.log.as_ref(), boards.snapshots.as_ref(), board.event_id).await?;
    let head = boards.log.head().await?;
    drop(place);
    // The streams may have been read at different moments. Once the follower has passed the head of the log, the board
    // has all facts up to the follower's mark and none beyond it.
    let mut reached = boards.progress.reached.clone();
    let is_decided = |reached: &Reached| reached.has(log, head) || has_left(reached, log);
    let reached = match reached.wait_for(is_decided).await {
        Ok(reached) => *reached,
        Err(_) => return Err(Failure::Unavailable(UnavailableCause::ShuttingDown)),
    };
    if has_left(&reached, log) {
        return Ok(Loaded::Outdated);
    }
    Ok(board.finish(attempt, read)?)
}

/// Whether the follower follows another log by now, or a later incarnation of this one: then a position in `log` means
/// nothing any more.
fn has_left(reached: &Reached, log: LogIdentity) -> bool {
    let followed = reached.log;
    followed.is_some_and(|followed| followed.log != log.log || followed.incarnation > log.incarnation)
}

/// Makes a tick whenever something has changed, at most one each [`BETWEEN_TICKS`].
async fn keep_ticking(
    boards: &Boards,
    board: &Arc<EventBoard>,
    stage: &watch::Sender<Stage>,
    last: &mut Option<Arc<BoardTick>>,
) -> Ended {
    let mut is_first = true;
    loop {
        if !boards.has(board) {
            return Ended::Unused;
        }
        let now = boards.clock.now();
        let Some(shown) = board.shown(now) else {
            return Ended::Outdated;
        };
        let Shown {
            state,
            next_lapse,
            traces,
        } = shown;
        let before = last.as_deref();
        let tick = match before {
            Some(tick) if !is_first && Arc::ptr_eq(&tick.state, &state) => None,
            Some(tick) if !is_first => Some(tick.next(state, traces)),
            _ => Some(BoardTick::first(state, before, traces)),
        };
        is_first = false;
        if let Some(tick) = tick {
            let tick = Arc::new(tick);
            *last = Some(Arc::clone(&tick));
            stage.send_replace(Stage::Live(tick));
            tokio::time::sleep(BETWEEN_TICKS).await;
        }
        let until_lapse = next_lapse.map(|at| (at - now).to_std().unwrap_or_default().min(LONGEST_SLEEP));
        let until_lapse = async {
            match until_lapse {
                Some(time) => tokio::time::sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            // This comes first, because a busy event always has news.
            () = tokio::time::sleep_until(board.last_used() + boards.idle) => {
                if boards.remove_if_unused(board) {
                    return Ended::Unused;
                }
            }
            () = board.news.notified() => {}
            () = until_lapse => {}
        }
    }
}
