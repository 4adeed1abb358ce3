//! What the write side can be asked.

use std::collections::BTreeMap;

use ticketing_ports::Timestamp;
use ticketing_ports::event_details::EventView;
use ticketing_ports::ids::{PaymentId, ReservationId};
use ticketing_ports::payment::PaymentView;
use ticketing_ports::read_models::SectionAvailability;
use ticketing_ports::reservation::ReservationView;
use ticketing_ports::roles::Actor;
use ticketing_ports::seating::{SeatId, Seating};

use super::EventBook;
use super::command::{Question, Reply, Unanswered};
use crate::catalog::Listing;
use crate::payment::{PaymentState, RefundCause};
use crate::policy;
use crate::pricing;
use crate::refusal::Refusal;
use crate::reservation::{MAX_DECLINES, ReservationState};
use crate::views::{PriceNow, RowView, SectionView};
use ticketing_ports::gateway::DeclineReason;

impl EventBook {
    /// Whether the log was asked and has no such event.
    pub fn is_known_not_to_exist(&self) -> bool {
        self.catalog
            .as_ref()
            .is_some_and(|catalog| catalog.state.listing().is_none())
    }

    pub(super) fn listing(&self) -> Option<&Listing> {
        self.catalog.as_ref().and_then(|catalog| catalog.state.listing())
    }

    /// The catalog entry, unless it is a draft that is not the viewer's business.
    pub(super) fn visible_listing(&self, viewer: Option<Actor>) -> Result<&Listing, Refusal> {
        let listing = self.listing().ok_or(Refusal::EventNotFound(self.event_id))?;
        if policy::may_see_event(viewer, listing.status, listing.owner_id) {
            Ok(listing)
        } else {
            Err(Refusal::EventNotFound(self.event_id))
        }
    }

    pub(super) fn payment_state(&self, id: PaymentId) -> Option<&PaymentState> {
        self.payments.get(&id).map(|loaded| &loaded.state)
    }

    pub fn event_view(&self, now: Timestamp) -> Option<EventView> {
        let catalog = self.catalog.as_ref()?;
        Some(catalog.state.listing()?.view(catalog.version, now))
    }

    pub fn reservation_view(&self, id: ReservationId, now: Timestamp) -> Option<ReservationView> {
        let loaded = self.reservations.get(&id)?;
        loaded
            .state
            .view(loaded.version, now)
            .filter(|view| view.event_id == self.event_id)
    }

    pub fn payment_view(&self, id: PaymentId) -> Option<PaymentView> {
        let loaded = self.payments.get(&id)?;
        loaded
            .state
            .view(loaded.version)
            .filter(|view| view.event_id == self.event_id)
    }

    /// One section as it is now.
    ///
    /// # Errors
    /// When there is no such section, or the event is a draft that is not the viewer's business.
    pub fn section_view(&self, viewer: Option<Actor>, name: &str, now: Timestamp) -> Result<SectionView, Refusal> {
        let listing = self.visible_listing(viewer)?;
        let not_found = || Refusal::SectionNotFound(name.to_owned());
        let section = listing.details.section(name).ok_or_else(not_found)?;
        let inventory = &self.sections.get(&section.section_id).ok_or_else(not_found)?.state;
        let price = pricing::tier_in_force(&listing.details.pricing_tiers, name, now).map(|tier| PriceNow {
            tier: tier.tier.clone(),
            price: tier.price,
        });
        let rows = match &section.seating {
            Seating::GeneralAdmission { .. } => None,
            Seating::Numbered { rows } => {
                let mut taken: BTreeMap<_, Vec<SeatId>> = BTreeMap::new();
                for seat in inventory.taken_seats(now) {
                    taken.entry(seat.row.clone()).or_default().push(seat);
                }
                let row_view = |row: &ticketing_ports::seating::RowPlan| RowView {
                    row: row.row.clone(),
                    seats: row.seats,
                    taken: taken.remove(&row.row).unwrap_or_default(),
                };
                Some(rows.iter().map(row_view).collect())
            }
        };
        let availability = SectionAvailability {
            section_id: section.section_id,
            name: section.name.clone(),
            total_capacity: section.seating.capacity(),
            counts: inventory.counts(now),
            last_updated: now,
        };
        Ok(SectionView {
            event_id: self.event_id,
            availability,
            price,
            rows,
        })
    }

