//! The details of an event on sale that its organiser gives, in the form in which they are stored, listed and sent.

use serde::{Deserialize, Serialize};

use crate::vocabulary::Timestamp;
use crate::vocabulary::ids::{PoolId, SectionId, TicketTypeId, TierId};
use crate::vocabulary::money::{Currency, Money};
use crate::vocabulary::pricing::PriceRules;
use crate::vocabulary::reservation::NamedTicketType;
use crate::vocabulary::seating::{Label, Seating};

/// How far an event on sale has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventStatus {
    /// Only its organiser and admins see the event.
    Draft,
    /// Everybody sees the event, but no ticket can be bought yet.
    Published,
    /// Tickets can be bought.
    SalesOpen,
    /// The organiser has stopped the sales, and can open them again.
    SalesClosed,
    /// The event will not take place. Paid reservations are paid back.
    Cancelled,
    /// The event is over.
    Completed,
}

impl EventStatus {
    /// All statuses, in the order of their declaration.
    pub const ALL: [Self; 6] = [
        Self::Draft,
        Self::Published,
        Self::SalesOpen,
        Self::SalesClosed,
        Self::Cancelled,
        Self::Completed,
    ];

    /// Returns the name under which the status is stored and sent.
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

    /// Returns the status with that name; `None` if no status has it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// Where an event takes place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Venue {
    /// The name of the place.
    pub name: Label,
    /// The city.
    pub city: Label,
    /// The country, as an ISO 3166-1 alpha-2 code such as `BE`.
    pub country: Label,
    /// The time zone, as an IANA name such as `Europe/Brussels`.
    pub timezone: Label,
}

/// A part of the venue whose places are sold together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// The id of the section.
    pub section_id: SectionId,
    /// The name of the section.
    pub name: Label,
    /// How the places of the section are arranged.
    pub seating: Seating,
    /// The types of tickets for the section. An order that names no type gets the first. Empty if all tickets are alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ticket_types: Vec<TicketType>,
}

impl Section {
    /// Returns the ticket type of that name; `None` if no type has it.
    pub fn ticket_type(&self, name: &str) -> Option<&TicketType> {
        let spelled = self.ticket_types.iter().find(|of| of.name.as_str() == name);
        spelled.or_else(|| self.ticket_types.iter().find(|of| of.name.is_meant_by(name)))
    }
}

/// A type of tickets for one section, such as `student`. All types of a section share its places, and each has its own
/// prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketType {
    /// The id of the type.
    pub ticket_type_id: TicketTypeId,
    /// The name of the type.
    pub name: Label,
    /// When the type is sold, and how many of its tickets there are.
    #[serde(flatten)]
    pub rules: TicketTypeRules,
}

impl TicketType {
    /// Returns the type as it is called now.
    pub fn named(&self) -> NamedTicketType {
        NamedTicketType {
            ticket_type_id: self.ticket_type_id,
            name: self.name.clone(),
        }
    }
}

/// When a ticket type is sold, and how many of its tickets there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketTypeRules {
    /// From when on the type is sold; `None` if it is sold from the start of sales.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_from: Option<Timestamp>,
    /// The moment from which on the type is no longer sold; `None` if it is sold until sales end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_until: Option<Timestamp>,
    /// How many tickets of the type an order has at least, if it has any; `None` for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_per_order: Option<u32>,
    /// How many tickets of the type an order has at most; `None` if only the limit of all its seats counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_order: Option<u32>,
    /// How many tickets of the type are held and sold at most; `None` if only the places of the section count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u32>,
    /// Whether the type is sold only to who enters a code that names it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_with_code: bool,
}

impl TicketTypeRules {
    /// Returns whether `now` lies in the time in which the type is sold.
    pub fn is_open_at(&self, now: Timestamp) -> bool {
        self.available_from.is_none_or(|from| from <= now) && self.available_until.is_none_or(|until| now < until)
    }
}

/// A price for the places of one section, with the time in which it is valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricingTier {
    /// The id of the tier. `None` in a draft, which gets its ids when the event is created, and in an event that was
    /// created by a build whose tiers had no ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier_id: Option<TierId>,
    /// The name of the section.
    pub section: Label,
    /// The ticket type whose price this is; `None` in a section without types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_type: Option<Label>,
    /// The name of the tier, such as `early bird`.
    pub tier: Label,
    /// The price of one place.
    pub price: Money,
    /// From when on the price is valid; `None` if the price is valid from the start of sales.
    pub available_from: Option<Timestamp>,
    /// The moment from which on the price is no longer valid; `None` if there is no such moment.
    pub available_until: Option<Timestamp>,
    /// How many tickets are held and sold at this price at most, before the next tier of the section or type follows;
    /// `None` if any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u32>,
}

