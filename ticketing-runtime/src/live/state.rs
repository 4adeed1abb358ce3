//! What readers of a board see: one consistent state, and the ticks from one state to the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ticketing_domain::quotas::TicketsLeft;
use ticketing_domain::views::SeatRow;
use ticketing_ports::Timestamp;
use ticketing_ports::read_models::availability::SectionAvailability;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::seating::SeatId;
use ticketing_ports::vocabulary::trace_context::TraceContext;

use super::kept::Kept;

/// With more changed seats than this, a tick does not name the seats of a section.
const MOST_SEATS: usize = 200;

/// The seats of an event at one moment. All sections are of the same place in the log.
#[derive(Debug)]
pub struct BoardState {
    /// The event.
    pub event_id: EventId,
    /// How many times a count of any section has changed. The number comes from the log, so it is the same on every
    /// server and after a restart.
    pub sequence: u64,
    /// How many holds have run out although no fact says yet that their places are released. Of two states with the
    /// same `sequence`, the later one has the higher number here.
    pub lapsed: u64,
    /// When the state was made.
    pub at: Timestamp,
    /// The sections, in the order in which the organiser listed them. Two states share the sections that have not
    /// changed in between.
    pub sections: Vec<Arc<BoardSection>>,
    /// How many tickets are left where the event limits them.
    pub left: TicketsLeft,
    /// What readers have made of this state.
    pub kept: Kept,
}

/// One section of a [`BoardState`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardSection {
    /// The name and the counts.
    pub availability: SectionAvailability,
    /// The rows with the state of each seat; `None` in general admission.
    pub rows: Option<Vec<SeatRow>>,
}

/// One step of a board: its state, and what has changed since the tick before.
#[derive(Debug)]
pub struct BoardTick {
    /// The number of the tick. A reader that has seen the tick `number - 1` can go on with `changed`; every other
    /// reader has missed something and begins anew with `state`. The numbers of another process differ.
    pub number: u64,
    /// The `sequence` of the tick before.
    pub since: u64,
    /// The state after the tick.
    pub state: Arc<BoardState>,
    /// The sections that have changed since the tick before.
    pub changed: Vec<SectionChange>,
    /// What readers have made of this tick.
    pub kept: Kept,
    /// The recorded traces of the facts that have led to this tick.
    traces: Vec<TraceContext>,
    /// Whether a reader has delivered the tick to somebody.
    delivered: AtomicBool,
}

/// A section that has changed in a tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionChange {
    /// The section after the tick.
    pub section: Arc<BoardSection>,
    /// Which of its seats have changed.
    pub seats: SeatChanges,
}

/// The seats of a section that have changed in a tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeatChanges {
    /// The changed seats, by what they are now. The lists are empty in general admission.
    These {
        /// Seats that are free now.
        free: Vec<SeatId>,
        /// Seats that are held now.
        held: Vec<SeatId>,
        /// Seats that are sold now.
        sold: Vec<SeatId>,
        /// Seats that are blocked now.
        blocked: Vec<SeatId>,
    },
    /// More than 200 seats have changed: whoever shows seats should read the section again.
    Stale,
}

impl BoardTick {
    /// Returns the recorded traces of the facts that have led to this tick, to the first who calls this: who delivers the
    /// tick first records a span for each of them. All others get none, so that ten thousand readers of one tick do not
    /// record ten thousand spans.
    pub fn traces_of_first_delivery(&self) -> &[TraceContext] {
        if self.traces.is_empty() || self.delivered.swap(true, Ordering::Relaxed) {
            &[]
        } else {
            &self.traces
        }
    }

    /// Makes the first tick of a board that was loaded. Nobody can have seen the tick before: its number is left out.
    pub(super) fn first(state: Arc<BoardState>, before: Option<&Self>, traces: Vec<TraceContext>) -> Self {
        Self {
            number: before.map_or(1, |before| before.number + 2),
            since: before.map_or(state.sequence, |before| before.state.sequence),
            state,
            changed: Vec::new(),
            kept: Kept::default(),
            traces,
            delivered: AtomicBool::new(false),
        }
    }

    /// Makes the tick that leads from this one to `state`.
    pub(super) fn next(&self, state: Arc<BoardState>, traces: Vec<TraceContext>) -> Self {
        let before = self.state.sections.iter();
        let changed = before.zip(&state.sections).filter(|(before, after)| before != after);
        Self {
            number: self.number + 1,
            since: self.state.sequence,
            changed: changed
                .map(|(before, after)| SectionChange {
                    section: Arc::clone(after),
                    seats: SeatChanges::between(before, after),
                })
                .collect(),
            state,
            kept: Kept::default(),
            traces,
            delivered: AtomicBool::new(false),
        }
    }
}

impl SeatChanges {
    fn between(before: &BoardSection, after: &BoardSection) -> Self {
        let (mut free, mut held, mut sold, mut blocked) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let rows = before.rows.iter().flatten().zip(after.rows.iter().flatten());
        for (before, after) in rows.filter(|(before, after)| before != after) {
            for (place, (was, is)) in (0..).zip(before.seats.bytes().zip(after.seats.bytes())) {
                let Some(label) = after.places.label(place).filter(|_| was != is) else {
                    continue;
                };
                let list = match is {
                    b'f' => &mut free,
                    b'h' => &mut held,
                    b's' => &mut sold,
                    _ => &mut blocked,
                };
                let row = after.row.clone();
                list.push(SeatId { row, label });
            }
            if free.len() + held.len() + sold.len() + blocked.len() > MOST_SEATS {
                return Self::Stale;
            }
        }
        Self::These {
            free,
            held,
            sold,
            blocked,
        }
    }
}