    /// The reply to a question about a payment, once there is one.
    pub fn answer(&self, question: &Question, now: Timestamp) -> Option<Result<Reply, Unanswered>> {
        match *question {
            Question::Authorized { payment_id } => match self.payment_state(payment_id)? {
                PaymentState::Absent | PaymentState::Requested(_) => None,
                PaymentState::Authorized(_) | PaymentState::Capturing(_) | PaymentState::Captured { .. } => {
                    Some(Ok(Reply::Payment(self.payment_view(payment_id)?)))
                }
                unpaid => Some(Err(self.unpaid(unpaid))),
            },
            Question::Paid {
                payment_id,
                reservation_id,
            } => match self.payment_state(payment_id)? {
                PaymentState::Absent
                | PaymentState::Requested(_)
                | PaymentState::Authorized(_)
                | PaymentState::Capturing(_) => None,
                PaymentState::Captured { pending, .. } => {
                    // Money that goes back because there are no seats is not a paid reservation, done or not.
                    let loaded = self.reservations.get(&reservation_id)?;
                    let no_seats = pending.values().any(|refund| refund.cause == RefundCause::NoSeats);
                    match &loaded.state {
                        ReservationState::Expired { booking, .. } | ReservationState::Compensated { booking, .. } => {
                            Some(Err(Unanswered::Refused(booking.run_out())))
                        }
                        state if state.paid().is_some_and(|paid| paid.payment_id == payment_id) && !no_seats => {
                            Some(Ok(Reply::Reservation(self.reservation_view(reservation_id, now)?)))
                        }
                        state => {
                            let from = state.status_at(now)?.as_str();
                            let refusal = Refusal::InvalidStateTransition { from, action: "pay" };
                            Some(Err(Unanswered::Refused(refusal)))
                        }
                    }
                }
                unpaid => Some(Err(self.unpaid(unpaid))),
            },
            Question::Refunded { payment_id, refund_id } => {
                self.refund_done(payment_id, refund_id)?;
                Some(Ok(Reply::Payment(self.payment_view(payment_id)?)))
            }
            Question::CancelledAndRefunded {
                payment_id,
                refund_id,
                reservation_id,
            } => {
                self.refund_done(payment_id, refund_id)?;
                Some(Ok(Reply::Reservation(self.reservation_view(reservation_id, now)?)))
            }
        }
    }

    fn refund_done(&self, payment_id: PaymentId, refund_id: ticketing_ports::ids::RefundId) -> Option<()> {
        match self.payment_state(payment_id)? {
            PaymentState::Captured { pending, .. } if !pending.contains_key(&refund_id) => Some(()),
            _ => None,
        }
    }

    fn unpaid(&self, payment: &PaymentState) -> Unanswered {
        let reservation = payment
            .order()
            .and_then(|order| self.reservations.get(&order.reservation_id))
            .map(|loaded| &loaded.state);
        match payment {
            PaymentState::Declined {
                reason: DeclineReason::Interrupted,
                ..
            } => Unanswered::GatewayUnavailable,
            PaymentState::Declined { reason, .. } => {
                let attempts_left = match reservation {
                    Some(
                        ReservationState::Held { declines, .. } | ReservationState::PaymentPending { declines, .. },
                    ) => MAX_DECLINES.saturating_sub(*declines),
                    _ => 0,
                };
                Unanswered::Refused(Refusal::PaymentFailed {
                    reason: *reason,
                    attempts_left,
                })
            }
            _ => match reservation.and_then(ReservationState::booking) {
                Some(booking) => Unanswered::Refused(match reservation {
                    Some(ReservationState::Cancelled { .. }) => Refusal::InvalidStateTransition {
                        from: "cancelled",
                        action: "pay",
                    },
                    _ => booking.run_out(),
                }),
                None => Unanswered::GatewayUnavailable,
            },
        }
    }
}
