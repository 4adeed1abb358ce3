//! Of which ticket types and tiers the claims of a section are, with which codes, and the sums of that.

use std::collections::BTreeMap;

use ticketing_ports::vocabulary::ids::{CodeId, ReservationId, TicketTypeId, TierId};

use super::event::Part;

/// Which of the places of a section are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counted {
    /// All places.
    All,
    /// The places for tickets of one type.
    TicketType(TicketTypeId),
    /// The places whose tickets are sold at the price of one tier.
    Tier(TierId),
    /// The places for whose tickets one code was entered.
    Code(CodeId),
}

impl Counted {
    pub(super) fn includes(self, part: &Part) -> bool {
        match self {
            Self::All => true,
            Self::TicketType(id) => part.ticket_type_id == Some(id),
            Self::Tier(id) => part.tier_id == id,
            Self::Code(id) => part.code_id == Some(id),
        }
    }
}

/// The parts of all claims that have any, and their sums.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Parts {
    of_claims: BTreeMap<ReservationId, Box<[Part]>>,
    /// How many places are held and sold, if any, in each ticket type and in each tier, and with each code.
    sums: BTreeMap<Counted, u32>,
}

impl Parts {
    pub(super) fn add(&mut self, reservation: ReservationId, parts: Box<[Part]>) {
        for part in &parts {
            for counted in counted_in(part) {
                *self.sums.entry(counted).or_default() += part.quantity;
            }
        }
        if !parts.is_empty() {
            self.of_claims.insert(reservation, parts);
        }
    }

    /// Forgets the parts of a claim, and returns them.
    pub(super) fn remove(&mut self, reservation: ReservationId) -> Box<[Part]> {
        let parts = self.of_claims.remove(&reservation).unwrap_or_default();
        for part in &parts {
            for counted in counted_in(part) {
                if let Some(sum) = self.sums.get_mut(&counted) {
                    *sum -= part.quantity;
                    if *sum == 0 {
                        self.sums.remove(&counted);
                    }
                }
            }
        }
        parts
    }

    /// Returns how many places are held and sold in a ticket type or a tier, or with a code.
    pub(super) fn sum(&self, counted: Counted) -> u32 {
        self.sums.get(&counted).copied().unwrap_or(0)
    }

    /// Returns each code that is used, and for how many places.
    pub(super) fn uses_of_codes(&self) -> impl Iterator<Item = (CodeId, u32)> + '_ {
        self.sums.iter().filter_map(|(counted, quantity)| match counted {
            Counted::Code(code) => Some((*code, *quantity)),
            Counted::All | Counted::TicketType(_) | Counted::Tier(_) => None,
        })
    }

    pub(super) fn of_claim(&self, reservation: ReservationId) -> &[Part] {
        self.of_claims.get(&reservation).map_or(&[], AsRef::as_ref)
    }
}

/// Returns the parts if they add up to as many places as there are, or else none. So a fact that contradicts itself, or
/// contradicts earlier ones, leads to no wrong sums.
pub(super) fn fitting(parts: &[Part], places: u32) -> Box<[Part]> {
    let sum = parts.iter().try_fold(0_u32, |sum, part| sum.checked_add(part.quantity));
    if sum == Some(places) {
        parts.into()
    } else {
        Box::default()
    }
}

fn counted_in(part: &Part) -> impl Iterator<Item = Counted> {
    let of_type = part.ticket_type_id.map(Counted::TicketType);
    let with_code = part.code_id.map(Counted::Code);
    of_type
        .into_iter()
        .chain([Counted::Tier(part.tier_id)])
        .chain(with_code)
}
