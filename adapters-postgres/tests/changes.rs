//! Tests that a batch of changes makes the same rows as its changes applied one at a time, and that rows with
//! impossible values are errors.

#[path = "support/log.rs"]
#[expect(dead_code, reason = "this test cuts its batches in a way of its own")]
mod log;
mod support;

use adapters_postgres::{Database, PostgresReadModels, Purpose};
use ticketing_ports::Timestamp;
use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::{Position, Version};
use ticketing_ports::people::users::UserStore;
use ticketing_ports::read_models::availability::AvailabilityQueries;
use ticketing_ports::read_models::changes::{Change, PaymentChange, ReservationChange, Said, SeatMove};
use ticketing_ports::read_models::events::EventQueries;
use ticketing_ports::read_models::payments::PaymentQueries;
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::read_models::reservations::ReservationQueries;
use ticketing_ports::read_models::sales::SalesQueries;
use ticketing_ports::read_models::store::{ApplyError, ProjectedBatch, ProjectionStore};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::ids::PaymentId;
use ticketing_ports::vocabulary::paging::Page;
use ticketing_ports::vocabulary::payment::{MethodKind, PaymentStatus};
use ticketing_ports::vocabulary::reservation::{ReservationStatus, Ticket};

use log::{at, eur};

const PURCHASES: u64 = 30;

async fn apply(models: &PostgresReadModels, changes: Vec<Change>) -> Result<(), ApplyError> {
    let after = models.checkpoint().await?;
    let upto = Mark::of_no_log(after.position.plus(1));
    models.apply(ProjectedBatch { after, upto, changes }).await
}

fn payment(number: u64) -> PaymentView {
    PaymentView {
        payment_id: PaymentId::new(log::reservation_id(number).uuid()),
        reservation_id: log::reservation_id(number),
        event_id: log::event_id(),
        customer_id: log::customer(),
        amount: eur(1_500),
        refunded_amount: eur(0),
        status: PaymentStatus::Pending,
        method: MethodKind::Card,
        last_four: None,
        created_at: at(number),
        updated_at: at(number),
        version: Version(1),
    }
}

fn paid(number: u64, status: PaymentStatus, version: u64) -> PaymentChange {
    PaymentChange {
        payment_id: payment(number).payment_id,
        status: Some(status),
        version: Version(version),
        updated_at: at(1_000 + version),
        last_four: None,
        refunded_amount: None,
    }
}

fn reserved(number: u64, status: ReservationStatus, version: u64) -> ReservationChange {
    ReservationChange {
        status: Some(status),
        ..ReservationChange::of(log::reservation_id(number), Version(version))
    }
}

fn sold(number: u64) -> Change {
    Change::SeatsMoved {
        section_id: log::section_id(1),
        moved: SeatMove {
            held: -1,
            sold: 1,
            ..SeatMove::default()
        },
        at: at(2_000 + number),
    }
}

/// Makes the changes of one purchase, in order. The tickets of every third purchase are returned, and every fifth
/// purchase is refunded in part.
fn story(number: u64) -> Vec<Change> {
    let mut story = vec![
        Change::ReservationHeld(log::reservation(number)),
        log::held(1, 1, number),
        Change::PaymentRequested(payment(number)),
        Change::ReservationChanged(ReservationChange {
            payment_id: Said::Now(payment(number).payment_id),
            ..reserved(number, ReservationStatus::PaymentPending, 2)
        }),
        Change::PaymentChanged(PaymentChange {
            last_four: Some(format!("{number:04}")),
            ..paid(number, PaymentStatus::Authorized, 2)
        }),
        Change::PaymentChanged(paid(number, PaymentStatus::Captured, 3)),
        Change::ReservationChanged(ReservationChange {
            completed_at: Some(at(3_000 + number)),
            tickets: vec![Ticket {
                ticket_id: ticketing_ports::vocabulary::ids::TicketId::new(log::reservation_id(number).uuid()),
                line_id: ticketing_ports::vocabulary::ids::LineId::first_of(log::reservation_id(number)),
                seat_id: None,
            }],
            ..reserved(number, ReservationStatus::Completed, 3)
        }),
        Change::TicketsSold(log::sale(number)),
        sold(number),
    ];
    if number.is_multiple_of(3) {
        story.push(Change::ReservationChanged(reserved(
            number,
            ReservationStatus::Refunded,
            4,
        )));
        story.push(Change::TicketsReturned {
            reservation_id: log::reservation_id(number),
        });
    }
    if number.is_multiple_of(5) {
        for (part, version) in [(200, 4), (300, 5)] {
            story.push(Change::PaymentChanged(PaymentChange {
                refunded_amount: Some(eur(part)),
                ..paid(number, PaymentStatus::PartiallyRefunded, version)
            }));
            story.push(Change::SaleRefunded {
                reservation_id: log::reservation_id(number),
                amount: eur(part),
            });
        }
    }
    story
}

