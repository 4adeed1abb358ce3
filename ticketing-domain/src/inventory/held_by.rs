//! What one customer holds in a section.

use ticketing_ports::vocabulary::ids::CustomerId;

use super::claim::{ClaimKind, CustomerHold};
use super::section::Section;

impl Section {
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
}
