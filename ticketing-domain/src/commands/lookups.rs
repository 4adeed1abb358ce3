//! Helpers that look up an event, a reservation or a payment for a command, and check whether the caller may see it.

use ticketing_ports::vocabulary::buyer::Buyer;
use ticketing_ports::vocabulary::ids::{EventId, PaymentId, ReservationId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::roles::Actor;

use crate::book::{Stop, UnitOfWork};
use crate::catalog::{Catalog, CatalogCommand, Listing};
use crate::inventory::Inventory;
use crate::payment::{Payment, PaymentState};
use crate::policy;
use crate::refunds::RefundTerms;
use crate::refusal::Refusal;
use crate::reservation::{Reservation, ReservationState};

use crate::book::Listed;
use ticketing_ports::vocabulary::ids::SectionId;

impl Listed for Inventory {
    /// Returns the ids of the event's sections, as the catalog lists them.
    fn listed(unit: &UnitOfWork<'_>) -> Result<Vec<SectionId>, Stop> {
        let catalog = unit.get::<Catalog>(unit.event_id()?)?;
        let sections = catalog.listing().map(|listing| &listing.details.sections);
        Ok(sections
            .into_iter()
            .flatten()
            .map(|section| section.section_id)
            .collect())
    }
}

impl UnitOfWork<'_> {
    /// Returns the catalog entry of this lane's event; refuses if no event was created.
    pub(crate) fn listing(&self) -> Result<&Listing, Stop> {
        let event_id = self.event_id()?;
        let listing = self.get::<Catalog>(event_id)?.listing();
        Ok(listing.ok_or(Refusal::EventNotFound(event_id))?)
    }

    /// Returns the catalog entry if the viewer may see it: a draft is seen only by those who manage it.
    pub(crate) fn listing_seen_by(&self, viewer: Option<Actor>) -> Result<&Listing, Stop> {
        let listing = self.listing()?;
        if policy::may_see_event(viewer, listing.status, listing.owner_id) {
            Ok(listing)
        } else {
            Err(Refusal::EventNotFound(listing.event_id).into())
        }
    }

    /// Returns the catalog entry if `actor` manages the event; refuses otherwise.
    pub(crate) fn listing_managed_by(&self, actor: Actor) -> Result<&Listing, Stop> {
        let listing = self.listing_seen_by(Some(actor))?;
        if policy::may_manage(actor, listing.owner_id) {
            Ok(listing)
        } else {
            Err(Refusal::Forbidden.into())
        }
    }

    /// Returns a reservation for this lane's event. Refuses it as unknown if the buyer may not act for its customer.
    pub(crate) fn own_reservation(&self, by: impl Into<Buyer>, id: ReservationId) -> Result<&ReservationState, Stop> {
        let event_id = self.event_id()?;
        let state = self.get::<Reservation>(id)?;
        let own = state
            .terms()
            .is_some_and(|terms| terms.event_id == event_id && terms.belongs_to(by.into()));
        if own {
            Ok(state)
        } else {
            Err(Refusal::ReservationNotFound(id).into())
        }
    }

    /// Returns what decides how much goes back if the customer gives the reservation up.
    pub(crate) fn refund_terms(&self, reservation: &ReservationState) -> Result<RefundTerms<'_>, Stop> {
        let details = &self.listing()?.details;
        let nothing = Money::zero(details.currency);
        let payment = reservation.paid().and_then(|paid| paid.payment_id);
        let (paid, left) = match (payment, reservation.terms()) {
            (Some(payment), Some(terms)) => {
                let left = self.get::<Payment>(payment)?.refundable();
                (terms.total, left.unwrap_or(nothing))
            }
            _ => (nothing, nothing),
        };
        Ok(RefundTerms {
            policy: &details.refund_policy,
            starts_at: details.starts_at,
            paid,
            left,
        })
    }

    /// Returns a payment for this lane's event. Refuses it as unknown if it is for another event.
    pub(crate) fn payment_here(&self, id: PaymentId) -> Result<&PaymentState, Stop> {
        let event_id = self.event_id()?;
        let state = self.get::<Payment>(id)?;
        let here = state.terms().is_some_and(|terms| terms.event_id == event_id);
        if here {
            Ok(state)
        } else {
            Err(Refusal::PaymentNotFound(id).into())
        }
    }

    /// Checks that the event is not cancelled.
    ///
    /// # Errors
    /// When the event is cancelled.
    pub(crate) fn not_cancelled(&self) -> Result<(), Stop> {
        let event_id = self.event_id()?;
        let listing = self.get::<Catalog>(event_id)?.listing();
        if listing.is_some_and(Listing::is_cancelled) {
            return Err(Refusal::EventCancelled(event_id).into());
        }
        Ok(())
    }

    /// Decides a command about the catalog entry, which has to exist.
    pub(crate) fn decide_on_event(&mut self, command: &CatalogCommand) -> Result<EventId, Stop> {
        let event_id = self.listing()?.event_id;
        self.decide::<Catalog>(event_id, command)?;
        Ok(event_id)
    }
}
