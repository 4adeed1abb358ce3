//! One section as it is now: its counts, its price and, if the seats are numbered, its rows. The sections of a draft
//! are shown only to those who manage the event.

use std::collections::BTreeMap;

use ticketing_ports::Timestamp;
use ticketing_ports::read_models::availability::SectionAvailability;
use ticketing_ports::vocabulary::event_details::Section;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::seating::{RowPlan, SeatId, Seating};

use crate::book::{Caller, Stop, UnitOfWork};
use crate::command::{Address, Question, Reply as _};
use crate::inventory::{Inventory, InventoryState};
use crate::pricing;
use crate::refusal::Refusal;
use crate::views::{PriceNow, RowView, SectionView};

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
        let (inventory, version) = unit.get_with_version::<Inventory>(section.section_id)?;
        let now = unit.now();
        let price =
            pricing::tier_in_force(&listing.details.pricing_tiers, section.name.as_str(), now).map(|tier| PriceNow {
                tier: tier.tier.clone(),
                price: tier.price,
            });
        Ok(SectionView {
            event_id: self.event_id,
            availability: SectionAvailability::view(inventory, version, now).ok_or_else(not_found)?,
            price,
            rows: rows(section, inventory, now),
        })
    }
}

/// Returns the rows of a numbered section; `None` in general admission.
fn rows(section: &Section, inventory: &InventoryState, now: Timestamp) -> Option<Vec<RowView>> {
    let Seating::Numbered { rows } = &section.seating else {
        return None;
    };
    let mut taken: BTreeMap<_, Vec<SeatId>> = BTreeMap::new();
    for seat in inventory.taken_seats(now) {
        taken.entry(seat.row.clone()).or_default().push(seat);
    }
    let row_view = |row: &RowPlan| RowView {
        row: row.row.clone(),
        seats: row.seats,
        taken: taken.remove(&row.row).unwrap_or_default(),
    };
    Some(rows.iter().map(row_view).collect())
}
