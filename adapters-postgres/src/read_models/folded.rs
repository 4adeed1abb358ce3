//! Merges all changes that a batch makes to a row into one change, so that each row is written once.
//!
//! A reservation that is held and paid within the batch becomes one new row, and a section that sells a thousand seats is changed
//! once.

use std::collections::BTreeMap;

use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::Version;
use ticketing_ports::read_models::changes::{Change, Hold, PaymentChange, ReservationChange, SeatMove};
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::ids::{EventId, PaymentId, ReservationId, SectionId};
use ticketing_ports::vocabulary::reservation::Sale;
use ticketing_ports::vocabulary::seating::Label;

#[derive(Debug, Default)]
pub(super) struct Folded {
    pub(super) events: BTreeMap<EventId, EventView>,
    pub(super) event_changes: BTreeMap<EventId, (Option<EventStatus>, Version)>,
    /// The new sections, in the order that the organiser gave them.
    pub(super) sections: Vec<OpenedSection>,
    pub(super) moves: BTreeMap<SectionId, Moves>,
    /// The holds to write, by reservation and section; `None` for a hold that has ended, whose row is deleted.
    pub(super) holds: BTreeMap<(ReservationId, SectionId), Option<Hold>>,
    pub(super) reservations: BTreeMap<ReservationId, ReservationView>,
    pub(super) reservation_changes: BTreeMap<ReservationId, ReservationChange>,
    pub(super) payments: BTreeMap<PaymentId, PaymentView>,
    pub(super) payment_changes: BTreeMap<PaymentId, PaymentChange>,
    pub(super) sales: BTreeMap<ReservationId, Sold>,
    pub(super) sale_changes: BTreeMap<ReservationId, GivenBack>,
}

#[derive(Debug)]
pub(super) struct OpenedSection {
    pub(super) section_id: SectionId,
    pub(super) event_id: EventId,
    pub(super) name: Label,
    pub(super) capacity: u32,
    pub(super) at: Timestamp,
}

#[derive(Debug)]
pub(super) struct Moves {
    pub(super) sum: SeatMove,
    pub(super) count: i64,
    pub(super) last: Timestamp,
}

#[derive(Debug)]
pub(super) struct Sold {
    pub(super) sale: Sale,
    pub(super) given_back: GivenBack,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct GivenBack {
    pub(super) refunded: i64,
    pub(super) returned: bool,
}

impl Folded {
    /// Merges the changes of a batch into at most one change for each row.
    ///
    /// # Errors
    /// When the refunds of a sale add up to an amount that is out of range.
    pub(super) fn of(changes: Vec<Change>) -> Result<Self, StoreError> {
        let mut folded = Self::default();
        for change in changes {
            folded.take(change)?;
        }
        Ok(folded)
    }

    fn take(&mut self, change: Change) -> Result<(), StoreError> {
        match change {
            Change::EventCreated(view) => drop(self.events.insert(view.event_id, view)),
            Change::EventChanged {
                event_id,
                status,
                version,
            } => match self.events.get_mut(&event_id) {
                Some(event) => {
                    event.status = status.unwrap_or(event.status);
                    event.version = version;
                }
                None => {
                    let change = self.event_changes.entry(event_id).or_insert((None, version));
                    *change = (status.or(change.0), version);
                }
            },
            Change::SectionOpened {
                event_id,
                section_id,
                name,
                capacity,
                at,
            } => self.sections.push(OpenedSection {
                section_id,
                event_id,
                name,
                capacity,
                at,
            }),
            Change::SeatsMoved { section_id, moved, at } => self.move_seats(section_id, moved, at),
            Change::HoldBegan(hold) => {
                self.holds.insert((hold.reservation_id, hold.section_id), Some(hold));
            }
            Change::HoldEnded {
                reservation_id,
                section_id,
            } => drop(self.holds.insert((reservation_id, section_id), None)),
            Change::ReservationHeld(view) => drop(self.reservations.insert(view.reservation_id, view)),
            Change::ReservationChanged(change) => self.change_reservation(change),
            Change::PaymentRequested(view) => drop(self.payments.insert(view.payment_id, view)),
            Change::PaymentChanged(change) => self.change_payment(change),
            Change::TicketsSold(sale) => {
                let given_back = GivenBack::default();
                self.sales.insert(sale.reservation_id, Sold { sale, given_back });
            }
            Change::TicketsReturned { reservation_id } => self.given_back(reservation_id).returned = true,
            Change::SaleRefunded { reservation_id, amount } => {
                let refunded = &mut self.given_back(reservation_id).refunded;
                *refunded = refunded
                    .checked_add(amount.amount)
                    .ok_or_else(|| StoreError::Inconsistent {
                        table: "sales",
                        column: "refunded",
                        row: reservation_id.to_string(),
                    })?;
            }
        }
        Ok(())
    }

