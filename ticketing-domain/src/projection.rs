//! Turns facts into changes of rows. A projection is written once here; each store applies the changes to its own
//! rows.

use std::fmt::Debug;

use ticketing_ports::log::streams::{RecordedEvent, Version};
use ticketing_ports::read_models::changes::{Change, Hold, PaymentChange, ReservationChange, Said, SeatMove};
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::ids::{EventId, PaymentId, ReservationId, SectionId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::PaymentStatus;
use ticketing_ports::vocabulary::reservation::ReservationStatus;

use crate::catalog::CatalogEvent;
use crate::facts::Fact;
use crate::inventory::{InventoryEvent, SeatsReleased, SeatsSold};
use crate::payment::{PaymentEvent, RefundCause};
use crate::reservation::{HoldTerms, Line, ReservationEvent};

/// Turns each fact into changes of rows, looking at nothing but that fact.
///
/// ```
/// use ticketing_domain::facts::Fact;
/// use ticketing_domain::projection::Projection;
/// use ticketing_domain::reservation::ReservationEvent;
/// use ticketing_ports::log::streams::RecordedEvent;
///
/// /// Counts the tickets that have been issued.
/// #[derive(Debug)]
/// struct Tickets;
///
/// impl Projection for Tickets {
///     /// How many tickets to add.
///     type Change = usize;
///
///     fn changes(&self, _: &RecordedEvent, fact: &Fact) -> Vec<usize> {
///         match fact {
///             Fact::Reservation(ReservationEvent::ReservationCompleted(completed)) => vec![completed.tickets.len()],
///             _ => Vec::new(),
///         }
///     }
/// }
/// ```
pub trait Projection: Debug + Send + Sync {
    /// One change of one row.
    type Change: Debug + Send + Sync + 'static;

    /// Returns the changes that follow from a fact, in the order in which a store has to make them.
    fn changes(&self, recorded: &RecordedEvent, fact: &Fact) -> Vec<Self::Change>;
}

/// The projection of the rows that people read: events, sections, reservations, payments and sales.
#[derive(Debug, Clone, Copy)]
pub struct ReadModels;

impl Projection for ReadModels {
    type Change = Change;

    fn changes(&self, recorded: &RecordedEvent, fact: &Fact) -> Vec<Change> {
        match fact {
            Fact::Catalog(event) => vec![project_catalog(recorded, event)],
            Fact::Inventory(event) => project_inventory(recorded, event),
            Fact::Reservation(event) => project_reservation(recorded, event),
            Fact::Payment(event) => project_payment(recorded, event),
        }
    }
}

fn project_catalog(recorded: &RecordedEvent, event: &CatalogEvent) -> Change {
    let status = match event {
        CatalogEvent::EventCreated(created) => {
            return Change::EventCreated(EventView {
                event_id: created.event_id,
                owner_id: created.owner_id,
                status: EventStatus::Draft,
                created_at: created.created_at,
                version: recorded.version,
                details: created.details.clone(),
            });
        }
        CatalogEvent::EventPublished(_) => Some(EventStatus::Published),
        CatalogEvent::SalesOpened(_) => Some(EventStatus::SalesOpen),
        CatalogEvent::SalesClosed(_) => Some(EventStatus::SalesClosed),
        CatalogEvent::EventCancelled(_) | CatalogEvent::CancellationFinished(_) => Some(EventStatus::Cancelled),
        CatalogEvent::EventCompleted(_) => Some(EventStatus::Completed),
        // The codes are in no row: only who manages the event sees them.
        CatalogEvent::CodesAdded(_) | CatalogEvent::CodeEnded(_) => None,
    };
    Change::EventChanged {
        event_id: EventId::new(recorded.stream.id),
        status,
        version: recorded.version,
    }
}

fn project_inventory(recorded: &RecordedEvent, event: &InventoryEvent) -> Vec<Change> {
    let at = recorded.recorded_at;
    let moved = match event {
        InventoryEvent::SectionOpened(opened) => {
            return vec![Change::SectionOpened {
                event_id: opened.event_id,
                section_id: opened.section_id,
                capacity: opened.seating.capacity(),
                name: opened.name.clone(),
                at,
            }];
        }
        InventoryEvent::SeatsHeld(held) => {
            let quantity = i64::from(held.seats.quantity());
            SeatMove {
                available: -quantity,
                held: quantity,
                ..SeatMove::default()
            }
        }
        // The counts stay as they are; but this too is a fact of the section, and the sequence of an event counts these.
        InventoryEvent::HoldExtended(_) => SeatMove::default(),
        InventoryEvent::SeatsReleased(released) => {
            let (held, sold) = (i64::from(released.held), i64::from(released.sold));
            SeatMove {
                available: held + sold,
                held: -held,
                sold: -sold,
                blocked: 0,
            }
        }
        InventoryEvent::SeatsSold(sold) => {
            let quantity = i64::from(sold.quantity);
            SeatMove {
                held: -quantity,
                sold: quantity,
                ..SeatMove::default()
            }
        }
        InventoryEvent::SeatsRetaken(retaken) => {
            let quantity = i64::from(retaken.seats.quantity());
            SeatMove {
                available: -quantity,
                sold: quantity,
                ..SeatMove::default()
            }
        }
        InventoryEvent::SeatsBlocked(blocked) => {
            let quantity = i64::from(blocked.seats.quantity());
            SeatMove {
                available: -quantity,
                blocked: quantity,
                ..SeatMove::default()
            }
        }
        InventoryEvent::SeatsUnblocked(unblocked) => {
            let quantity = i64::from(unblocked.seats.quantity());
            SeatMove {
                available: quantity,
                blocked: -quantity,
                ..SeatMove::default()
            }
        }
    };
    let section_id = SectionId::new(recorded.stream.id);
    let moved = Change::SeatsMoved { section_id, moved, at };
    std::iter::once(moved)
        .chain(change_of_a_hold(section_id, event))
        .collect()
}

fn change_of_a_hold(section_id: SectionId, event: &InventoryEvent) -> Option<Change> {
    let hold = |reservation_id, quantity, until| {
        Change::HoldBegan(Hold {
            reservation_id,
            section_id,
            quantity,
            until,
        })
    };
    match event {
        InventoryEvent::SeatsHeld(held) => Some(hold(held.reservation_id, held.seats.quantity(), held.held_until)),
        // Of a hold that has a row already, this changes the end.
        InventoryEvent::HoldExtended(extended) => {
            Some(hold(extended.reservation_id, extended.quantity, extended.held_until))
        }
        InventoryEvent::SeatsReleased(SeatsReleased { reservation_id, .. })
        | InventoryEvent::SeatsSold(SeatsSold { reservation_id, .. }) => Some(Change::HoldEnded {
            reservation_id: *reservation_id,
            section_id,
        }),
        _ => None,
    }
}

fn project_reservation(recorded: &RecordedEvent, event: &ReservationEvent) -> Vec<Change> {
    let reservation_id = ReservationId::new(recorded.stream.id);
    let unchanged = ReservationChange::of(reservation_id, recorded.version);
    let changed = |status| ReservationChange {
        status: Some(status),
        ..unchanged.clone()
    };
    let returned = |was_completed: bool| was_completed.then_some(Change::TicketsReturned { reservation_id });
    match event {
        ReservationEvent::ReservationHeld(held) => {
            let row = row_of_a_hold(&HoldTerms::from(held), recorded.version);
            vec![Change::ReservationHeld(row)]
        }
        ReservationEvent::ReservationPaymentStarted(started) => {
            vec![Change::ReservationChanged(ReservationChange {
                payment_id: Said::Now(started.payment_id),
                ..changed(ReservationStatus::PaymentPending)
            })]
        }
        ReservationEvent::ReservationPaymentDeclined(_) | ReservationEvent::ReservationPaymentGivenUp(_) => {
            vec![Change::ReservationChanged(ReservationChange {
                payment_id: Said::Gone,
                ..changed(ReservationStatus::Held)
            })]
        }
        ReservationEvent::ReservationExtended(extended) => {
            vec![Change::ReservationChanged(ReservationChange {
                expires_at: Some(extended.held_until),
                ..unchanged
            })]
        }
        ReservationEvent::ReservationCompleted(completed) => vec![
            Change::ReservationChanged(ReservationChange {
                payment_id: completed.sale.payment_id.map_or(Said::Gone, Said::Now),
                completed_at: Some(completed.sale.sold_at),
                tickets: completed.tickets.clone(),
                customer_id: Some(completed.sale.customer_id),
                ..changed(ReservationStatus::Completed)
            }),
            Change::TicketsSold(completed.sale.clone()),
        ],
        ReservationEvent::ReservationExpired(_) => {
            vec![Change::ReservationChanged(changed(ReservationStatus::Expired))]
        }
        ReservationEvent::ReservationCancelled(cancelled) => {
            let mut changes = vec![Change::ReservationChanged(changed(ReservationStatus::Cancelled))];
            changes.extend(returned(cancelled.was_completed));
            changes
        }
        ReservationEvent::ReservationCompensated(compensated) => {
            vec![Change::ReservationChanged(ReservationChange {
                payment_id: Said::Now(compensated.payment_id),
                ..changed(ReservationStatus::Compensated)
            })]
        }
        ReservationEvent::ReservationRefunded(refunded) => {
            let mut changes = vec![Change::ReservationChanged(ReservationChange {
                refunded_amount: Some(refunded.refunded_in_total),
                ..changed(ReservationStatus::Refunded)
            })];
            changes.extend(returned(refunded.was_completed));
            changes
        }
        ReservationEvent::ReservationMoneyReturned(returned) => {
            vec![Change::ReservationChanged(ReservationChange {
                refunded_amount: Some(returned.refunded_in_total),
                ..unchanged
            })]
        }
    }
}

fn row_of_a_hold(terms: &HoldTerms, version: Version) -> ReservationView {
    ReservationView {
        reservation_id: terms.reservation_id,
        event_id: terms.event_id,
        customer_id: terms.customer_id,
        lines: terms.lines.iter().map(Line::view).collect(),
        total_amount: terms.total,
        refunded_amount: Money::zero(terms.total.currency),
        status: ReservationStatus::Held,
        expires_at: terms.held_until,
        created_at: terms.held_at,
        completed_at: None,
        payment_id: None,
        tickets: Vec::new(),
        version,
    }
}

fn project_payment(recorded: &RecordedEvent, event: &PaymentEvent) -> Vec<Change> {
    let payment_id = PaymentId::new(recorded.stream.id);
    let changed = |status, at| PaymentChange {
        payment_id,
        status: Some(status),
        version: recorded.version,
        updated_at: at,
        last_four: None,
        refunded_amount: None,
    };
    let change = |change| vec![Change::PaymentChanged(change)];
    match event {
        PaymentEvent::PaymentRequested(requested) => vec![Change::PaymentRequested(PaymentView {
            payment_id,
            reservation_id: requested.reservation_id,
            event_id: requested.event_id,
            customer_id: requested.customer_id,
            amount: requested.amount,
            refunded_amount: Money::zero(requested.amount.currency),
            status: PaymentStatus::Pending,
            method: requested.method,
            last_four: None,
            created_at: requested.at,
            updated_at: requested.at,
            version: recorded.version,
        })],
        PaymentEvent::PaymentDeferred(deferred) => change(changed(PaymentStatus::Pending, deferred.at)),
        PaymentEvent::PaymentAuthorized(authorized) => change(PaymentChange {
            last_four: authorized.last_four.clone(),
            ..changed(PaymentStatus::Authorized, authorized.at)
        }),
        PaymentEvent::PaymentDeclined(declined) => change(changed(PaymentStatus::Failed, declined.at)),
        PaymentEvent::CaptureRequested(requested) => change(changed(PaymentStatus::Authorized, requested.at)),
        PaymentEvent::PaymentCaptured(captured) => change(changed(PaymentStatus::Captured, captured.at)),
        PaymentEvent::VoidRequested(requested) => change(changed(PaymentStatus::Failed, requested.at)),
        PaymentEvent::PaymentVoided(voided) => change(changed(PaymentStatus::Failed, voided.at)),
        // That a refund was requested changes neither the amounts nor the status of the payment.
        PaymentEvent::RefundRequested(requested) => change(PaymentChange {
            status: None,
            ..changed(PaymentStatus::Captured, requested.at)
        }),
        PaymentEvent::PaymentRefunded(refunded) => {
            let status = if refunded.in_full {
                PaymentStatus::Refunded
            } else {
                PaymentStatus::PartiallyRefunded
            };
            let mut changes = change(PaymentChange {
                refunded_amount: Some(refunded.refunded_in_total),
                ..changed(status, refunded.at)
            });
            if refunded.cause != RefundCause::NoSeats {
                let reservation_id = refunded.reservation_id;
                changes.push(Change::SaleRefunded {
                    reservation_id,
                    amount: refunded.amount,
                });
            }
            changes
        }
    }
}
