//! The lines of an order that are of one section: a party, whose seats are found together.

use ticketing_ports::vocabulary::ids::SectionId;
use ticketing_ports::vocabulary::seating::Label;

use super::wanted_line::{WantedLine, field, other_quantity};
use crate::catalog::SaleTerms;
use crate::inventory::{InventoryRefusal, SeatWish, TakenSeats};
use crate::refusal::Refusal;

/// The lines of one section. There is at least one.
#[derive(Debug)]
pub(super) struct Party<'o> {
    /// The section.
    pub(super) section_id: SectionId,
    /// The section's name.
    pub(super) section: &'o Label,
    /// The lines, each with its place in the order.
    lines: Vec<(usize, &'o WantedLine)>,
}

/// Divides an order into parties, in the order of their first lines. The terms are those of the lines.
///
/// # Errors
/// When some lines of a section name their seats and others do not, or a line names more or fewer seats than it wants.
pub(super) fn parties<'o>(lines: &'o [WantedLine], terms: &[SaleTerms<'o>]) -> Result<Vec<Party<'o>>, Refusal> {
    let mut parties: Vec<Party<'o>> = Vec::with_capacity(1);
    for (index, (wanted, terms)) in lines.iter().zip(terms).enumerate() {
        let party = parties
            .iter_mut()
            .find(|party| party.section_id == terms.section.section_id);
        let Some(party) = party else {
            parties.push(Party {
                section_id: terms.section.section_id,
                section: &terms.section.name,
                lines: vec![(index, wanted)],
            });
            continue;
        };
        let (_, first) = party.lines[0];
        if first.specific_seats.is_some() != wanted.specific_seats.is_some() {
            let reason = format!(
                "name the seats of all lines of section {}, or of none",
                terms.section.name
            );
            return Err(Refusal::invalid(field(index, "specific_seats"), reason));
        }
        party.lines.push((index, wanted));
    }
    match parties.iter().find_map(Party::line_with_other_quantity) {
        Some(index) => Err(other_quantity(|name| field(index, name))),
        None => Ok(parties),
    }
}

impl Party<'_> {
    /// Returns how many seats all lines together want.
    pub(super) fn quantity(&self) -> u32 {
        let quantities = self.lines.iter().map(|(_, line)| line.quantity);
        quantities.fold(0, u32::saturating_add)
    }

    /// Returns which seats the lines together want.
    pub(super) fn wish(&self) -> SeatWish {
        let named: Option<Vec<_>> = self
            .lines
            .iter()
            .map(|(_, line)| line.specific_seats.as_deref())
            .collect();
        named.map_or(SeatWish::BestAvailable, |seats| SeatWish::Exactly(seats.concat()))
    }

    /// Divides the seats that the section holds among the lines: each line gets as many as it wants, in the order of the
    /// seats. So each gets the seats that it named.
    pub(super) fn divide(&self, mut seats: TakenSeats) -> impl Iterator<Item = (usize, TakenSeats)> + '_ {
        let lines = self.lines.iter();
        lines.map(move |(index, line)| (*index, seats.take_first(line.quantity)))
    }

    /// Returns the place of the line that a refusal by the section is about: the last line that names the seat, or else
    /// the first line.
    pub(super) fn line_of(&self, refusal: &InventoryRefusal) -> usize {
        let seat = match refusal {
            InventoryRefusal::UnknownSeats(seats) => seats.first(),
            InventoryRefusal::RepeatedSeat(seat) => Some(seat),
            _ => None,
        };
        let names_it = |line: &WantedLine| {
            let mut named = line.specific_seats.iter().flatten();
            named.any(|named| Some(named) == seat)
        };
        let last = self.lines.iter().rev().find(|(_, line)| names_it(line));
        last.unwrap_or(&self.lines[0]).0
    }

    /// Returns the place of the first line that names more or fewer seats than it wants; `None` if there is only one line,
    /// for which the section itself compares.
    fn line_with_other_quantity(&self) -> Option<usize> {
        if self.lines.len() == 1 {
            return None;
        }
        let differs = |line: &WantedLine| {
            let seats = line.specific_seats.as_ref();
            seats.is_some_and(|seats| seats.len() != line.quantity as usize)
        };
        let line = self.lines.iter().find(|(_, line)| differs(line));
        line.map(|(index, _)| *index)
    }
}
