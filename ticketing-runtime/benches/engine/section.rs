//! Measures what a command costs in a section of 100,000 claims, compared to a section with few claims. The commands
//! are a hold, and commands that are refused for several reasons. A command that copies the section's state would be
//! visibly slower in the large section.

use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters_memory::InMemoryEventStore;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::vocabulary::ids::{EventId, ReservationId};
use ticketing_ports::vocabulary::seating::Seating;
use ticketing_runtime::{BoxOffice, CancelEvent, Failure};
use tokio::task::JoinSet;

use crate::stage::{customer, engine, hold_of, on_sale, ports, request};

const CLAIMS: u32 = 100_000;
const ROUNDS: usize = 7;
const CALLERS: usize = 100;
/// How many commands each caller sends in one round.
const EACH: usize = 50;
const ROOM: u32 = 1_000_000;

/// A section on sale, filled with claims of one seat each.
#[derive(Debug, Clone)]
struct Stage {
    office: BoxOffice,
    event: EventId,
    /// A reservation of customer 0 that still holds its seat.
    held: Option<ReservationId>,
    /// A reservation that customer 0 has cancelled. `None` if the section was filled without a spare seat for such a
    /// reservation.
    given_up: Option<ReservationId>,
}

#[derive(Debug, Clone, Copy)]
enum Command {
    Hold,
    HoldTooMany,
    HoldWhenSoldOut,
    CancelTwice,
    CancelWhatIsSomebodyElses,
    CancelTheEventOfAnother,
}

impl Command {
    fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::HoldTooMany => "refused: too many seats",
            Self::HoldWhenSoldOut => "refused: sold out",
            Self::CancelTwice => "refused: cancelled already",
            Self::CancelWhatIsSomebodyElses => "refused: another customer's",
            Self::CancelTheEventOfAnother => "refused: not the organiser",
        }
    }
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its results")]
pub(crate) async fn measure() {
    let engine = engine(ports(Arc::new(InMemoryEventStore::new()))).await;
    let office = engine.box_office();
    println!("\na command in a section of {CLAIMS} claims, on memory, {CALLERS} callers");
    println!("{:<30} {:>10} {:>10} {:>8}", "", "small µs", "large µs", "ratio");
    let small = Stage::with_claims(&office, ROOM, 2).await;
    let large = Stage::with_claims(&office, ROOM, CLAIMS).await;
    for command in [
        Command::HoldTooMany,
        Command::CancelTwice,
        Command::CancelWhatIsSomebodyElses,
        Command::CancelTheEventOfAnother,
    ] {
        compare(command, &small, &large).await;
    }
    // The holds of this comparison add claims to the small section, so it comes after the others.
    compare(Command::Hold, &small, &large).await;
    let small = Stage::with_claims(&office, 1, 1).await;
    let large = Stage::with_claims(&office, CLAIMS, CLAIMS).await;
    compare(Command::HoldWhenSoldOut, &small, &large).await;
    engine.shut_down(Duration::from_secs(10)).await;
}

/// Sends the command to both sections in turn, so that noise of the machine affects both. Prints the median times.
#[expect(clippy::print_stdout, reason = "a benchmark prints its results")]
async fn compare(command: Command, small: &Stage, large: &Stage) {
    let (mut in_small, mut in_large) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        in_small.push(round(command, small).await);
        in_large.push(round(command, large).await);
    }
    let (small, large) = (median(in_small), median(in_large));
    println!(
        "{:<30} {small:>10.1} {large:>10.1} {:>8.2}",
        command.name(),
        large / small
    );
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Lets all callers send their commands. Returns the time divided by the number of commands, in microseconds.
async fn round(command: Command, stage: &Stage) -> f64 {
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let stage = stage.clone();
        callers.spawn(async move {
            for _ in 0..EACH {
                stage.ask(command, caller).await;
            }
        });
    }
    callers.join_all().await;
    began.elapsed().as_secs_f64() * 1e6 / (CALLERS * EACH) as f64
}

impl Stage {
    async fn with_claims(office: &BoxOffice, capacity: u32, claims: u32) -> Self {
        let event = on_sale(office, Seating::GeneralAdmission { capacity }).await;
        let mut stage = Self {
            office: office.clone(),
            event,
            held: None,
            given_up: None,
        };
        if capacity > claims {
            stage.given_up = Some(stage.hold(0).await);
            let given_up = stage.cancel(stage.given_up, 0).await;
            given_up.expect("a hold can be cancelled");
        }
        stage.held = Some(stage.hold(0).await);
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS as u32 {
            let left = claims - 1;
            let mine = left / CALLERS as u32 + u32::from(caller < left % CALLERS as u32);
            let stage = stage.clone();
            callers.spawn(async move {
                for _ in 0..mine {
                    stage.hold(caller as usize).await;
                }
            });
        }
        callers.join_all().await;
        stage
    }

    async fn hold(&self, caller: usize) -> ReservationId {
        let held = self
            .office
            .hold(request(customer(caller), hold_of(self.event, 1)))
            .await;
        held.expect("the section has free seats").value.reservation_id
    }

    async fn cancel(&self, reservation: Option<ReservationId>, caller: usize) -> Result<(), Failure> {
        let reservation = reservation.expect("the section has a reservation to cancel");
        let cancelled = self
            .office
            .cancel_reservation(request(customer(caller), reservation))
            .await;
        cancelled.map(drop)
    }

    /// Sends the command once.
    ///
    /// # Panics
    /// When the command does not end as its name says, for example when `HoldTooMany` is not refused.
    async fn ask(&self, command: Command, caller: usize) {
        let hold = |quantity| {
            self.office
                .hold(request(customer(caller), hold_of(self.event, quantity)))
        };
        let ended = match command {
            Command::Hold => {
                self.hold(caller).await;
                return;
            }
            Command::HoldTooMany => hold(9).await.map(drop),
            Command::HoldWhenSoldOut => hold(1).await.map(drop),
            Command::CancelTwice => self.cancel(self.given_up, 0).await,
            Command::CancelWhatIsSomebodyElses => self.cancel(self.held, caller + 1).await,
            Command::CancelTheEventOfAnother => {
                let cancel = CancelEvent {
                    event_id: self.event,
                    reason: None,
                };
                self.office
                    .cancel_event(request(customer(caller), cancel))
                    .await
                    .map(drop)
            }
        };
        let as_expected = match command {
            Command::Hold => false,
            Command::HoldTooMany => matches!(ended, Err(Failure::Refused(Refusal::InvalidQuantity { .. }))),
            Command::HoldWhenSoldOut => matches!(ended, Err(Failure::Refused(Refusal::InsufficientInventory { .. }))),
            Command::CancelTwice => matches!(ended, Err(Failure::Refused(Refusal::InvalidStateTransition { .. }))),
            Command::CancelWhatIsSomebodyElses => {
                matches!(ended, Err(Failure::Refused(Refusal::ReservationNotFound(_))))
            }
            Command::CancelTheEventOfAnother => matches!(ended, Err(Failure::Refused(Refusal::Forbidden))),
        };
        assert!(as_expected, "{command:?}: {ended:?}");
    }
}