/// A limit of how many tickets are held and sold at most, over several sections or ticket types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// The id of the pool. `None` in a draft, which gets its ids when the event is created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool_id: Option<PoolId>,
    /// The name of the pool, such as `students`.
    pub name: Label,
    /// How many tickets are held and sold at most, all members together.
    pub quantity: u32,
    /// Whose tickets count.
    pub members: Vec<PoolMember>,
}

impl Pool {
    /// Makes a pool of a draft.
    pub fn new(name: Label, quantity: u32, members: impl IntoIterator<Item = PoolMember>) -> Self {
        Self {
            pool_id: None,
            name,
            quantity,
            members: members.into_iter().collect(),
        }
    }
}

/// A section, or one of its ticket types, whose tickets count in a pool.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PoolMember {
    /// The name of the section.
    pub section: Label,
    /// The ticket type; `None` if all tickets of the section count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_type: Option<Label>,
}

impl PoolMember {
    /// Names all tickets of a section.
    pub fn all_of(section: Label) -> Self {
        Self {
            section,
            ticket_type: None,
        }
    }

    /// Names the tickets of one type of a section.
    pub fn of_type(section: Label, ticket_type: Label) -> Self {
        Self {
            section,
            ticket_type: Some(ticket_type),
        }
    }
}

impl PricingTier {
    /// Makes a tier of a section without ticket types, whose price is always valid.
    pub fn always(section: Label, tier: Label, price: Money) -> Self {
        Self {
            tier_id: None,
            section,
            ticket_type: None,
            tier,
            price,
            available_from: None,
            available_until: None,
            quantity: None,
        }
    }

    /// Makes the tier the price of one ticket type of its section.
    #[must_use]
    pub fn of_type(self, ticket_type: Label) -> Self {
        Self {
            ticket_type: Some(ticket_type),
            ..self
        }
    }
}

/// One rule of a refund policy: a customer who cancels early enough gets a part of the price back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRule {
    /// How many hours before the start of the event the customer must cancel, at least.
    pub hours_before: u32,
    /// How many percent of the price the customer gets back, from 0 to 100.
    pub percent: u8,
}

/// How often, and for how long, a customer may extend a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldExtensions {
    /// How often a hold may be extended. Each time it lasts `hold_seconds` longer.
    pub at_most: u32,
    /// How many seconds a hold may last in all, however often it is extended.
    pub max_hold_seconds: u32,
}

/// What the organiser says about an event. This is fixed when the event is created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDetails {
    /// The name of the event.
    pub name: Label,
    /// The category, such as `concert`; `None` if the organiser gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Label>,
    /// The genre, such as `jazz`; `None` if the organiser gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genre: Option<Label>,
    /// The currency of all prices.
    pub currency: Currency,
    /// When the event begins.
    pub starts_at: Timestamp,
    /// Where the event takes place.
    pub venue: Venue,
    /// The sections, in the order in which the organiser listed them.
    pub sections: Vec<Section>,
    /// The prices of the sections.
    pub pricing_tiers: Vec<PricingTier>,
    /// The fees and taxes.
    #[serde(default, skip_serializing_if = "PriceRules::are_default")]
    pub price_rules: PriceRules,
    /// The limits over several sections or ticket types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<Pool>,
    /// For how many seconds a reservation holds its seats until it is paid, unless the hold is extended.
    pub hold_seconds: u32,
    /// How holds may be extended; `None` if they may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<HoldExtensions>,
    /// How many seats one reservation may hold at most.
    pub max_seats_per_order: u32,
    /// How many seats one customer may have at most, in all reservations of the event together; `None` if there is no
    /// such limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_seats_per_customer: Option<u32>,
    /// The refund rules, from the most hours before the start to the fewest. Empty if nothing is paid back.
    pub refund_policy: Vec<RefundRule>,
}

impl EventDetails {
    /// Returns whether the tickets of a section differ in type, or are counted by their tier. Then facts about its seats
    /// tell how many are of which.
    pub fn is_divided(&self, section: &Section) -> bool {
        let is_counted = |tier: &PricingTier| tier.quantity.is_some() && tier.section == section.name;
        !section.ticket_types.is_empty() || self.pricing_tiers.iter().any(is_counted)
    }

    /// Returns whether the number of tickets of a type, a tier or a pool is limited.
    pub fn has_quotas(&self) -> bool {
        let types = || self.sections.iter().flat_map(|section| &section.ticket_types);
        !self.pools.is_empty()
            || self.pricing_tiers.iter().any(|tier| tier.quantity.is_some())
            || types().any(|of| of.rules.quantity.is_some())
    }

    /// Returns the section of that name; `None` if no section has it. If two names differ only in their Unicode form,
    /// the section whose name has exactly the characters of `name` is returned.
    pub fn section(&self, name: &str) -> Option<&Section> {
        let spelled = self.sections.iter().find(|section| section.name.as_str() == name);
        spelled.or_else(|| self.sections.iter().find(|section| section.name.is_meant_by(name)))
    }
}
