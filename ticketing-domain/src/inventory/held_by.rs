//! What one customer has in a section.

use ticketing_ports::vocabulary::ids::{CustomerId, ReservationId};

use super::claim::{ClaimKind, CompactClaim, CustomerHold};
use super::section::Section;

impl Section {
    /// Returns the customer of a claim; `None` if the fact that made the claim did not tell the customer.
    pub(super) fn customer_of(&self, reservation: ReservationId, claim: &CompactClaim) -> Option<CustomerId> {
        self.customers.customer_of(reservation, claim.kind, claim.customer?)
    }

    pub(super) fn held_by(&self, customer: CustomerId) -> impl Iterator<Item = CustomerHold> + '_ {
        self.customers.holds_of(customer).filter_map(|reservation_id| {
            let claim = self.claim(reservation_id)?;
            match claim.kind {
                ClaimKind::Held { until } => Some(CustomerHold {
                    reservation_id,
                    quantity: claim.places.quantity(),
                    until,
                }),
                ClaimKind::Sold => None,
            }
        })
    }

    pub(super) fn sold_to(&self, customer: CustomerId) -> u32 {
        let claims = self.customers.sales_of(customer).filter_map(|sold| self.claim(sold));
        claims.map(|claim| claim.places.quantity()).sum()
    }
}
