//! The law that the two sides never disagree: at any moment of any history, what the facts add up to on the write side
//! is what the read models show.
//!
//! Rows are what was recorded; [`ticketing_domain::status`] says what time has made of them. A store that keeps a row
//! wrongly, a projection that forgets a fact and a rule that is written down twice all break this law.

use std::collections::BTreeMap;
use std::fmt::Debug;

use chrono::TimeDelta;
use proptest::prelude::*;
use ticketing_domain::catalog::{CatalogState, EventDraft};
use ticketing_domain::facts::Fact;
use ticketing_domain::inventory::InventoryState;
use ticketing_domain::payment::PaymentState;
use ticketing_domain::projection::{self, Projection as _};
use ticketing_domain::reservation::ReservationState;
use ticketing_domain::status::{self, AsOf as _};
use ticketing_ports::Timestamp;
use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::{Position, RecordedEvent, Version};
use ticketing_ports::read_models::events::DraftsVisible;
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::read_models::store::ProjectedBatch;
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId};
use ticketing_ports::vocabulary::paging::Page;
use uuid::Uuid;

use crate::conformance::read_models::ReadModels;
use crate::generators::{House, Step, event_draft, steps};
use crate::scenario::start;

/// The draft of an event that goes on sale early, late or never, and the steps that are then tried with it.
#[derive(Debug, Clone)]
pub struct History {
    pub draft: EventDraft,
    /// The steps that are tried first, which usually put the event on sale.
    pub before: Vec<Step>,
    pub steps: Vec<Step>,
}

pub fn histories() -> impl Strategy<Value = History> {
    let wait = prop_oneof![
        Just(TimeDelta::zero()),
        (0..86_400_i64 * 100).prop_map(TimeDelta::seconds),
    ];
    let before = prop_oneof![
        6 => Just(vec![Step::Publish, Step::OpenSales]),
        1 => Just(Vec::new()),
        2 => (wait.clone(), wait).prop_map(|(first, second)| {
            vec![
                Step::Wait { time: first },
                Step::Deadline { which: 0 },
                Step::Publish,
                Step::Wait { time: second },
                Step::OpenSales,
            ]
        }),
    ];
    (event_draft(start()), before, steps()).prop_map(|(draft, before, steps)| History { draft, before, steps })
}

/// Plays the history, and compares both sides after every step and at every moment at which time alone changes
/// something.
///
/// # Errors
/// Describes the first disagreement.
pub async fn agree_all_along(models: &ReadModels, history: &History) -> Result<(), String> {
    let mut house = House::drafted(history.draft.clone(), start());
    let mut write_side = WriteSide::default();
    for step in history.before.iter().chain(&history.steps) {
        house.take(step);
        write_side.take(&house.log, models).await?;
        write_side.agrees(models, house.now).await?;
    }
    for moment in write_side.moments_after(house.now) {
        write_side.agrees(models, moment).await?;
    }
    Ok(())
}

/// Compares both sides at one moment. The read models must already have applied the whole log.
///
/// # Errors
/// Describes the first disagreement.
pub async fn agree(models: &ReadModels, log: &[RecordedEvent], now: Timestamp) -> Result<(), String> {
    let mut write_side = WriteSide::default();
    for fact in log {
        write_side.evolve(fact, &Fact::from_recorded(fact).map_err(said)?);
    }
    write_side.agrees(models, now).await
}

/// The state of every stream, as the write side computes it from the facts.
#[derive(Debug, Default)]
struct WriteSide {
    taken: usize,
    sections: BTreeMap<Uuid, (InventoryState, Version)>,
    catalogs: BTreeMap<Uuid, (CatalogState, Version)>,
    reservations: BTreeMap<Uuid, (ReservationState, Version)>,
    payments: BTreeMap<Uuid, (PaymentState, Version)>,
}

impl WriteSide {
    /// Applies the newest facts of the log, those that were not applied yet, to the write side and to the read
    /// models.
    async fn take(&mut self, log: &[RecordedEvent], models: &ReadModels) -> Result<(), String> {
        let new = &log[self.taken..];
        let (Some(first), Some(last)) = (new.first(), new.last()) else {
            return Ok(());
        };
        let mut changes = Vec::new();
        for fact in new {
            let typed = Fact::from_recorded(fact).map_err(said)?;
            self.evolve(fact, &typed);
            changes.extend(projection::ReadModels.changes(fact, &typed));
        }
        let batch = ProjectedBatch {
            after: Mark::of_no_log(Position(first.position.0 - 1)),
            upto: Mark::of_no_log(last.position),
            changes,
        };
        models.projection.apply(batch).await.map_err(said)?;
        self.taken = log.len();
        Ok(())
    }

    fn evolve(&mut self, recorded: &RecordedEvent, fact: &Fact) {
        let (id, version) = (recorded.stream.id, recorded.version);
        match fact {
            Fact::Inventory(event) => {
                let (state, at) = self.sections.entry(id).or_default();
                state.evolve(event);
                *at = version;
            }
            Fact::Catalog(event) => {
                let (state, at) = self.catalogs.entry(id).or_default();
                state.evolve(event);
                *at = version;
            }
            Fact::Reservation(event) => {
                let (state, at) = self.reservations.entry(id).or_default();
                state.evolve(event);
                *at = version;
            }
            Fact::Payment(event) => {
                let (state, at) = self.payments.entry(id).or_default();
                state.evolve(event);
                *at = version;
            }
        }
    }

