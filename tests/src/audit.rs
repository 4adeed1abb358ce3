//! Reads the books of one event back over HTTP: every reservation, its history, its payments, and the sums that the
//! server shows.

use std::collections::BTreeSet;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use hyper::header::HeaderValue;
use serde::de::DeserializeOwned;
use thiserror::Error;
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{EventId, PaymentId, ReservationId};

use crate::books::Books;
use crate::client::{Ask, Bearer, Connection, ReadError, Target, path};
use crate::wire::{Availability, Event, History, Payment, PaymentPage, Reservation, ReservationPage, Sales};

const ROWS_A_PAGE: u64 = 100;

/// How many times the books are read again if something was written while they were read.
const ATTEMPTS: u32 = 3;

/// Which books to read, and with whose sessions.
#[derive(Debug, Clone)]
pub struct Audit {
    pub target: Target,
    pub event: EventId,
    pub readers: Vec<Reader>,
    /// A session that may read the analytics. Without one the analytics are not read.
    pub owner: Option<Bearer>,
    /// The consistency tokens of the last writes. They are sent with the requests for totals, which must then include
    /// these writes.
    pub consistency: Vec<HeaderValue>,
    pub now: Timestamp,
}

/// Who reads a part of the books: a session, which reads over a connection of its own.
#[derive(Debug, Clone)]
pub struct Reader {
    pub bearer: Bearer,
    /// Reservations that the server has named in its answers. This reader reads each of them by its id.
    pub reservations: Vec<ReservationId>,
    /// How this reader also reads the lists of its session; `None` if it does not. For each session one reader must
    /// read the lists, or the lists are not checked at all.
    pub lists: Option<Lists>,
}

/// How to read the lists of a session.
#[derive(Debug, Clone)]
pub struct Lists {
    /// The reads must show the write that was answered with this token.
    pub consistency: Option<HeaderValue>,
}

#[derive(Debug, Error)]
pub enum AuditError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("event {0} does not exist")]
    NoSuchEvent(EventId),
    #[error("reservation {0} exists, but its {1} does not")]
    PartMissing(ReservationId, &'static str),
    #[error("the counts kept changing while the books were read: somebody else sells tickets, or holds run out")]
    NotAtRest,
}

impl Audit {
    /// Reads the whole books, with one connection for each reader.
    ///
    /// # Errors
    /// Fails if a resource cannot be read. A reservation that does not exist is no error here;
    /// [`check`](crate::books::check) judges it.
    pub async fn read_books(&self) -> Result<Books, AuditError> {
        let mut connection = Connection::new(self.target.clone());
        let terms: Event = self.read_sum(&mut connection, "", None).await?;
        for _ in 0..ATTEMPTS {
            let before = self.availability(&mut connection).await?;
            let mut books = self.read_parts().await?;
            if self.owner.is_some() {
                let sales: Sales = self
                    .read_sum(&mut connection, "/analytics", self.consistency.last())
                    .await?;
                books.sales = Some(sales);
            }
            let after = self.availability(&mut connection).await?;
            if before.sequence == after.sequence {
                books.sections = after.sections;
                books.refunds_in_full = refunds_in_full(&terms, self.now);
                books.max_seats_per_customer = terms.max_seats_per_customer;
                books.terms = (&terms).into();
                return Ok(books);
            }
        }
        Err(AuditError::NotAtRest)
    }

    /// Reads how many places of each section are available, held and sold, as soon as the read models include every
    /// write.
    async fn availability(&self, connection: &mut Connection) -> Result<Availability, AuditError> {
        for token in &self.consistency {
            let _: Availability = self.read_sum(connection, "/availability", Some(token)).await?;
        }
        self.read_sum(connection, "/availability", None).await
    }

    /// Reads a resource that concerns the whole event, such as its analytics.
    async fn read_sum<T: DeserializeOwned>(
        &self,
        connection: &mut Connection,
        what: &str,
        seeing: Option<&HeaderValue>,
    ) -> Result<T, AuditError> {
        let mut ask = Ask::get(path(format!("/api/events/{}{what}", self.event))).seeing(seeing);
        if let Some(owner) = &self.owner {
            ask = ask.bearer(owner);
        }
        connection.read(ask).await?.ok_or(AuditError::NoSuchEvent(self.event))
    }

