//! Which claims of a section belong to which customer.

use std::collections::BTreeMap;

use ticketing_ports::vocabulary::ids::{CustomerId, ReservationId};
use uuid::Uuid;

use super::claim::{ClaimKind, CompactClaim, CustomerMark, NamedClaim};

/// The customers of all claims whose customer is known. How much a customer has bought is kept as a sum, so that a hold
/// costs the same for somebody who has bought ten thousand tickets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Customers {
    claims: BTreeMap<Key, CustomerId>,
    /// How many seats each customer has bought, if any.
    sold: BTreeMap<CustomerId, u32>,
}

type Key = (CustomerMark, Kept, ReservationId);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kept {
    Held,
    Sold,
}

impl From<ClaimKind> for Kept {
    fn from(kind: ClaimKind) -> Self {
        match kind {
            ClaimKind::Held { .. } => Self::Held,
            ClaimKind::Sold => Self::Sold,
        }
    }
}

impl Customers {
    /// Notes whose a claim is.
    pub(super) fn add(&mut self, reservation: ReservationId, claim: &NamedClaim) {
        if let Some(customer) = claim.customer {
            self.note(reservation, claim.kind, customer, claim.places.quantity());
        }
    }

    fn note(&mut self, reservation: ReservationId, kind: ClaimKind, customer: CustomerId, quantity: u32) {
        let key = (CustomerMark::of(customer), kind.into(), reservation);
        self.claims.insert(key, customer);
        if kind == ClaimKind::Sold {
            *self.sold.entry(customer).or_default() += quantity;
        }
    }

    /// Notes that a held claim becomes sold, or that this is undone, and whose it is then. The claim is given as it was
    /// before.
    pub(super) fn becomes(
        &mut self,
        to: ClaimKind,
        customer: Option<CustomerId>,
        reservation: ReservationId,
        claim: &CompactClaim,
    ) {
        self.remove(reservation, claim);
        if let Some(customer) = customer {
            self.note(reservation, to, customer, claim.places.quantity());
        }
    }

    /// Forgets a claim, and returns whose it was.
    pub(super) fn remove(&mut self, reservation: ReservationId, claim: &CompactClaim) -> Option<CustomerId> {
        let customer = self.claims.remove(&key(reservation, claim)?)?;
        if claim.kind == ClaimKind::Sold
            && let Some(sold) = self.sold.get_mut(&customer)
        {
            *sold -= claim.places.quantity();
            if *sold == 0 {
                self.sold.remove(&customer);
            }
        }
        Some(customer)
    }

    /// Returns whose a claim is; `None` if the fact that made the claim did not tell the customer.
    pub(super) fn customer_of(&self, reservation: ReservationId, claim: &CompactClaim) -> Option<CustomerId> {
        self.claims.get(&key(reservation, claim)?).copied()
    }

    /// Returns how many seats a customer has bought.
    pub(super) fn sold_to(&self, customer: CustomerId) -> u32 {
        self.sold.get(&customer).copied().unwrap_or(0)
    }

    /// Returns the reservations by which a customer holds seats, in the order of their ids.
    pub(super) fn holds_of(&self, customer: CustomerId) -> impl Iterator<Item = ReservationId> + '_ {
        self.of(customer, Kept::Held)
    }

    /// Returns the reservations by which a customer has bought seats, in the order of their ids.
    pub(super) fn bought_by(&self, customer: CustomerId) -> impl Iterator<Item = ReservationId> + '_ {
        self.of(customer, Kept::Sold)
    }

    fn of(&self, customer: CustomerId, kept: Kept) -> impl Iterator<Item = ReservationId> + '_ {
        let mark = CustomerMark::of(customer);
        let first = (mark, kept, ReservationId::new(Uuid::nil()));
        let last = (mark, kept, ReservationId::new(Uuid::max()));
        let of_the_mark = self.claims.range(first..=last);
        of_the_mark
            .filter(move |(_, other)| **other == customer)
            .map(|((.., reservation), _)| *reservation)
    }
}

fn key(reservation: ReservationId, claim: &CompactClaim) -> Option<Key> {
    Some((claim.customer?, claim.kind.into(), reservation))
}

impl<'a> FromIterator<(ReservationId, &'a NamedClaim)> for Customers {
    fn from_iter<I: IntoIterator<Item = (ReservationId, &'a NamedClaim)>>(claims: I) -> Self {
        let mut sold = BTreeMap::new();
        let entry = |(reservation, claim): (ReservationId, &NamedClaim)| {
            let customer = claim.customer?;
            if claim.kind == ClaimKind::Sold {
                *sold.entry(customer).or_default() += claim.places.quantity();
            }
            Some(((CustomerMark::of(customer), claim.kind.into(), reservation), customer))
        };
        let claims = claims.into_iter().filter_map(entry).collect();
        Self { claims, sold }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::claim::Places;

    #[test]
    fn customers_whose_ids_end_alike_are_told_apart() {
        let [alice, bob] = [1_u128, 2].map(|first| CustomerId::new(Uuid::from_u128((first << 64) + 7)));
        assert_eq!(CustomerMark::of(alice), CustomerMark::of(bob));
        let [first, second] = [1, 2].map(|number| ReservationId::new(Uuid::from_u128(number)));
        let until = ticketing_ports::Timestamp::UNIX_EPOCH;
        let held_by = |customer| NamedClaim {
            kind: ClaimKind::Held { until },
            places: Places::Count(2),
            customer: Some(customer),
            parts: Box::default(),
        };
        let mut customers = Customers::default();
        customers.add(first, &held_by(alice));
        customers.add(second, &held_by(bob));
        assert_eq!(customers.holds_of(alice).collect::<Vec<_>>(), [first]);
        assert_eq!(customers.holds_of(bob).collect::<Vec<_>>(), [second]);
        assert_eq!(customers.remove(second, &held_by(bob).into()), Some(bob));
        assert_eq!(customers.holds_of(bob).count(), 0);
    }

    #[test]
    fn what_was_bought_and_given_back_leaves_nothing() {
        let (alice, reservation) = (CustomerId::new(Uuid::from_u128(1)), ReservationId::new(Uuid::nil()));
        let sold = NamedClaim {
            kind: ClaimKind::Sold,
            places: Places::Count(2),
            customer: Some(alice),
            parts: Box::default(),
        };
        let mut customers = Customers::default();
        customers.add(reservation, &sold);
        assert_eq!(customers.sold_to(alice), 2);
        customers.remove(reservation, &sold.into());
        assert_eq!(customers, Customers::default());
    }
}
