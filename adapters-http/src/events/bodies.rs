//! The JSON bodies of requests and answers about events.

use chrono::{DateTime, Utc};
use serde::Serialize;
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::vocabulary::event_details::RefundRule;
use ticketing_ports::vocabulary::pricing::TaxRounding;
use ticketing_ports::vocabulary::seating::{Label, RowPlaces, RowPlan, SeatLabel, Seating};
use utoipa::ToSchema;
use uuid::Uuid;

use super::price_rule_bodies::{FeeBody, FeeRequest, TaxBody, TaxRequest};
use super::ticket_bodies::{
    PoolBody, PoolRequest, PricingTierBody, PricingTierRequest, TicketTypeBody, TicketTypeRequest,
};
use crate::extract::{Faults, Fields, Place, Read, Sent, read_object};

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct VenueBody {
    #[schema(min_length = 1, max_length = 100)]
    pub(super) name: String,
    #[schema(min_length = 1, max_length = 100)]
    pub(super) city: String,
    /// The ISO 3166-1 alpha-2 code of the country.
    #[schema(example = "BE", pattern = "^[A-Z]{2}$")]
    pub(super) country: String,
    /// The name of an IANA time zone.
    #[schema(example = "Europe/Brussels", min_length = 1, max_length = 100)]
    pub(super) timezone: String,
}

read_object!(VenueBody {
    name,
    city,
    country,
    timezone
});

#[derive(Debug, Clone, ToSchema)]
pub(crate) struct SectionRequest {
    #[schema(min_length = 1, max_length = 100)]
    pub(super) name: String,
    pub(super) seating: SeatingBody,
    /// The types of tickets for the section, such as `regular` and `student`. All types share the places of the section. An
    /// order that names no type gets the first. If absent, all tickets of the section are alike.
    #[schema(max_items = 50)]
    pub(super) ticket_types: Option<Vec<TicketTypeRequest>>,
}

