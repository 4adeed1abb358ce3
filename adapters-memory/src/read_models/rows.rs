//! The rows of the read models in memory, and how changes are checked and applied to these rows.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use ticketing_ports::Timestamp;
use ticketing_ports::read_models::availability::{Availability, SectionAvailability};
use ticketing_ports::read_models::changes::{Change, Hold, PaymentChange, ReservationChange, SeatMove};
use ticketing_ports::read_models::event_search::terms_of;
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::read_models::sales::{EventSales, Purchase};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{EventId, PaymentId, ReservationId, SectionId};
use ticketing_ports::vocabulary::reservation::NamedTicketType;
use ticketing_ports::vocabulary::seating::{Label, SeatCounts};
use uuid::Uuid;

use super::by_customer::ByCustomer;
use super::sales::{Sales, Sold};

#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) events: HashMap<EventId, EventView>,
    pub(super) events_by_start: BTreeSet<(Timestamp, EventId)>,
    /// What each event is found by.
    pub(super) search_terms: HashMap<EventId, BTreeSet<String>>,
    pub(super) sections: HashMap<SectionId, SectionRow>,
    pub(super) houses: HashMap<EventId, House>,
    /// The rows are boxed, because a hash table that has just grown is half empty, and each empty place would be as
    /// large as a row.
    pub(super) reservations: HashMap<ReservationId, Box<ReservationView>>,
    pub(super) reservations_by_customer: ByCustomer,
    pub(super) payments: HashMap<PaymentId, PaymentView>,
    pub(super) payments_by_customer: ByCustomer,
    pub(super) sales: Sales,
    holds: HashMap<(ReservationId, SectionId), Hold>,
    /// The holds of each section, with the hold that ends earliest first.
    holds_by_end: BTreeSet<(SectionId, Timestamp, ReservationId)>,
    labels: HashSet<Label>,
}

#[derive(Debug)]
pub(super) struct SectionRow {
    event_id: EventId,
    pub(super) availability: SectionAvailability,
}

/// The sections of one event, in the order that the organiser gave them. `sequence` is how many times the seat counts
/// of any of these sections have changed.
#[derive(Debug, Default)]
pub(super) struct House {
    pub(super) sections: Vec<SectionId>,
    sequence: u64,
}

impl Rows {
    /// Checks that every row that a change names exists already, or is made by a change earlier in the same list.
    pub(super) fn check(&self, changes: &[Change]) -> Result<(), StoreError> {
        let mut made: BTreeMap<&'static str, HashSet<Uuid>> = BTreeMap::new();
        for change in changes {
            let (table, id, known) = match change {
                Change::HoldEnded { .. } => continue,
                Change::HoldBegan(hold) => {
                    let id = hold.section_id;
                    ("sections", id.uuid(), self.sections.contains_key(&id))
                }
                Change::EventCreated(view) => {
                    made.entry("events").or_default().insert(view.event_id.uuid());
                    continue;
                }
                Change::ReservationHeld(view) => {
                    made.entry("reservations")
                        .or_default()
                        .insert(view.reservation_id.uuid());
                    continue;
                }
                Change::PaymentRequested(view) => {
                    made.entry("payments").or_default().insert(view.payment_id.uuid());
                    continue;
                }
                Change::SectionOpened {
                    event_id, section_id, ..
                } => {
                    made.entry("sections").or_default().insert(section_id.uuid());
                    ("events", event_id.uuid(), self.events.contains_key(event_id))
                }
                Change::TicketsSold(sale) => {
                    made.entry("sales").or_default().insert(sale.reservation_id.uuid());
                    ("events", sale.event_id.uuid(), self.events.contains_key(&sale.event_id))
                }
                Change::EventChanged { event_id, .. } => {
                    ("events", event_id.uuid(), self.events.contains_key(event_id))
                }
                Change::SeatsMoved { section_id, .. } => {
                    ("sections", section_id.uuid(), self.sections.contains_key(section_id))
                }
                Change::ReservationChanged(change) => {
                    let id = change.reservation_id;
                    ("reservations", id.uuid(), self.reservations.contains_key(&id))
                }
                Change::PaymentChanged(change) => {
                    let id = change.payment_id;
                    ("payments", id.uuid(), self.payments.contains_key(&id))
                }
                Change::TicketsReturned { reservation_id } | Change::SaleRefunded { reservation_id, .. } => (
                    "sales",
                    reservation_id.uuid(),
                    self.sales.by_reservation.contains_key(reservation_id),
                ),
            };
            if !known && !made.get(table).is_some_and(|ids| ids.contains(&id)) {
                return Err(StoreError::Inconsistent {
                    table,
                    column: "id",
                    row: id.to_string(),
                });
            }
        }
        Ok(())
    }

