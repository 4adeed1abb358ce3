//! Reads the books of one event back over HTTP: every reservation, its history, its payments, and what is told in sum.

use std::collections::BTreeSet;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use hyper::header::HeaderValue;
use serde::de::DeserializeOwned;
use thiserror::Error;
use ticketing_ports::Timestamp;
use ticketing_ports::ids::{EventId, PaymentId, ReservationId};

use crate::books::Books;
use crate::client::{Ask, Bearer, Connection, ReadError, Target, path};
use crate::wire::{Availability, Event, History, Payment, PaymentPage, Reservation, ReservationPage, Sales};

const ROWS_A_PAGE: u64 = 100;

/// How often the books are read again when somebody wrote meanwhile.
const ATTEMPTS: u32 = 3;

/// Somebody whose session reads a part of the books, over a connection of its own.
#[derive(Debug, Clone)]
pub struct Reader {
    pub bearer: Bearer,
    /// Reservations that were answered, to be read one by one.
    pub reservations: Vec<ReservationId>,
    /// Whether they are the reader's own, so that its lists must show them and every other one it has.
    pub lists: bool,
    /// The answer to its last write: what it reads must show that write.
    pub consistency: Option<HeaderValue>,
}

#[derive(Debug, Error)]
pub enum AuditError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("event {0} is not there")]
    NoSuchEvent(EventId),
    #[error("reservation {0} is there and its {1} is not")]
    PartMissing(ReservationId, &'static str),
    #[error("the counts kept changing while the books were read: somebody else sells, or holds run out")]
    NotAtRest,
}

/// Reads everything. `owner` may read the analytics; without it those are left out.
///
/// # Errors
/// When something cannot be read. A reservation that is not there is no error: the checker says what it means.
pub async fn read_books(
    target: &Target,
    event: EventId,
    readers: &[Reader],
    owner: Option<&Bearer>,
    now: Timestamp,
) -> Result<Books, AuditError> {
    let mut connection = Connection::new(target.clone());
    let terms: Event = read(&mut connection, event, Ask::get(path(format!("/api/events/{event}")))).await?;
    for _ in 0..ATTEMPTS {
        let before = availability(&mut connection, event, readers).await?;
        let mut books = merge(target, event, readers).await?;
        if let Some(owner) = owner {
            let ask = Ask::get(path(format!("/api/events/{event}/analytics"))).bearer(owner);
            let last = readers.iter().rev().find_map(|reader| reader.consistency.as_ref());
            books.sales = Some(read::<Sales>(&mut connection, event, ask.seeing(last)).await?);
        }
        let after = availability(&mut connection, event, readers).await?;
        if before.sequence == after.sequence {
            books.sections = after.sections;
            books.refunds_in_full = refunds_in_full(&terms, now);
            return Ok(books);
        }
    }
    Err(AuditError::NotAtRest)
}

async fn read<T: DeserializeOwned>(connection: &mut Connection, event: EventId, ask: Ask) -> Result<T, AuditError> {
    connection.read(ask).await?.ok_or(AuditError::NoSuchEvent(event))
}

/// Reads the counts so that they show the last write of every reader.
async fn availability(
    connection: &mut Connection,
    event: EventId,
    readers: &[Reader],
) -> Result<Availability, AuditError> {
    let ask = Ask::get(path(format!("/api/events/{event}/availability")));
    for reader in readers.iter().filter(|reader| reader.consistency.is_some()) {
        let ask = ask.clone().seeing(reader.consistency.as_ref());
        read::<Availability>(connection, event, ask).await?;
    }
    read(connection, event, ask).await
}

fn refunds_in_full(event: &Event, now: Timestamp) -> bool {
    let hours_left = (event.starts_at - now).num_hours();
    event
        .refund_policy
        .iter()
        .any(|rule| rule.percent == 100 && hours_left >= i64::from(rule.hours_before))
}