    async fn read_parts(&self) -> Result<Books, AuditError> {
        let answered: BTreeSet<_> = self
            .readers
            .iter()
            .flat_map(|reader| &reader.reservations)
            .copied()
            .collect();
        let parts: Vec<Books> = stream::iter(&self.readers)
            .map(|reader| self.read_part(reader, &answered))
            .buffer_unordered(self.readers.len().max(1))
            .try_collect()
            .await?;
        let mut books = Books::default();
        for part in parts {
            books.reservations.extend(part.reservations);
            books.payments.extend(part.payments);
            books.histories.extend(part.histories);
            if let Some(listed) = part.listed {
                books.listed.get_or_insert_default().extend(listed);
            }
        }
        Ok(books)
    }

    async fn read_part(&self, reader: &Reader, answered: &BTreeSet<ReservationId>) -> Result<Books, AuditError> {
        let mut connection = Connection::new(self.target.clone());
        let mut books = Books::default();
        let mut wanted = reader.reservations.clone();
        if let Some(lists) = &reader.lists {
            let listed = listed_reservations(&mut connection, self.event, reader, lists).await?;
            let payments = listed_payments(&mut connection, reader, lists).await?;
            // The same session may have paid for other events too.
            let of_event = payments
                .into_iter()
                .filter(|payment| listed.contains(&payment.reservation_id));
            books
                .payments
                .extend(of_event.map(|payment| (payment.payment_id, payment)));
            wanted.extend(listed.difference(answered));
            books.listed = Some(listed);
        }
        for id in wanted {
            read_reservation(&mut connection, id, reader, &mut books).await?;
        }
        Ok(books)
    }
}

fn refunds_in_full(event: &Event, now: Timestamp) -> bool {
    let hours_left = (event.starts_at - now).num_hours();
    event
        .refund_policy
        .iter()
        .any(|rule| rule.percent == 100 && hours_left >= i64::from(rule.hours_before))
}

/// Adds a reservation with its history and its payment, if the server has it.
async fn read_reservation(
    connection: &mut Connection,
    id: ReservationId,
    reader: &Reader,
    books: &mut Books,
) -> Result<(), AuditError> {
    let ask = |what: &str| Ask::get(path(format!("/api/reservations/{id}{what}"))).bearer(&reader.bearer);
    let Some(reservation) = connection.read::<Reservation>(ask("")).await? else {
        return Ok(());
    };
    let history: Option<History> = connection.read(ask("/history")).await?;
    let history = history.ok_or(AuditError::PartMissing(id, "history"))?;
    books
        .histories
        .insert(id, history.events.iter().map(|entry| entry.sequence).collect());
    if let Some(payment) = reservation.payment_id {
        let payment = payment_of(connection, id, payment, reader).await?;
        books.payments.insert(payment.payment_id, payment);
    }
    books.reservations.insert(id, reservation);
    Ok(())
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
    lists: &Lists,
) -> Result<BTreeSet<ReservationId>, AuditError> {
    let mut listed = BTreeSet::new();
    for page in 1.. {
        let Some(rows) = connection
            .read::<ReservationPage>(list("reservations", page, reader, lists))
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

async fn listed_payments(
    connection: &mut Connection,
    reader: &Reader,
    lists: &Lists,
) -> Result<Vec<Payment>, AuditError> {
    let mut listed = Vec::new();
    for page in 1.. {
        let Some(rows) = connection
            .read::<PaymentPage>(list("payments", page, reader, lists))
            .await?
        else {
            break;
        };
        listed.extend(rows.payments);
        if page * ROWS_A_PAGE >= rows.total {
            break;
        }
    }
    Ok(listed)
}

fn list(of: &str, page: u64, reader: &Reader, lists: &Lists) -> Ask {
    Ask::get(path(format!("/api/{of}?page={page}&per_page={ROWS_A_PAGE}")))
        .bearer(&reader.bearer)
        .seeing(lists.consistency.as_ref())
}
