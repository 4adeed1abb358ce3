//! What an organiser says about an event on sale, in the shape in which it is stored, listed and sent.

use serde::{Deserialize, Serialize};

use crate::vocabulary::Timestamp;
use crate::vocabulary::ids::SectionId;
use crate::vocabulary::money::{Currency, Money};
use crate::vocabulary::seating::{Label, Seating};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventStatus {
    Draft,
    Published,
    SalesOpen,
    SalesClosed,
    Cancelled,
    Completed,
}

impl EventStatus {
    pub const ALL: [Self; 6] = [
        Self::Draft,
        Self::Published,
        Self::SalesOpen,
        Self::SalesClosed,
        Self::Cancelled,
        Self::Completed,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::SalesOpen => "sales_open",
            Self::SalesClosed => "sales_closed",
            Self::Cancelled => "cancelled",
            Self::Completed => "completed",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Venue {
    pub name: Label,
    pub city: Label,
    /// ISO 3166-1 alpha-2.
    pub country: Label,
    /// IANA name, such as `Europe/Brussels`.
    pub timezone: Label,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    pub section_id: SectionId,
    pub name: Label,
    pub seating: Seating,
}

/// A price of one section, in force from `available_from` (inclusive) to `available_until` (exclusive).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricingTier {
    pub section: Label,
    pub tier: Label,
    pub price: Money,
    pub available_from: Option<Timestamp>,
    pub available_until: Option<Timestamp>,
}

/// Who cancels at least `hours_before` the start gets `percent` back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRule {
    pub hours_before: u32,
    pub percent: u8,
}

/// Everything that is fixed when the event is created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDetails {
    pub name: Label,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Label>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genre: Option<Label>,
    pub currency: Currency,
    pub starts_at: Timestamp,
    pub venue: Venue,
    pub sections: Vec<Section>,
    pub pricing_tiers: Vec<PricingTier>,
    pub hold_seconds: u32,
    pub max_seats_per_order: u32,
    /// From the longest notice to the shortest.
    pub refund_policy: Vec<RefundRule>,
}

impl EventDetails {
    /// The section that somebody means by a name; its own spelling counts first.
    pub fn section(&self, name: &str) -> Option<&Section> {
        let spelled = self.sections.iter().find(|section| section.name.as_str() == name);
        spelled.or_else(|| self.sections.iter().find(|section| section.name.is_meant_by(name)))
    }
}
