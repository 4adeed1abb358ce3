//! Measures how many facts the read models apply in a second, and how long a rebuild from a million facts takes.
//!
//! The program starts a PostgreSQL server of its own, which writes each commit to the disk. The time for reading the
//! log is not part of the figures. Run with `cargo bench -p adapters-postgres`.

#[path = "../tests/support/log.rs"]
mod log;

use std::time::Instant;

use adapters_postgres::{Database, DatabaseOptions, PostgresReadModels, Purpose};
use test_services::OwnedPostgres;
use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::{Position, Version};
use ticketing_ports::read_models::changes::{Change, PaymentChange, ReservationChange, Said, SeatMove};
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::read_models::store::{ProjectedBatch, ProjectionStore};
use ticketing_ports::vocabulary::ids::PaymentId;
use ticketing_ports::vocabulary::payment::{MethodKind, PaymentStatus};
use ticketing_ports::vocabulary::reservation::{ReservationStatus, Ticket};

const BATCH: u64 = 1_000;
const REBUILT: u64 = 1_000_000;
/// How many facts one purchase consists of, from the hold to the tickets.
const EVENTS_OF_A_PURCHASE: u64 = 9;
/// How many purchases are under way at once in the log that is rebuilt from.
const UNDER_WAY: u64 = 500;

#[expect(clippy::print_stdout, reason = "the figures are the purpose of the program")]
fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a Tokio runtime can be started");
    runtime.block_on(async {
        let server = OwnedPostgres::start().await.expect("PostgreSQL is installed");
        let models = read_models(&server).await;
        let seconds = apply(&models, 200_000, hold).await;
        println!(
            "holds: {:>7.0} a second, {:>7.0} events a second",
            100_000. / seconds,
            200_000. / seconds
        );

        let begun = Instant::now();
        let models = read_models(&server).await;
        let twin = models
            .begin_rebuild()
            .await
            .expect("no other process rebuilds this database");
        let seconds = apply(twin.as_ref(), REBUILT, step).await;
        models.switch_to(twin).await.expect("no reader holds up the switch");
        println!("purchases: {:>7.0} events a second", REBUILT as f64 / seconds);
        println!("rebuild of {REBUILT} events: {:.1} s", begun.elapsed().as_secs_f64());
    });
}

async fn read_models(server: &OwnedPostgres) -> PostgresReadModels {
    let url = server.fresh_database("bench").await.expect("a database can be made");
    let database = Database::connect(Purpose::Projections, &url, &DatabaseOptions::default())
        .await
        .expect("the server answers");
    database.migrate().await.expect("an empty database can be migrated");
    PostgresReadModels::new(&database)
}

/// Applies this many facts in batches, and returns how many seconds that took.
async fn apply(models: &dyn ProjectionStore, events: u64, changes: impl Fn(u64) -> Vec<Change>) -> f64 {
    models
        .apply(log::batch(0, 1))
        .await
        .expect("the first batch can be applied to empty tables");
    let mut spent = 0.;
    for first in (0..events).step_by(BATCH as usize) {
        let batch = ProjectedBatch {
            after: Mark::of_no_log(Position(first + 1)),
            upto: Mark::of_no_log(Position(first + BATCH + 1)),
            changes: (first..first + BATCH).flat_map(&changes).collect(),
        };
        let begun = Instant::now();
        models
            .apply(batch)
            .await
            .expect("each batch begins where the batch before it ended");
        spent += begun.elapsed().as_secs_f64();
    }
    spent
}

/// Makes the changes of one fact. Facts with an even number make a reservation row, and facts with an odd number
/// change the counts of a section.
fn hold(event: u64) -> Vec<Change> {
    if event.is_multiple_of(2) {
        vec![Change::ReservationHeld(log::reservation(event / 2))]
    } else {
        vec![log::held(1, 1, event)]
    }
}

/// Makes the changes of one fact of a log in which many purchases go on side by side, and each fact takes one
/// purchase one step further.
fn step(event: u64) -> Vec<Change> {
    let round = event / (UNDER_WAY * EVENTS_OF_A_PURCHASE);
    let purchase = round * UNDER_WAY + event % UNDER_WAY;
    let reservation_id = log::reservation_id(purchase);
    let payment_id = PaymentId::new(reservation_id.uuid());
    let reserved = |status, version| ReservationChange {
        status: Some(status),
        payment_id: Said::Now(payment_id),
        ..ReservationChange::of(reservation_id, Version(version))
    };
    let paid = |status, version| {
        vec![Change::PaymentChanged(PaymentChange {
            payment_id,
            status: Some(status),
            version: Version(version),
            updated_at: log::at(event),
            last_four: None,
            refunded_amount: None,
        })]
    };
    match event / UNDER_WAY % EVENTS_OF_A_PURCHASE {
        0 => vec![Change::ReservationHeld(log::reservation(purchase))],
        1 => vec![log::held(1, 1, event)],
        2 => vec![Change::PaymentRequested(requested(purchase, payment_id))],
        3 => vec![Change::ReservationChanged(reserved(
            ReservationStatus::PaymentPending,
            2,
        ))],
        4 => paid(PaymentStatus::Authorized, 2),
        5 => paid(PaymentStatus::Authorized, 3),
        6 => paid(PaymentStatus::Captured, 4),
        7 => vec![
            Change::ReservationChanged(ReservationChange {
                completed_at: Some(log::at(event)),
                tickets: vec![Ticket {
                    ticket_id: ticketing_ports::vocabulary::ids::TicketId::new(reservation_id.uuid()),
                    line_id: ticketing_ports::vocabulary::ids::LineId::first_of(reservation_id),
                    seat_id: None,
                }],
                ..reserved(ReservationStatus::Completed, 3)
            }),
            Change::TicketsSold(log::sale(purchase)),
        ],
        _ => vec![Change::SeatsMoved {
            section_id: log::section_id(1),
            moved: SeatMove {
                held: -1,
                sold: 1,
                ..SeatMove::default()
            },
            at: log::at(event),
        }],
    }
}

fn requested(purchase: u64, payment_id: PaymentId) -> PaymentView {
    let reservation = log::reservation(purchase);
    PaymentView {
        payment_id,
        reservation_id: reservation.reservation_id,
        event_id: reservation.event_id,
        customer_id: reservation.customer_id,
        amount: reservation.total_amount,
        refunded_amount: log::eur(0),
        status: PaymentStatus::Pending,
        method: MethodKind::Card,
        last_four: None,
        created_at: reservation.created_at,
        updated_at: reservation.created_at,
        version: Version(1),
    }
}
