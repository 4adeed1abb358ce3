//! One section as it is now: its counts, its price and, if the seats are numbered, its rows. The sections of a draft
//! are shown only to those who manage the event.

use ticketing_ports::read_models::availability::SectionAvailability;
use ticketing_ports::vocabulary::event_details::Section;
use ticketing_ports::vocabulary::ids::EventId;

use crate::book::{Caller, Stop, UnitOfWork};
use crate::command::{Address, Question, Reply as _};
use crate::inventory::Inventory;
use crate::refusal::Refusal;
use crate::views::{PriceNow, SectionView};

/// Asks for one section as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeeSection {
    /// The event on sale.
    pub event_id: EventId,
    /// The section's name.
    pub name: String,
}

impl Question for SeeSection {
    const NAME: &'static str = "see_section";

    type Answer = SectionView;

    fn address(&self) -> Address {
        Address::Lane(self.event_id.into())
    }

    fn look(&self, unit: &UnitOfWork<'_>) -> Result<SectionView, Stop> {
        let viewer = match unit.caller() {
            Caller::Person(actor) => Some(actor),
            Caller::World => None,
        };
        let listing = unit.listing_seen_by(viewer)?;
        let not_found = || Refusal::no_section(&self.name);
        let section = listing.details.section(&self.name).ok_or_else(not_found)?;
        let sequence = sequence(unit, &listing.details.sections)?;
        let (inventory, version) = unit.get_with_version::<Inventory>(section.section_id)?;
        let now = unit.now();
        Ok(SectionView {
            event_id: self.event_id,
            sequence,
            availability: SectionAvailability::view(inventory, version, now).ok_or_else(not_found)?,
            price: PriceNow::of(&listing.details, &section.name, now),
            rows: inventory.seat_rows(now),
        })
    }
}

/// Returns how many facts have changed a count of these sections: all of their facts but the first, which opened the
/// section.
fn sequence(unit: &UnitOfWork<'_>, sections: &[Section]) -> Result<u64, Stop> {
    // Looks all sections up before it fails for the first missing one, so that all of them are loaded together.
    let looked_up: Vec<_> = sections
        .iter()
        .map(|section| unit.get_with_version::<Inventory>(section.section_id))
        .collect();
    looked_up.into_iter().try_fold(0, |sum, section| {
        let (_, version) = section?;
        Ok(sum + version.0.saturating_sub(1))
    })
}
