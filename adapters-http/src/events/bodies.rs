//! What is said of an event in requests and answers.

use chrono::{DateTime, Utc};
use serde::Serialize;
use ticketing_ports::event_details::{EventView, PricingTier, RefundRule};
use ticketing_ports::seating::{Label, Seating};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::extract::{Faults, Fields, Place, Read, Sent, read_object};
use crate::money::MoneyBody;

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct VenueBody {
    pub(super) name: String,
    pub(super) city: String,
    /// ISO 3166-1 alpha-2.
    #[schema(example = "BE")]
    pub(super) country: String,
    /// IANA time zone.
    #[schema(example = "Europe/Brussels")]
    pub(super) timezone: String,
}

read_object!(VenueBody {
    name,
    city,
    country,
    timezone
});

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SectionBody {
    pub(super) name: String,
    pub(super) seating: SeatingBody,
}

read_object!(SectionBody { name, seating });

#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum SeatingBody {
    /// Rows from the best to the worst.
    Numbered {
        rows: Vec<RowBody>,
    },
    GeneralAdmission {
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
    #[schema(example = "A")]
    pub(super) row: String,
    pub(super) seats: u32,
}

read_object!(RowBody { row, seats });

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PricingTierBody {
    pub(super) section: String,
    pub(super) tier: String,
    pub(super) price: MoneyBody,
    /// Inclusive.
    pub(super) available_from: Option<DateTime<Utc>>,
    /// Exclusive.
    pub(super) available_until: Option<DateTime<Utc>>,
}

read_object!(PricingTierBody {
    section,
    tier,
    price,
    available_from,
    available_until
});

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct RefundRuleBody {
    pub(super) hours_before: u32,
    #[schema(maximum = 100)]
    pub(super) percent: u32,
}

read_object!(RefundRuleBody { hours_before, percent });

#[derive(Debug, Clone, ToSchema)]
pub(crate) struct CreateEventRequest {
    #[schema(example = "Night of the Proms")]
    pub(super) name: String,
    pub(super) category: Option<String>,
    pub(super) genre: Option<String>,
    #[schema(example = "EUR")]
    pub(super) currency: String,
    pub(super) starts_at: DateTime<Utc>,
    pub(super) venue: VenueBody,
    pub(super) sections: Vec<SectionBody>,
    pub(super) pricing_tiers: Vec<PricingTierBody>,
    /// 60 to 3600; 300 when absent.
    pub(super) hold_seconds: Option<u32>,
    /// 1 to 100; 8 when absent.
    pub(super) max_seats_per_order: Option<u32>,
    /// Full refund with a week's notice and half with three days' when absent.
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
    hold_seconds,
    max_seats_per_order,
    refund_policy
});

#[derive(Debug, Clone, ToSchema)]
pub(crate) struct CancelEventRequest {
    pub(super) reason: Option<String>,
}

read_object!(CancelEventRequest { reason });

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventResponse {
    event_id: Uuid,
    /// `draft`, `published`, `sales_open`, `sales_closed`, `cancelled` or `completed`.
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
    hold_seconds: u32,
    max_seats_per_order: u32,
    refund_policy: Vec<RefundRuleBody>,
}

impl From<&EventView> for EventResponse {
    fn from(view: &EventView) -> Self {
        let details = &view.details;
        let text = |label: &Label| label.as_str().to_owned();
        let section = |section: &ticketing_ports::event_details::Section| SectionBody {
            name: text(&section.name),
            seating: match &section.seating {
                Seating::GeneralAdmission { capacity } => SeatingBody::GeneralAdmission { capacity: *capacity },
                Seating::Numbered { rows } => SeatingBody::Numbered {
                    rows: rows
                        .iter()
                        .map(|row| RowBody {
                            row: text(&row.row),
                            seats: row.seats,
                        })
                        .collect(),
                },
            },
        };
        let tier = |tier: &PricingTier| PricingTierBody {
            section: text(&tier.section),
            tier: text(&tier.tier),
            price: tier.price.into(),
            available_from: tier.available_from,
            available_until: tier.available_until,
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
            pricing_tiers: details.pricing_tiers.iter().map(tier).collect(),
            hold_seconds: details.hold_seconds,
            max_seats_per_order: details.max_seats_per_order,
            refund_policy: details.refund_policy.iter().map(rule).collect(),
        }
    }
}
