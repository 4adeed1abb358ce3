//! How many places of a section are held and sold in each ticket type and tier.
//!
//! A hold that has run out counts until it is released. Whoever takes what such a hold has, releases it.

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CustomerId, ReservationId};

use super::parts::Counted;
use super::section::Section;

impl Section {
    /// Returns how many places are held and sold. Holds that have run out count until they are released.
    pub(super) fn taken(&self, counted: Counted) -> u32 {
        match counted {
            Counted::All => self.claimed(),
            _ => self.parts.sum(counted),
        }
    }

    /// Returns how many of these places a reservation has.
    pub(super) fn taken_by(&self, reservation: ReservationId, counted: Counted) -> u32 {
        match counted {
            Counted::All => self.claim(reservation).map_or(0, |claim| claim.places.quantity()),
            _ => {
                let parts = self.parts.of_claim(reservation).iter();
                parts
                    .filter(|part| counted.includes(part))
                    .map(|part| part.quantity)
                    .sum()
            }
        }
    }

    /// Returns how many of these places were sold to a customer.
    pub(super) fn sold_with(&self, customer: CustomerId, counted: Counted) -> u32 {
        match counted {
            Counted::All => self.customers.sold_to(customer),
            _ => {
                let bought = self.customers.bought_by(customer);
                bought.map(|id| self.taken_by(id, counted)).fold(0, u32::saturating_add)
            }
        }
    }

    /// Returns the holds that have run out and are not released yet, and have some of these places: when each ran out,
    /// and how many it has. The oldest comes first.
    pub(super) fn lapsed_with(
        &self,
        counted: Counted,
        now: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, ReservationId, u32)> + '_ {
        let lapsed = self.holds().take_while(move |(until, _)| *until <= now);
        let with = lapsed.map(move |(until, id)| (until, id, self.taken_by(id, counted)));
        with.filter(|(.., quantity)| *quantity > 0)
    }
}
