//! Makes read models from the log in the test itself, and checks that a server answers the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use adapters_external::SystemClock;
use adapters_memory::{InMemoryDeadLetterStore, InMemoryReadModels};
use adapters_postgres::{Database, DatabaseOptions, PostgresEventStore, Purpose};
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use ticketing_ports::log::dead_letters::DeadLetterStore as _;
use ticketing_ports::log::streams::Position;
use ticketing_ports::outside::clock::Clock as _;
use ticketing_ports::read_models::availability::AvailabilityQueries as _;
use ticketing_ports::read_models::reservations::ReservationQueries as _;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId};
use ticketing_ports::vocabulary::paging::Page;
use ticketing_runtime::{ProjectionFollower, READ_MODELS, rebuild};

use super::office::Person;
use super::waiting::{PATIENCE, Patience};
use super::{Installation, Server};

/// Read models that the test has made in memory from the whole log, independently of every server.
pub(crate) struct Fold(pub(crate) Arc<InMemoryReadModels>);

impl Fold {
    pub(crate) async fn of(installation: &Installation) -> anyhow::Result<Self> {
        let url = installation.variable("DATABASE_URL_EVENTS")?;
        let options = DatabaseOptions {
            acquire_timeout: PATIENCE,
            ..DatabaseOptions::default()
        };
        let database = Database::connect(Purpose::Events, url, &options).await?;
        let log = Arc::new(PostgresEventStore::new(&database));
        let models = Arc::new(InMemoryReadModels::new());
        let letters = Arc::new(InMemoryDeadLetterStore::new());
        let mut follower = ProjectionFollower::read_models(models.clone());
        let clock = Arc::new(SystemClock::new());
        let folded = rebuild(log, &mut follower, letters.clone(), clock, |_, _| {}).await;
        folded.map_err(anyhow::Error::from_boxed)?;
        database.close().await;
        let unread = letters.letters(READ_MODELS, Position::START, 1).await?;
        ensure!(unread.is_empty(), "{unread:?}");
        Ok(Self(models))
    }

    /// Returns the availability of an event, in the form in which a server answers it.
    pub(crate) async fn availability(&self, event: EventId) -> anyhow::Result<Value> {
        let availability = self
            .0
            .availability(event, SystemClock::new().now())
            .await?
            .context("the event is in the log")?;
        let sections: BTreeMap<_, _> = availability
            .sections
            .iter()
            .map(|section| {
                let counts = section.counts;
                let body = json!({
                    "available": counts.available, "reserved": counts.held, "sold": counts.sold,
                    "blocked": counts.blocked, "total_capacity": section.total_capacity,
                });
                (section.name.as_str(), body)
            })
            .collect();
        Ok(json!({ "sections": sections, "sequence": availability.sequence, "lapsed": availability.lapsed }))
    }

    /// Returns the reservations of a customer with their statuses, newest first.
    pub(crate) async fn reservations(&self, customer: CustomerId) -> anyhow::Result<Vec<(String, String)>> {
        let mut rows = Vec::new();
        for number in 1.. {
            let page = Page::new(number, Page::MAX_SIZE).context("a page")?;
            let listed = self.0.reservations_of(customer, page).await?.rows;
            if listed.is_empty() {
                break;
            }
            rows.extend(listed);
        }
        let told = |row: ReservationView| (row.reservation_id.to_string(), row.status.as_str().to_owned());
        Ok(rows.into_iter().map(told).collect())
    }
}

/// Waits until a server's answers agree with the log: what it tells of the installation's event, and what it tells each
/// of these customers of their reservations.
pub(crate) async fn answers_as_the_log_says(
    installation: &Installation,
    server: &Server,
    customers: &mut [(CustomerId, Person)],
) -> anyhow::Result<()> {
    let event = EventId::new(server.event.parse()?);
    let mut visitor = Person::anonymous(server)?;
    let patience = Patience::new();
    // The log is read anew for each try, because holds may run out meanwhile.
    while let Some(difference) = difference(installation, event, &mut visitor, customers).await? {
        patience.pause(|| difference).await?;
    }
    Ok(())
}

/// Returns how a server's answers differ from the log; `None` if they agree. The availability comes from the live board
/// and the reservations from the read models. Each of the two follows the log by itself, so that one may show facts that
/// the other does not show yet.
async fn difference(
    installation: &Installation,
    event: EventId,
    visitor: &mut Person,
    customers: &mut [(CustomerId, Person)],
) -> anyhow::Result<Option<String>> {
    let fold = Fold::of(installation).await?;
    let wanted = fold.availability(event).await?;
    let said = visitor.get(&format!("/api/events/{event}/availability")).await?;
    let (status, shown) = (said.status, without_times(said.body));
    if status != 200 || shown != wanted {
        let difference = format!("the log says {wanted}, but the server says {status} {shown}");
        return Ok(Some(difference));
    }
    for (id, customer) in customers {
        let wanted = fold.reservations(*id).await?;
        let rows = reservations_of(customer).await?;
        if rows != wanted {
            let difference = format!("the log says {wanted:?}, but the server says {rows:?}");
            return Ok(Some(difference));
        }
    }
    Ok(None)
}

/// Returns the reservations that a customer is shown over HTTP, newest first.
async fn reservations_of(customer: &mut Person) -> anyhow::Result<Vec<(String, String)>> {
    let mut rows = Vec::new();
    for page in 1.. {
        let list = format!("/api/reservations?per_page=100&page={page}");
        let said = customer.get(&list).await?.expect(200)?;
        let listed = said.body["reservations"].as_array().context("a list")?;
        if listed.is_empty() {
            break;
        }
        let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
        rows.extend(
            listed
                .iter()
                .map(|row| (text(row, "reservation_id"), text(row, "status"))),
        );
    }
    Ok(rows)
}

fn without_times(mut availability: Value) -> Value {
    if let Some(body) = availability.as_object_mut() {
        body.remove("event_id");
        for section in body
            .get_mut("sections")
            .and_then(Value::as_object_mut)
            .into_iter()
            .flatten()
        {
            if let Some(counts) = section.1.as_object_mut() {
                counts.remove("last_updated");
            }
        }
    }
    availability
}
