//! One section as it is now: its counts, its price and, if the seats are numbered, its rows. The sections of a draft
//! are shown only to those who manage the event.

use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::{StreamId, Version};
use ticketing_ports::read_models::availability::SectionAvailability;
use ticketing_ports::vocabulary::event_details::Section;
use ticketing_ports::vocabulary::ids::EventId;

use crate::book::{Caller, Stop, UnitOfWork};
use crate::command::{Address, Question, Reply as _};
use crate::inventory::Inventory;
use crate::on_offer::OnOffer;
use crate::quotas::TicketsLeft;
use crate::refusal::Refusal;
use crate::views::{self, SectionView};

/// Asks for one section as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeeSection {
    /// The event on sale.
    pub event_id: EventId,
    /// The section's name.
    pub name: String,
}

/// A section as it is now, but for the time of its last change: a book knows a stream's facts and not when they were
/// recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndatedSection {
    /// The version of the section's stream. The fact of that version is the last one that the answer shows.
    pub version: Version,
    view: SectionView,
    /// When the last hold ran out, if one has that is not released yet.
    last_lapsed: Option<Timestamp>,
}

impl UndatedSection {
    /// Returns the stream of the section.
    pub fn stream(&self) -> StreamId {
        self.view.availability.section_id.into()
    }

    /// Returns the section with the time of its last change, given when its last fact was recorded.
    pub fn dated(mut self, last_recorded: Timestamp) -> SectionView {
        let last_changed = self.last_lapsed.map_or(last_recorded, |end| end.max(last_recorded));
        self.view.availability.last_updated = last_changed;
        self.view
    }
}

impl Question for SeeSection {
    const NAME: &'static str = "see_section";

    type Answer = UndatedSection;

    fn address(&self) -> Address {
        Address::Lane(self.event_id.into())
    }

    fn look(&self, unit: &UnitOfWork<'_>) -> Result<UndatedSection, Stop> {
        let viewer = match unit.caller() {
            Caller::Person(actor) => Some(actor),
            Caller::Guest(_) | Caller::World => None,
        };
        let listing = unit.listing_seen_by(viewer)?;
        let not_found = || Refusal::no_section(&self.name);
        let section = listing.details.section(&self.name).ok_or_else(not_found)?;
        let sequence = sequence(unit, &listing.details.sections)?;
        let (inventory, version) = unit.get_with_version::<Inventory>(section.section_id)?;
        let now = unit.now();
        let left = TicketsLeft::of(&listing.details, now, |section| unit.get::<Inventory>(section))?;
        let offer = OnOffer::of(&listing.details, section, &left, now);
        let view = SectionView {
            event_id: self.event_id,
            sequence,
            availability: SectionAvailability::view(inventory, version, now).ok_or_else(not_found)?,
            price: offer.price,
            left: offer.left,
            ticket_types: offer.ticket_types,
            rows: inventory.seat_rows(now),
        };
        Ok(UndatedSection {
            version,
            view,
            last_lapsed: inventory.lapsed(now).last(),
        })
    }
}

/// Returns how many facts have changed a count of these sections.
fn sequence(unit: &UnitOfWork<'_>, sections: &[Section]) -> Result<u64, Stop> {
    // Looks all sections up before it fails for the first missing one, so that all of them are loaded together.
    let looked_up: Vec<_> = sections
        .iter()
        .map(|section| unit.get_with_version::<Inventory>(section.section_id))
        .collect();
    let versions = looked_up.into_iter().map(|section| Ok(section?.1));
    Ok(views::sequence(versions.collect::<Result<Vec<_>, Stop>>()?))
}