    fn move_seats(&mut self, section: SectionId, moved: SeatMove, at: Timestamp) {
        let moves = self.moves.entry(section).or_insert(Moves {
            sum: SeatMove::default(),
            count: 0,
            last: at,
        });
        moves.sum.available += moved.available;
        moves.sum.held += moved.held;
        moves.sum.sold += moved.sold;
        moves.sum.blocked += moved.blocked;
        moves.count += 1;
        moves.last = at;
    }

    fn change_reservation(&mut self, change: ReservationChange) {
        if let Some(view) = self.reservations.get_mut(&change.reservation_id) {
            view.status = change.status.unwrap_or(view.status);
            view.version = change.version;
            view.refunded_amount = change.refunded_amount.unwrap_or(view.refunded_amount);
            view.expires_at = change.expires_at.unwrap_or(view.expires_at);
            view.payment_id = change.payment_id.over(view.payment_id);
            view.completed_at = change.completed_at.or(view.completed_at);
            view.customer_id = change.customer_id.unwrap_or(view.customer_id);
            if !change.tickets.is_empty() {
                view.tickets = change.tickets;
            }
            return;
        }
        match self.reservation_changes.get_mut(&change.reservation_id) {
            None => drop(self.reservation_changes.insert(change.reservation_id, change)),
            Some(earlier) => {
                earlier.status = change.status.or(earlier.status);
                earlier.version = change.version;
                earlier.refunded_amount = change.refunded_amount.or(earlier.refunded_amount);
                earlier.expires_at = change.expires_at.or(earlier.expires_at);
                earlier.payment_id = change.payment_id.after(earlier.payment_id);
                earlier.completed_at = change.completed_at.or(earlier.completed_at);
                earlier.customer_id = change.customer_id.or(earlier.customer_id);
                if !change.tickets.is_empty() {
                    earlier.tickets = change.tickets;
                }
            }
        }
    }

    fn change_payment(&mut self, change: PaymentChange) {
        if let Some(view) = self.payments.get_mut(&change.payment_id) {
            view.status = change.status.unwrap_or(view.status);
            view.version = change.version;
            view.updated_at = change.updated_at;
            view.refunded_amount = change.refunded_amount.unwrap_or(view.refunded_amount);
            view.last_four = change.last_four.or(view.last_four.take());
            return;
        }
        match self.payment_changes.get_mut(&change.payment_id) {
            None => drop(self.payment_changes.insert(change.payment_id, change)),
            Some(earlier) => {
                earlier.status = change.status.or(earlier.status);
                earlier.version = change.version;
                earlier.updated_at = change.updated_at;
                earlier.refunded_amount = change.refunded_amount.or(earlier.refunded_amount);
                earlier.last_four = change.last_four.or(earlier.last_four.take());
            }
        }
    }

    fn given_back(&mut self, reservation: ReservationId) -> &mut GivenBack {
        match self.sales.get_mut(&reservation) {
            Some(sold) => &mut sold.given_back,
            None => self.sale_changes.entry(reservation).or_default(),
        }
    }
}
