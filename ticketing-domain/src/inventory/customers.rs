//! Which claims of a section belong to which customer.

use std::collections::BTreeMap;

use ticketing_ports::vocabulary::ids::{CustomerId, ReservationId};
use uuid::Uuid;

use super::claim::{ClaimKind, CustomerMark};

/// The customers of all claims whose customer is known. What a customer holds stands apart from what the customer has
/// bought, so that a hold costs the same for somebody who has bought ten thousand tickets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Customers(BTreeMap<Key, CustomerId>);

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
    pub(super) fn add(&mut self, reservation: ReservationId, kind: ClaimKind, customer: CustomerId) {
        self.0
            .insert((CustomerMark::of(customer), kind.into(), reservation), customer);
    }

    /// Forgets a claim, and returns whose it was.
    pub(super) fn remove(
        &mut self,
        reservation: ReservationId,
        kind: ClaimKind,
        mark: CustomerMark,
    ) -> Option<CustomerId> {
        self.0.remove(&(mark, kind.into(), reservation))
    }

    /// Notes that held seats became sold, or that this is undone.
    pub(super) fn change(&mut self, reservation: ReservationId, from: ClaimKind, to: ClaimKind, mark: CustomerMark) {
        if let Some(customer) = self.remove(reservation, from, mark) {
            self.add(reservation, to, customer);
        }
    }

    /// Returns whose a claim is.
    pub(super) fn customer_of(
        &self,
        reservation: ReservationId,
        kind: ClaimKind,
        mark: CustomerMark,
    ) -> Option<CustomerId> {
        self.0.get(&(mark, kind.into(), reservation)).copied()
    }

    /// Returns the reservations by which a customer holds seats, in the order of their ids.
    pub(super) fn holds_of(&self, customer: CustomerId) -> impl Iterator<Item = ReservationId> + '_ {
        self.reservations_of(customer, Kept::Held)
    }

    /// Returns the reservations by which a customer has bought seats, in the order of their ids.
    pub(super) fn sales_of(&self, customer: CustomerId) -> impl Iterator<Item = ReservationId> + '_ {
        self.reservations_of(customer, Kept::Sold)
    }

    fn reservations_of(&self, customer: CustomerId, kept: Kept) -> impl Iterator<Item = ReservationId> + '_ {
        let mark = CustomerMark::of(customer);
        let first = (mark, kept, ReservationId::new(Uuid::nil()));
        let last = (mark, kept, ReservationId::new(Uuid::max()));
        let of_the_mark = self.0.range(first..=last);
        of_the_mark
            .filter(move |(_, other)| **other == customer)
            .map(|((.., reservation), _)| *reservation)
    }
}

impl FromIterator<(ReservationId, ClaimKind, CustomerId)> for Customers {
    fn from_iter<I: IntoIterator<Item = (ReservationId, ClaimKind, CustomerId)>>(claims: I) -> Self {
        let key = |(reservation, kind, customer): (_, ClaimKind, _)| {
            ((CustomerMark::of(customer), kind.into(), reservation), customer)
        };
        Self(claims.into_iter().map(key).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customers_whose_ids_end_alike_are_told_apart() {
        let [alice, bob] = [1_u128, 2].map(|first| CustomerId::new(Uuid::from_u128((first << 64) + 7)));
        assert_eq!(CustomerMark::of(alice), CustomerMark::of(bob));
        let [first, second] = [1, 2].map(|number| ReservationId::new(Uuid::from_u128(number)));
        let mut customers = Customers::default();
        customers.add(first, ClaimKind::Sold, alice);
        customers.add(second, ClaimKind::Sold, bob);
        assert_eq!(customers.sales_of(alice).collect::<Vec<_>>(), [first]);
        assert_eq!(customers.sales_of(bob).collect::<Vec<_>>(), [second]);
        assert_eq!(customers.holds_of(bob).count(), 0);
        let mark = CustomerMark::of(bob);
        assert_eq!(customers.remove(second, ClaimKind::Sold, mark), Some(bob));
        assert_eq!(customers.sales_of(bob).count(), 0);
    }
}
