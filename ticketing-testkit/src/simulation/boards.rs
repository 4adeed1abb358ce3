//! Somebody watches the event at each process for as long as the process lives. What the ticks tell must add up to the
//! state that they carry, and at the end of a run each board must show what the read models show.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use ticketing_domain::views::SeatRow;
use ticketing_ports::read_models::availability::Availability;
use ticketing_ports::vocabulary::ids::{EventId, UserId};
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::seating::SeatId;
use ticketing_runtime::{BoardReader, BoardState, BoardTick, Failure, LiveBoards, SeatChanges, UnavailableCause};
use uuid::Uuid;

use super::books::Violation;

/// Somebody who sees every event.
const WATCHER: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(2)),
    role: Role::Admin,
};
/// The pause before somebody who cannot watch tries again.
const PAUSE: Duration = Duration::from_secs(1);

/// The event that is watched, and what was wrong with its boards.
#[derive(Debug, Default)]
pub(super) struct Watched {
    event: OnceLock<EventId>,
    /// How many ticks were checked against the tick before.
    checked: AtomicUsize,
    wrong: Mutex<Vec<Violation>>,
}

impl Watched {
    /// Says which event is watched from now on.
    pub(super) fn begin(&self, event: EventId) {
        self.event.set(event).expect("a run has one event");
    }

    pub(super) fn event(&self) -> EventId {
        *self.event.get().expect("the run has an event by now")
    }

    pub(super) fn wrong(&self) -> MutexGuard<'_, Vec<Violation>> {
        self.wrong.lock().expect("no code panics while it holds this lock")
    }

    /// How many ticks were checked against the tick before.
    pub(super) fn checked(&self) -> usize {
        self.checked.load(Ordering::Relaxed)
    }

    /// Watches the event at one process until that process stops.
    pub(super) async fn watch(self: Arc<Self>, boards: LiveBoards) {
        loop {
            if let Some(event) = self.event.get() {
                match boards.watch(Some(WATCHER), *event).await {
                    Ok(reader) => self.follow(reader).await,
                    Err(Failure::Unavailable(UnavailableCause::ShuttingDown)) => return,
                    // A fault struck the load.
                    Err(_) => {}
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Checks each tick until the board is gone.
    async fn follow(&self, mut reader: BoardReader) {
        let mut seen = reader.latest();
        while let Ok(tick) = reader.changed().await {
            if tick.number == seen.number + 1 {
                self.checked.fetch_add(1, Ordering::Relaxed);
                if let Err(wrong) = leads_on(&seen.state, &tick) {
                    self.wrong().push(Violation::BoardDisagrees(wrong));
                }
            }
            seen = tick;
        }
    }
}

/// Checks that the changes of a tick lead from the state before it to its own.
fn leads_on(before: &BoardState, tick: &BoardTick) -> Result<(), String> {
    if tick.since != before.sequence {
        return Err(format!(
            "a tick goes on from {}, but was {}",
            tick.since, before.sequence
        ));
    }
    let (was, is) = (before.sections.len(), tick.state.sections.len());
    if was != is {
        return Err(format!("a tick leads from {was} sections to {is}"));
    }
    for (was, is) in before.sections.iter().zip(&tick.state.sections) {
        let id = is.availability.section_id;
        let change = tick
            .changed
            .iter()
            .find(|change| change.section.availability.section_id == id);
        let mut rows = was.rows.clone();
        if let Some(change) = change {
            let SeatChanges::These {
                free,
                held,
                sold,
                blocked,
            } = &change.seats
            else {
                continue;
            };
            for (seats, letter) in [(free, "f"), (held, "h"), (sold, "s"), (blocked, "b")] {
                seats
                    .iter()
                    .for_each(|seat| write(rows.iter_mut().flatten(), seat, letter));
            }
        }
        if rows != is.rows || (change.is_none() && was != is) {
            return Err(format!("from {was:?} {change:?} does not lead to {is:?}"));
        }
    }
    Ok(())
}

fn write<'r>(mut rows: impl Iterator<Item = &'r mut SeatRow>, seat: &SeatId, letter: &str) {
    if let Some(row) = rows.find(|row| row.row == seat.row) {
        let mut places = 0..row.places.width();
        let place = places.find(|place| row.places.label(*place).as_ref() == Some(&seat.label));
        let place = place.expect("the row has a seat that has changed") as usize;
        row.seats.replace_range(place..=place, letter);
    }
}

/// Compares a board with the read models after everything has come to rest.
pub(super) async fn board_is_wrong(boards: &LiveBoards, rows: &Availability) -> Option<Violation> {
    let wrong = |why: String| Some(Violation::BoardDisagrees(why));
    let mut reader = match boards.watch(Some(WATCHER), rows.event_id).await {
        Ok(reader) => reader,
        Err(failure) => return wrong(format!("the board cannot be read: {failure:?}")),
    };
    let state = Arc::clone(&reader.latest().state);
    let sections = state.sections.iter().map(|section| section.availability.clone());
    let shown = Availability {
        event_id: state.event_id,
        sections: sections.collect(),
        sequence: state.sequence,
        lapsed: state.lapsed,
    };
    if shown == *rows {
        None
    } else {
        wrong(format!(
            "the board shows\n{shown:#?}\nbut the read models show\n{rows:#?}"
        ))
    }
}