async fn merge(target: &Target, event: EventId, readers: &[Reader]) -> Result<Books, AuditError> {
    let parts: Vec<Books> = stream::iter(readers)
        .map(|reader| read_part(Connection::new(target.clone()), event, reader))
        .buffer_unordered(readers.len().max(1))
        .try_collect()
        .await?;
    let everybody_listed = readers.iter().all(|reader| reader.lists);
    let mut books = Books {
        listed: everybody_listed.then(BTreeSet::new),
        ..Books::default()
    };
    for part in parts {
        books.reservations.extend(part.reservations);
        books.payments.extend(part.payments);
        books.histories.extend(part.histories);
        if let (Some(listed), Some(more)) = (&mut books.listed, part.listed) {
            listed.extend(more);
        }
    }
    Ok(books)
}

async fn read_part(mut connection: Connection, event: EventId, reader: &Reader) -> Result<Books, AuditError> {
    let mut books = Books::default();
    let mut wanted: BTreeSet<ReservationId> = reader.reservations.iter().copied().collect();
    if reader.lists {
        let listed = listed_reservations(&mut connection, event, reader).await?;
        wanted.extend(&listed);
        books.listed = Some(listed);
        for payment in listed_payments(&mut connection, reader).await? {
            // Payments for other events are none of this event's business.
            if wanted.contains(&payment.reservation_id) {
                books.payments.insert(payment.payment_id, payment);
            }
        }
    }
    for id in wanted {
        let ask = |what: &str| Ask::get(path(format!("/api/reservations/{id}{what}"))).bearer(&reader.bearer);
        let Some(reservation) = connection.read::<Reservation>(ask("")).await? else {
            continue;
        };
        let history: Option<History> = connection.read(ask("/history")).await?;
        let history = history.ok_or(AuditError::PartMissing(id, "history"))?;
        books
            .histories
            .insert(id, history.events.iter().map(|entry| entry.sequence).collect());
        if let Some(payment) = reservation.payment_id {
            let payment = payment_of(&mut connection, id, payment, reader).await?;
            books.payments.insert(payment.payment_id, payment);
        }
        books.reservations.insert(id, reservation);
    }
    Ok(books)
}

async fn payment_of(
    connection: &mut Connection,
    reservation: ReservationId,
    payment: PaymentId,
    reader: &Reader,
) -> Result<Payment, AuditError> {
    let ask = Ask::get(path(format!("/api/payments/{payment}"))).bearer(&reader.bearer);
    let payment = connection.read(ask).await?;
    payment.ok_or(AuditError::PartMissing(reservation, "payment"))
}

async fn listed_reservations(
    connection: &mut Connection,
    event: EventId,
    reader: &Reader,
) -> Result<BTreeSet<ReservationId>, AuditError> {
    let mut listed = BTreeSet::new();
    for page in 1.. {
        let Some(rows) = connection
            .read::<ReservationPage>(list("reservations", page, reader))
            .await?
        else {
            break;
        };
        let of_event = rows
            .reservations
            .iter()
            .filter(|reservation| reservation.event_id == event);
        listed.extend(of_event.map(|reservation| reservation.reservation_id));
        if page * ROWS_A_PAGE >= rows.total {
            break;
        }
    }
    Ok(listed)
}

async fn listed_payments(connection: &mut Connection, reader: &Reader) -> Result<Vec<Payment>, AuditError> {
    let mut listed = Vec::new();
    for page in 1.. {
        let Some(rows) = connection.read::<PaymentPage>(list("payments", page, reader)).await? else {
            break;
        };
        listed.extend(rows.payments);
        if page * ROWS_A_PAGE >= rows.total {
            break;
        }
    }
    Ok(listed)
}

fn list(of: &str, page: u64, reader: &Reader) -> Ask {
    Ask::get(path(format!("/api/{of}?page={page}&per_page={ROWS_A_PAGE}")))
        .bearer(&reader.bearer)
        .seeing(reader.consistency.as_ref())
}
