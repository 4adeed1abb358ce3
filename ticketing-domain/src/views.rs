//! The answers of the write side to questions about one event on sale.

use serde::{Deserialize, Serialize};
use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::Version;
use ticketing_ports::read_models::availability::SectionAvailability;
use ticketing_ports::vocabulary::event_details::{EventDetails, Section, TicketType};
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::seating::{Label, RowPlaces};

use crate::pricing;

/// One section: its counts, its price now and, if the seats are numbered, its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionView {
    /// The event on sale.
    pub event_id: EventId,
    /// How many times a count of any section of the event has changed. Of two views of one section, the later one has
    /// the higher number.
    pub sequence: u64,
    /// How many seats are free, held, sold and blocked.
    pub availability: SectionAvailability,
    /// The price now; `None` if no tier is in force. In a section with ticket types, that of its first type.
    pub price: Option<PriceNow>,
    /// The ticket types of the section, each with its price now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ticket_types: Vec<TicketTypeNow>,
    /// The rows and their seats; `None` for general admission.
    pub rows: Option<Vec<SeatRow>>,
}

/// The tier whose price is in force now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceNow {
    /// The tier's name.
    pub tier: Label,
    /// The price of one seat.
    pub price: Money,
}

/// A ticket type, with its price now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketTypeNow {
    /// The id of the type, its name, and when it is sold.
    #[serde(flatten)]
    pub ticket_type: TicketType,
    /// The tier whose price is in force now; `None` if no tier is in force, or the type is not sold now.
    pub price: Option<PriceNow>,
}

/// Returns how many times a count of an event has changed whose sections have these versions. Every fact of a section
/// counts but the first, which opened the section.
pub fn sequence(sections: impl IntoIterator<Item = Version>) -> u64 {
    let changes = sections.into_iter().map(|version| version.0.saturating_sub(1));
    changes.sum()
}

impl PriceNow {
    /// Returns the price of a section of an event at `now`; `None` if no tier is in force. In a section with ticket
    /// types, that of its first type.
    pub fn of(details: &EventDetails, section: &Section, now: Timestamp) -> Option<Self> {
        match section.ticket_types.first() {
            Some(first) => Self::of_type(details, section, first, now),
            None => Self::in_force(details, section, None, now),
        }
    }

    fn of_type(details: &EventDetails, section: &Section, ticket_type: &TicketType, now: Timestamp) -> Option<Self> {
        let is_sold = ticket_type.rules.is_open_at(now);
        is_sold.then(|| Self::in_force(details, section, Some(&ticket_type.name), now))?
    }

    fn in_force(
        details: &EventDetails,
        section: &Section,
        ticket_type: Option<&Label>,
        now: Timestamp,
    ) -> Option<Self> {
        let tier = pricing::tier_in_force(&details.pricing_tiers, section.name.as_str(), ticket_type, now)?;
        Some(Self {
            tier: tier.tier.clone(),
            price: tier.price,
        })
    }
}

impl TicketTypeNow {
    /// Returns the ticket types of a section of an event, each with its price at `now`.
    pub fn all(details: &EventDetails, section: &Section, now: Timestamp) -> Vec<Self> {
        let types = section.ticket_types.iter();
        types
            .map(|ticket_type| Self {
                ticket_type: ticket_type.clone(),
                price: PriceNow::of_type(details, section, ticket_type, now),
            })
            .collect()
    }
}

/// One row of a numbered section, with the state of each of its seats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatRow {
    /// The row's label.
    pub row: Label,
    /// What is printed on the seats, in the order of the letters.
    pub places: RowPlaces,
    /// One letter for each place, from left to right: `f` for a free seat, `h` for a held, `s` for a sold and `b` for a
    /// blocked one, and `_` for a gap between seats.
    pub seats: String,
}
