//! The JSON bodies of requests and answers about the ticket types, prices and pools of an event.

use chrono::{DateTime, Utc};
use serde::Serialize;
use ticketing_ports::vocabulary::event_details::{Pool, PoolMember, PricingTier, TicketType};
use ticketing_ports::vocabulary::ids::{PoolId, TierId};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::extract::read_object;
use crate::money::MoneyBody;

/// A type of tickets for a section. Its prices are those of the `pricing_tiers` that name it.
#[derive(Debug, Clone, ToSchema)]
pub(crate) struct TicketTypeRequest {
    #[schema(example = "student", min_length = 1, max_length = 100)]
    pub(super) name: String,
    /// When the sale of the type begins; with the sale of the event if absent.
    pub(super) available_from: Option<DateTime<Utc>>,
    /// When the sale of the type ends; with the sale of the event if absent.
    pub(super) available_until: Option<DateTime<Utc>>,
    /// How many tickets of the type an order has at least, if it has any.
    #[schema(minimum = 1, maximum = 100, default = 1)]
    pub(super) min_per_order: Option<u32>,
    /// How many tickets of the type an order has at most; `max_seats_per_order` if absent.
    #[schema(minimum = 1, maximum = 100)]
    pub(super) max_per_order: Option<u32>,
    /// How many tickets of the type are held and sold at most. If absent, only the places of the section count.
    #[schema(minimum = 1, maximum = 100_000_000)]
    pub(super) quantity: Option<u32>,
    /// Whether the type is sold only to who enters a code that names it in `valid_for`.
    #[schema(default = false)]
    pub(super) only_with_code: Option<bool>,
}

read_object!(TicketTypeRequest {
    name,
    available_from,
    available_until,
    min_per_order,
    max_per_order,
    quantity,
    only_with_code
});

/// A type of tickets for a section.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TicketTypeBody {
    ticket_type_id: Uuid,
    name: String,
    available_from: Option<DateTime<Utc>>,
    available_until: Option<DateTime<Utc>>,
    min_per_order: Option<u32>,
    max_per_order: Option<u32>,
    /// How many tickets of the type are held and sold at most; null if only the places of the section count.
    quantity: Option<u32>,
    /// Whether the type is sold only to who enters a code for it.
    only_with_code: bool,
}

impl From<&TicketType> for TicketTypeBody {
    fn from(ticket_type: &TicketType) -> Self {
        Self {
            ticket_type_id: ticket_type.ticket_type_id.uuid(),
            name: ticket_type.name.to_string(),
            available_from: ticket_type.rules.available_from,
            available_until: ticket_type.rules.available_until,
            min_per_order: ticket_type.rules.min_per_order,
            max_per_order: ticket_type.rules.max_per_order,
            quantity: ticket_type.rules.quantity,
            only_with_code: ticket_type.rules.only_with_code,
        }
    }
}

#[derive(Debug, Clone, ToSchema)]
pub(crate) struct PricingTierRequest {
    /// The name of a section of this event.
    #[schema(min_length = 1, max_length = 100)]
    pub(super) section: String,
    /// The name of a ticket type of the section; absent in a section without types.
    #[schema(min_length = 1, max_length = 100)]
    pub(super) ticket_type: Option<String>,
    #[schema(min_length = 1, max_length = 100)]
    pub(super) tier: String,
    pub(super) price: MoneyBody,
    /// When the price begins to hold; no limit if absent.
    pub(super) available_from: Option<DateTime<Utc>>,
    /// When the price no longer holds; no limit if absent.
    pub(super) available_until: Option<DateTime<Utc>>,
    /// How many tickets are held and sold at this price, such as the first 200. Then the next tier of the list follows that
    /// is of the same section and ticket type. If absent, any number.
    #[schema(minimum = 1, maximum = 100_000_000)]
    pub(super) quantity: Option<u32>,
}

read_object!(PricingTierRequest {
    section,
    ticket_type,
    tier,
    price,
    available_from,
    available_until,
    quantity
});

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PricingTierBody {
    /// Null for an event that was created before tiers had ids.
    tier_id: Option<Uuid>,
    section: String,
    /// Null in a section without ticket types.
    ticket_type: Option<String>,
    tier: String,
    price: MoneyBody,
    available_from: Option<DateTime<Utc>>,
    available_until: Option<DateTime<Utc>>,
    /// How many tickets are held and sold at this price; null for any number.
    quantity: Option<u32>,
}

/// A limit of how many tickets are held and sold, over several sections or ticket types.
#[derive(Debug, Clone, ToSchema)]
pub(crate) struct PoolRequest {
    #[schema(example = "Students", min_length = 1, max_length = 100)]
    pub(super) name: String,
    /// How many tickets are held and sold at most, all members together.
    #[schema(minimum = 1, maximum = 100_000_000)]
    pub(super) quantity: u32,
    /// Whose tickets count.
    #[schema(min_items = 1, max_items = 1_200)]
    pub(super) members: Vec<PoolMemberBody>,
}

read_object!(PoolRequest {
    name,
    quantity,
    members
});

/// A section, or one of its ticket types.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PoolMemberBody {
    #[schema(min_length = 1, max_length = 100)]
    pub(super) section: String,
    /// If absent, all tickets of the section count.
    #[schema(min_length = 1, max_length = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ticket_type: Option<String>,
}

read_object!(PoolMemberBody { section, ticket_type });

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PoolBody {
    pool_id: Option<Uuid>,
    name: String,
    quantity: u32,
    members: Vec<PoolMemberBody>,
}

impl From<&PoolMember> for PoolMemberBody {
    fn from(member: &PoolMember) -> Self {
        Self {
            section: member.section.to_string(),
            ticket_type: member.ticket_type.as_ref().map(ToString::to_string),
        }
    }
}

impl From<&Pool> for PoolBody {
    fn from(pool: &Pool) -> Self {
        Self {
            pool_id: pool.pool_id.map(PoolId::uuid),
            name: pool.name.to_string(),
            quantity: pool.quantity,
            members: pool.members.iter().map(PoolMemberBody::from).collect(),
        }
    }
}

impl From<&PricingTier> for PricingTierBody {
    fn from(tier: &PricingTier) -> Self {
        Self {
            tier_id: tier.tier_id.map(TierId::uuid),
            section: tier.section.to_string(),
            ticket_type: tier.ticket_type.as_ref().map(ToString::to_string),
            tier: tier.tier.to_string(),
            price: tier.price.into(),
            available_from: tier.available_from,
            available_until: tier.available_until,
            quantity: tier.quantity,
        }
    }
}