    fn events(&self, now: Timestamp) -> Vec<EventView> {
        let listings = self.catalogs.values();
        listings
            .filter_map(|(state, version)| Some(state.listing()?.view(*version, now)))
            .collect()
    }

    fn reservations(&self, now: Timestamp) -> Vec<ReservationView> {
        let states = self.reservations.values();
        states
            .filter_map(|(state, version)| state.view(*version, now))
            .collect()
    }

    fn payments(&self) -> Vec<PaymentView> {
        let states = self.payments.values();
        states.filter_map(|(state, version)| state.view(*version)).collect()
    }

    /// Returns the moments from `now` on at which an event begins or a hold runs out, and the moments one microsecond
    /// earlier.
    fn moments_after(&self, now: Timestamp) -> Vec<Timestamp> {
        let starts = self.events(now).into_iter().map(|event| event.details.starts_at);
        let ends = self
            .reservations(now)
            .into_iter()
            .map(|reservation| reservation.expires_at);
        let mut moments: Vec<_> = starts
            .chain(ends)
            .flat_map(|at| [at - TimeDelta::microseconds(1), at])
            .filter(|at| *at >= now)
            .collect();
        moments.sort_unstable();
        moments.dedup();
        moments
    }

    async fn agrees(&self, models: &ReadModels, now: Timestamp) -> Result<(), String> {
        self.events_agree(models, now).await?;
        self.counts_agree(models, now).await?;
        let customers: std::collections::BTreeSet<CustomerId> =
            self.reservations(now).iter().map(|view| view.customer_id).collect();
        let page = Page::new(1, Page::MAX_SIZE).expect("page 1 of the greatest size is valid");
        for customer in customers {
            let listed = models
                .reservations
                .reservations_of(customer, page)
                .await
                .map_err(said)?;
            let rows = listed.rows.into_iter().map(|row| row.seen_at(now));
            let folded = self
                .reservations(now)
                .into_iter()
                .filter(|view| view.customer_id == customer);
            same(now, rows, folded, |view| view.reservation_id.uuid())?;

            let listed = models.payments.payments_of(customer, page).await.map_err(said)?;
            let folded = self.payments().into_iter().filter(|view| view.customer_id == customer);
            same(now, listed.rows, folded, |view| view.payment_id.uuid())?;
        }
        Ok(())
    }

    async fn counts_agree(&self, models: &ReadModels, now: Timestamp) -> Result<(), String> {
        let mut rows = Vec::new();
        for id in self.events(now).into_iter().map(|event| event.event_id) {
            let found = models.availability.availability(id, now).await.map_err(said)?;
            let (sequence, lapsed) = self.count_changes(id, now);
            let shown = found.as_ref().map(|found| (id, found.sequence, found.lapsed));
            same(now, shown, [(id, sequence, lapsed)], |(id, ..)| id.uuid())?;
            let sections = found.into_iter().flat_map(|found| found.sections);
            rows.extend(sections.map(|section| (section.section_id.uuid(), section.counts)));
        }
        let counts = |(id, (state, _)): (&Uuid, &(InventoryState, Version))| (*id, state.counts(now));
        same(now, rows, self.sections.iter().map(counts), |(id, _)| *id)
    }

    /// Returns how many facts have changed a count of the event, which are all facts of its sections but the first of
    /// each, and how many of its holds have run out and are not released yet.
    fn count_changes(&self, event: EventId, now: Timestamp) -> (u64, u64) {
        let sections = self.sections.values();
        let sections = sections.filter(|(state, _)| state.event_id() == Some(event));
        sections.fold((0, 0), |(sequence, lapsed), (state, version)| {
            (sequence + version.0 - 1, lapsed + state.lapsed(now).count() as u64)
        })
    }

    /// Compares the events that the read models show, each read by its id and each in the list of its status.
    async fn events_agree(&self, models: &ReadModels, now: Timestamp) -> Result<(), String> {
        let mut rows = Vec::new();
        for id in self.events(now).into_iter().map(|event| event.event_id) {
            rows.extend(models.events.event(id).await.map_err(said)?);
        }
        let by_id = |view: &EventView| view.event_id.uuid();
        same(
            now,
            rows.into_iter().map(|row| row.seen_at(now)),
            self.events(now),
            by_id,
        )?;

        let page = Page::new(1, Page::MAX_SIZE).expect("page 1 of the greatest size is valid");
        for status in EventStatus::ALL {
            let wanted = status::events_that_are(&[status], now);
            let listed = models.events.events(Some(&wanted), DraftsVisible::All, page).await;
            let rows = listed.map_err(said)?.rows.into_iter().map(|row| row.seen_at(now));
            let folded = self.events(now).into_iter().filter(|event| event.status == status);
            same(now, rows, folded, by_id)?;
        }
        Ok(())
    }
}

fn same<T: PartialEq + Debug>(
    now: Timestamp,
    rows: impl IntoIterator<Item = T>,
    folded: impl IntoIterator<Item = T>,
    id: impl Fn(&T) -> Uuid,
) -> Result<(), String> {
    let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (id(&row), row)).collect();
    let folded: BTreeMap<_, _> = folded.into_iter().map(|view| (id(&view), view)).collect();
    if rows == folded {
        return Ok(());
    }
    Err(format!(
        "at {now} the read side shows\n{rows:#?}\nbut the facts add up to\n{folded:#?}"
    ))
}

fn said(error: impl std::error::Error) -> String {
    error.to_string()
}