/// Mixes the changes of all purchases, differently for each seed. The changes of one purchase stay in order.
fn shuffled(seed: u64) -> Vec<Change> {
    let mut chance = seed;
    let mut stories: Vec<_> = (1..=PURCHASES).map(|number| story(number).into_iter()).collect();
    let mut changes = log::changes(1);
    while !stories.is_empty() {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let turn = usize::try_from(chance >> 33).expect("a number of 31 bits fits into a `usize`") % stories.len();
        match stories[turn].next() {
            Some(change) => changes.push(change),
            None => drop(stories.swap_remove(turn)),
        }
    }
    changes.push(Change::EventChanged {
        event_id: log::event_id(),
        status: Some(EventStatus::SalesClosed),
        version: Version(2),
    });
    changes
}

/// Returns the answers to all queries as one text, so that two databases can be compared.
async fn everything(models: &PostgresReadModels) -> Result<String, StoreError> {
    let page = Page::new(1, 100).expect("page 1 of 100 rows is a valid page");
    let customer = log::customer();
    Ok(format!(
        "{:#?}",
        (
            models.event(log::event_id()).await?,
            models.availability(log::event_id(), Timestamp::UNIX_EPOCH).await?,
            models.reservations_of(customer, page).await?,
            models.payments_of(customer, page).await?,
            models.purchases_of(customer, page).await?,
            models.lifetime_value(customer).await?,
            models.event_sales(log::event_id()).await?,
        )
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_what_its_changes_are_one_by_one() {
    for seed in 1..=3 {
        let mut tellings = Vec::new();
        for size in [1, 7, 100, usize::MAX] {
            let models = PostgresReadModels::new(&support::fresh(Purpose::Projections).await);
            for changes in shuffled(seed).chunks(size) {
                apply(&models, changes.to_vec()).await.unwrap();
            }
            tellings.push(everything(&models).await.unwrap());
        }
        assert!(tellings[0].contains("PartiallyRefunded"));
        for telling in &tellings[1..] {
            pretty_equal(telling, &tellings[0]);
        }
    }
}

/// Compares two texts line by line, because the whole texts are too long for a failure message.
fn pretty_equal(actual: &str, expected: &str) {
    for (number, (actual, expected)) in actual.lines().zip(expected.lines()).enumerate() {
        assert_eq!(actual, expected, "line {number}");
    }
    assert_eq!(actual.len(), expected.len());
}

#[tokio::test]
async fn what_the_server_will_never_take_is_inconsistent_and_changes_nothing() {
    let models = PostgresReadModels::new(&support::fresh(Purpose::Projections).await);
    apply(&models, [log::changes(1), story(1), story(5)].concat())
        .await
        .unwrap();
    let before = everything(&models).await.unwrap();
    let refund = |number, amount| Change::SaleRefunded {
        reservation_id: log::reservation_id(number),
        amount: eur(amount),
    };
    let never = [
        vec![log::held(1, -2, 9)],
        vec![log::held(2, i64::from(log::CAPACITY) + 1, 9)],
        vec![Change::PaymentChanged(PaymentChange {
            last_four: Some("\0".to_owned()),
            ..paid(1, PaymentStatus::Authorized, 9)
        })],
        // The refunds of one sale are out of range, first within one batch, then together with earlier refunds.
        vec![refund(1, i64::MAX), refund(1, 1)],
        vec![refund(5, i64::MAX)],
    ];
    for changes in never {
        let what = format!("{changes:?}");
        let refused = apply(&models, [vec![log::held(1, 1, 9)], changes].concat()).await;
        assert!(
            matches!(&refused, Err(ApplyError::Store(StoreError::Inconsistent { .. }))),
            "{refused:?} for {what}"
        );
        assert_eq!(everything(&models).await.unwrap(), before, "{what}");
    }
    assert_eq!(models.checkpoint().await.unwrap().position, Position(1));
}

#[tokio::test]
async fn sums_that_are_out_of_range_are_told_and_not_wrapped_around() {
    let models = PostgresReadModels::new(&support::fresh(Purpose::Projections).await);
    let priceless = |number| {
        let mut sale = log::sale(number);
        sale.total_amount = eur(i64::MAX);
        Change::TicketsSold(sale)
    };
    apply(&models, [log::changes(1), vec![priceless(1), priceless(2)]].concat())
        .await
        .unwrap();
    let of_event = models.event_sales(log::event_id()).await.map(drop);
    let of_customer = models.lifetime_value(log::customer()).await.map(drop);
    for answer in [of_event, of_customer] {
        assert!(
            matches!(answer, Err(StoreError::Inconsistent { table: "sales", .. })),
            "{answer:?}"
        );
    }
}

async fn spoil(database: &Database, statement: &'static str) {
    let done = sqlx::query(statement).execute(database.pool()).await;
    let rows = done.expect("the statement that spoils a row is valid").rows_affected();
    assert_eq!(rows, 1, "{statement}");
}

#[tokio::test]
async fn a_row_that_cannot_be_is_named() {
    let database = support::fresh(Purpose::Projections).await;
    let models = PostgresReadModels::new(&database);
    apply(&models, [log::changes(1), story(1)].concat()).await.unwrap();
    let page = Page::new(1, 10).unwrap();
    let customer = log::customer();

    spoil(&database, "UPDATE read_models.events SET status = 'sold_out'").await;
    spoil(&database, "UPDATE read_models.reservations SET version = -1").await;
    spoil(&database, "UPDATE read_models.payments SET view = '{}'").await;
    spoil(&database, "UPDATE read_models.sales SET currency = 'euro'").await;
    let answers = [
        (models.event(log::event_id()).await.map(drop), "events", "status"),
        (
            models.reservations_of(customer, page).await.map(drop),
            "reservations",
            "version",
        ),
        (models.payments_of(customer, page).await.map(drop), "payments", "view"),
        (models.lifetime_value(customer).await.map(drop), "sales", "currency"),
    ];
    for (answer, expected_table, expected_column) in answers {
        match answer {
            Err(StoreError::Inconsistent { table, column, .. }) => {
                assert_eq!((table, column), (expected_table, expected_column));
            }
            answer => panic!("{answer:?} from a spoilt row of {expected_table}"),
        }
    }
    spoil(&database, "DELETE FROM read_models.checkpoint").await;
    let lost = models.checkpoint().await;
    assert!(
        matches!(
            lost,
            Err(StoreError::Inconsistent {
                table: "checkpoint",
                ..
            })
        ),
        "{lost:?}"
    );
}

#[tokio::test]
async fn a_user_whose_role_nobody_knows_is_inconsistent() {
    let database = support::fresh(Purpose::Auth).await;
    let users = adapters_postgres::PostgresUserStore::new(&database);
    sqlx::query("INSERT INTO users VALUES (gen_random_uuid(), 'ada@example.com', 'emperor', now())")
        .execute(database.pool())
        .await
        .unwrap();
    let email = ticketing_ports::vocabulary::email::EmailAddress::parse("ada@example.com").unwrap();
    let found = users.find_by_email(&email).await;
    assert!(
        matches!(
            found,
            Err(StoreError::Inconsistent {
                table: "users",
                column: "role",
                ..
            })
        ),
        "{found:?}"
    );
}