read_object!(SectionRequest {
    name,
    seating,
    ticket_types
});

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SectionBody {
    section_id: Uuid,
    name: String,
    seating: SeatingBody,
    /// The types of tickets for the section. Empty if all tickets are alike.
    ticket_types: Vec<TicketTypeBody>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum SeatingBody {
    /// The rows, the best first.
    Numbered {
        #[schema(min_items = 1, max_items = 2_000)]
        rows: Vec<RowBody>,
    },
    GeneralAdmission {
        #[schema(minimum = 1, maximum = 1_000_000)]
        capacity: u32,
    },
}

impl Read for SeatingBody {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        let mut fields = Fields::of(sent, at, faults)?;
        let kind: String = fields.take("kind", faults)?;
        match kind.as_str() {
            "numbered" => {
                let rows = fields.take("rows", faults);
                fields.end(&["kind", "rows"], faults);
                Some(Self::Numbered { rows: rows? })
            }
            "general_admission" => {
                let capacity = fields.take("capacity", faults);
                fields.end(&["kind", "capacity"], faults);
                Some(Self::GeneralAdmission { capacity: capacity? })
            }
            _ => {
                faults.say(&Place::Field(at, "kind"), "must be one of numbered, general_admission");
                None
            }
        }
    }
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct RowBody {
    #[schema(example = "A", min_length = 1, max_length = 100)]
    pub(super) row: String,
    /// How many seats the row has, if they have no gaps and are numbered from 1.
    #[schema(minimum = 1, maximum = 100_000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seats: Option<u32>,
    /// In place of `seats`: the places of the row from left to right, each with what is printed on its seat, or `_` for
    /// a gap. Seats are neighbours if their places are.
    #[schema(min_items = 1, max_items = 1_000, example = json!(["2", "4", "_", "6", "12A"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) places: Option<Vec<String>>,
}

read_object!(RowBody { row, seats, places });

/// What stands for a gap in a list of places, as in the letters of a row.
pub(super) const GAP: &str = "_";

impl From<&RowPlan> for RowBody {
    fn from(plan: &RowPlan) -> Self {
        let (seats, places) = match &plan.places {
            RowPlaces::Numbered(seats) => (Some(*seats), None),
            RowPlaces::Listed(places) => {
                let text =
                    |label: &Option<SeatLabel>| label.as_ref().map_or_else(|| GAP.to_owned(), ToString::to_string);
                (None, Some(places.iter().map(text).collect()))
            }
        };
        Self {
            row: plan.row.to_string(),
            seats,
            places,
        }
    }
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct RefundRuleBody {
    /// The rule applies until this many hours before the start.
    pub(super) hours_before: u32,
    /// How much of the price is refunded.
    #[schema(maximum = 100)]
    pub(super) percent: u32,
}

read_object!(RefundRuleBody { hours_before, percent });

#[derive(Debug, Clone, ToSchema)]
pub(crate) struct CreateEventRequest {
    #[schema(example = "Night of the Proms", min_length = 1, max_length = 100)]
    pub(super) name: String,
    #[schema(min_length = 1, max_length = 100)]
    pub(super) category: Option<String>,
    #[schema(min_length = 1, max_length = 100)]
    pub(super) genre: Option<String>,
    /// The ISO 4217 code of the currency of all prices.
    #[schema(example = "EUR", pattern = "^[A-Z]{3}$")]
    pub(super) currency: String,
    /// Must be in the future, and within 20 years.
    pub(super) starts_at: DateTime<Utc>,
    pub(super) venue: VenueBody,
    #[schema(min_items = 1, max_items = 200)]
    pub(super) sections: Vec<SectionRequest>,
    #[schema(max_items = 1_000)]
    pub(super) pricing_tiers: Vec<PricingTierRequest>,
    /// Fees on the tickets or orders. `docs/PRICING.md` of the project tells with examples how prices are worked out.
    #[schema(max_items = 20)]
    pub(super) fees: Option<Vec<FeeRequest>>,
    /// Taxes on prices and fees.
    #[schema(max_items = 10)]
    pub(super) taxes: Option<Vec<TaxRequest>>,
    /// How taxes are rounded: each tax of each line (`per_line`), or each tax over the whole order (`per_tax`).
    #[schema(value_type = Option<String>, pattern = "^(per_line|per_tax)$", default = "per_line")]
    pub(super) tax_rounding: Option<TaxRounding>,
    /// Limits over several sections or ticket types, such as 50 students in the whole house.
    #[schema(max_items = 100)]
    pub(super) pools: Option<Vec<PoolRequest>>,
    /// How many seconds a hold lasts without a payment.
    #[schema(minimum = 60, maximum = 3600, default = 300)]
    pub(super) hold_seconds: Option<u32>,
    /// How often a customer may extend a hold, by `hold_seconds` each time. While the servers are being updated, the
    /// default is 0.
    #[schema(minimum = 0, maximum = 10, default = 2)]
    pub(super) max_extensions: Option<u32>,
    /// How many seconds a hold may last in all: more than `hold_seconds`, unless holds are not extended. If absent, as
    /// long as all extensions take, but at most four hours.
    #[schema(minimum = 60, maximum = 14_400)]
    pub(super) max_hold_seconds: Option<u32>,
    #[schema(minimum = 1, maximum = 100, default = 8)]
    pub(super) max_seats_per_order: Option<u32>,
    /// How many seats one customer may have in all reservations together, held or sold. If absent, any number.
    #[schema(minimum = 1, maximum = 100_000)]
    pub(super) max_seats_per_customer: Option<u32>,
    /// If absent: everything is refunded until 168 hours before the start, half of it until 72 hours before.
    #[schema(max_items = 20)]
    pub(super) refund_policy: Option<Vec<RefundRuleBody>>,
}

read_object!(CreateEventRequest {
    name,
    category,
    genre,
    currency,
    starts_at,
    venue,
    sections,
    pricing_tiers,
    fees,
    taxes,
    tax_rounding,
    pools,
    hold_seconds,
    max_extensions,
    max_hold_seconds,
    max_seats_per_order,
    max_seats_per_customer,
    refund_policy
});

#[derive(Debug, Clone, ToSchema)]
pub(crate) struct CancelEventRequest {
    #[schema(min_length = 1, max_length = 100)]
    pub(super) reason: Option<String>,
}

read_object!(CancelEventRequest { reason });

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventResponse {
    event_id: Uuid,
    /// The status: `draft`, `published`, `sales_open`, `sales_closed`, `cancelled` or `completed`.
    status: &'static str,
    owner_id: Uuid,
    created_at: DateTime<Utc>,
    version: u64,
    name: String,
    category: Option<String>,
    genre: Option<String>,
    currency: String,
    starts_at: DateTime<Utc>,
    venue: VenueBody,
    sections: Vec<SectionBody>,
    pricing_tiers: Vec<PricingTierBody>,
    /// Fees on the tickets or orders.
    fees: Vec<FeeBody>,
    /// Taxes on prices and fees.
    taxes: Vec<TaxBody>,
    /// How taxes are rounded: `per_line` or `per_tax`.
    tax_rounding: &'static str,
    /// Limits over several sections or ticket types.
    pools: Vec<PoolBody>,
    hold_seconds: u32,
    /// How often a customer may extend a hold, by `hold_seconds` each time.
    max_extensions: u32,
    /// How many seconds a hold may last in all.
    max_hold_seconds: u32,
    max_seats_per_order: u32,
    /// How many seats one customer may have in all reservations together, held or sold; null for any number.
    max_seats_per_customer: Option<u32>,
    refund_policy: Vec<RefundRuleBody>,
}

impl From<&EventView> for EventResponse {
    fn from(view: &EventView) -> Self {
        let details = &view.details;
        let text = |label: &Label| label.as_str().to_owned();
        let section = |section: &ticketing_ports::vocabulary::event_details::Section| SectionBody {
            section_id: section.section_id.uuid(),
            name: text(&section.name),
            ticket_types: section.ticket_types.iter().map(TicketTypeBody::from).collect(),
            seating: match &section.seating {
                Seating::GeneralAdmission { capacity } => SeatingBody::GeneralAdmission { capacity: *capacity },
                Seating::Numbered { rows } => SeatingBody::Numbered {
                    rows: rows.iter().map(RowBody::from).collect(),
                },
            },
        };
        let rule = |rule: &RefundRule| RefundRuleBody {
            hours_before: rule.hours_before,
            percent: rule.percent.into(),
        };
        Self {
            event_id: view.event_id.uuid(),
            status: view.status.as_str(),
            owner_id: view.owner_id.uuid(),
            created_at: view.created_at,
            version: view.version.0,
            name: text(&details.name),
            category: details.category.as_ref().map(text),
            genre: details.genre.as_ref().map(text),
            currency: details.currency.to_string(),
            starts_at: details.starts_at,
            venue: VenueBody {
                name: text(&details.venue.name),
                city: text(&details.venue.city),
                country: text(&details.venue.country),
                timezone: text(&details.venue.timezone),
            },
            sections: details.sections.iter().map(section).collect(),
            pricing_tiers: details.pricing_tiers.iter().map(PricingTierBody::from).collect(),
            fees: details.price_rules.fees.iter().map(FeeBody::from).collect(),
            taxes: details.price_rules.taxes.iter().map(TaxBody::from).collect(),
            tax_rounding: details.price_rules.rounding.as_str(),
            pools: details.pools.iter().map(PoolBody::from).collect(),
            hold_seconds: details.hold_seconds,
            max_extensions: details.extensions.map_or(0, |extensions| extensions.at_most),
            max_hold_seconds: details
                .extensions
                .map_or(details.hold_seconds, |extensions| extensions.max_hold_seconds),
            max_seats_per_order: details.max_seats_per_order,
            max_seats_per_customer: details.max_seats_per_customer,
            refund_policy: details.refund_policy.iter().map(rule).collect(),
        }
    }
}