    /// Applies a change that `check` has accepted. A change to a row that does not exist has no effect.
    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::EventCreated(view) => {
                self.events_by_start.insert((view.details.starts_at, view.event_id));
                self.search_terms.insert(view.event_id, terms_of(&view.details));
                self.events.insert(view.event_id, view);
            }
            Change::EventChanged {
                event_id,
                status,
                version,
            } => {
                if let Some(event) = self.events.get_mut(&event_id) {
                    event.status = status.unwrap_or(event.status);
                    event.version = version;
                }
            }
            Change::SectionOpened {
                event_id,
                section_id,
                name,
                capacity,
                at,
            } => {
                let availability = SectionAvailability {
                    section_id,
                    name: self.shared(name),
                    total_capacity: capacity,
                    counts: SeatCounts {
                        available: capacity,
                        ..SeatCounts::default()
                    },
                    last_updated: at,
                };
                self.sections.insert(section_id, SectionRow { event_id, availability });
                self.houses.entry(event_id).or_default().sections.push(section_id);
            }
            Change::SeatsMoved { section_id, moved, at } => self.move_seats(section_id, moved, at),
            Change::HoldBegan(hold) => {
                self.end_hold(hold.reservation_id, hold.section_id);
                self.holds_by_end
                    .insert((hold.section_id, hold.until, hold.reservation_id));
                self.holds.insert((hold.reservation_id, hold.section_id), hold);
            }
            Change::HoldEnded {
                reservation_id,
                section_id,
            } => self.end_hold(reservation_id, section_id),
            Change::ReservationHeld(mut view) => {
                for line in &mut view.lines {
                    self.share_all(&mut line.section, line.ticket_type.as_mut(), &mut line.tier);
                }
                self.reservations_by_customer
                    .insert((view.customer_id, view.created_at, view.reservation_id.uuid()));
                self.reservations.insert(view.reservation_id, Box::new(view));
            }
            Change::ReservationChanged(change) => self.change_reservation(change),
            Change::PaymentRequested(view) => {
                self.payments_by_customer
                    .insert((view.customer_id, view.created_at, view.payment_id.uuid()));
                self.payments.insert(view.payment_id, view);
            }
            Change::PaymentChanged(change) => self.change_payment(change),
            Change::TicketsSold(mut sale) => {
                for line in &mut sale.lines {
                    self.share_all(&mut line.section, line.ticket_type.as_mut(), &mut line.tier);
                }
                self.sales.sell(sale);
            }
            Change::TicketsReturned { reservation_id } => self.sales.take_back(reservation_id),
            Change::SaleRefunded { reservation_id, amount } => self.sales.refund(reservation_id, amount),
        }
    }

    pub(super) fn availability(&self, event: EventId, now: Timestamp) -> Option<Availability> {
        let house = self.houses.get(&event)?;
        let mut lapsed = 0;
        let mut sections = Vec::new();
        for row in house.sections.iter().filter_map(|id| self.sections.get(id)) {
            let mut section = row.availability.clone();
            for hold in self.lapsed_holds(section.section_id, now) {
                lapsed += 1;
                section.counts = section.counts.without_lapsed(hold.quantity);
                section.last_updated = section.last_updated.max(hold.until);
            }
            sections.push(section);
        }
        Some(Availability {
            event_id: event,
            sections,
            sequence: house.sequence,
            lapsed,
        })
    }

    pub(super) fn event_sales(&self, event: EventId) -> Option<EventSales> {
        let currency = self.events.get(&event)?.details.currency;
        let house = self.houses.get(&event);
        let sections = house
            .iter()
            .flat_map(|house| &house.sections)
            .filter_map(|id| self.sections.get(id));
        let capacity = sections.map(|row| u64::from(row.availability.total_capacity)).sum();
        Some(self.sales.of_event(event, currency, capacity))
    }

    pub(super) fn purchase(&self, sold: Sold) -> Purchase {
        let event = self.events.get(&sold.event_id());
        let event = event.expect("a sale is let in only if its event has a row, and rows of events stay");
        sold.purchase(event.details.name.clone())
    }

    /// Returns the holds of the section that have run out. It finds them by their end and does not look at the
    /// others.
    fn lapsed_holds(&self, section: SectionId, now: Timestamp) -> impl Iterator<Item = &Hold> {
        let first = (section, Timestamp::MIN_UTC, ReservationId::new(Uuid::nil()));
        let last = (section, now, ReservationId::new(Uuid::max()));
        let lapsed = self.holds_by_end.range(first..=last);
        lapsed.filter_map(move |(_, _, reservation)| self.holds.get(&(*reservation, section)))
    }

    fn end_hold(&mut self, reservation: ReservationId, section: SectionId) {
        if let Some(hold) = self.holds.remove(&(reservation, section)) {
            self.holds_by_end.remove(&(section, hold.until, reservation));
        }
    }

    fn move_seats(&mut self, section: SectionId, moved: SeatMove, at: Timestamp) {
        let Some(row) = self.sections.get_mut(&section) else {
            return;
        };
        let counts = &mut row.availability.counts;
        let shift = |count: &mut u32, by: i64| {
            *count = u32::try_from(i64::from(*count) + by).unwrap_or_default();
        };
        shift(&mut counts.available, moved.available);
        shift(&mut counts.held, moved.held);
        shift(&mut counts.sold, moved.sold);
        shift(&mut counts.blocked, moved.blocked);
        row.availability.last_updated = at;
        if let Some(house) = self.houses.get_mut(&row.event_id) {
            house.sequence += 1;
        }
    }

    fn change_reservation(&mut self, change: ReservationChange) {
        let Some(row) = self.reservations.get_mut(&change.reservation_id) else {
            return;
        };
        row.status = change.status.unwrap_or(row.status);
        row.version = change.version;
        row.refunded_amount = change.refunded_amount.unwrap_or(row.refunded_amount);
        row.expires_at = change.expires_at.unwrap_or(row.expires_at);
        row.payment_id = change.payment_id.over(row.payment_id);
        row.completed_at = change.completed_at.or(row.completed_at);
        if let Some(customer) = change.customer_id.filter(|customer| *customer != row.customer_id) {
            let key = |customer| (customer, row.created_at, row.reservation_id.uuid());
            self.reservations_by_customer.remove(&key(row.customer_id));
            self.reservations_by_customer.insert(key(customer));
            row.customer_id = customer;
        }
        if !change.tickets.is_empty() {
            row.tickets = change.tickets;
        }
    }

    fn change_payment(&mut self, change: PaymentChange) {
        let Some(row) = self.payments.get_mut(&change.payment_id) else {
            return;
        };
        row.status = change.status.unwrap_or(row.status);
        row.version = change.version;
        row.updated_at = change.updated_at;
        row.refunded_amount = change.refunded_amount.unwrap_or(row.refunded_amount);
        if change.last_four.is_some() {
            row.last_four = change.last_four;
        }
    }

    /// Returns the one copy of a text that all rows with this text share, to save memory.
    fn shared(&mut self, label: Label) -> Label {
        match self.labels.get(&label) {
            Some(known) => known.clone(),
            None => {
                self.labels.insert(label.clone());
                label
            }
        }
    }

    /// Shares the labels of a line.
    fn share_all(&mut self, section: &mut Label, ticket_type: Option<&mut NamedTicketType>, tier: &mut Label) {
        self.share(section);
        self.share(tier);
        if let Some(of) = ticket_type {
            self.share(&mut of.name);
        }
    }

    /// Replaces a text by the one copy of it that all rows share.
    fn share(&mut self, label: &mut Label) {
        *label = self.shared(label.clone());
    }
}
