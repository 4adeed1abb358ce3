//! What is sold in a section at one moment: at which price, and how many tickets are left.

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::event_details::{EventDetails, PricingTier, Section, TicketType};

use crate::pricing::{self, LineToPrice};
use crate::quotas::TicketsLeft;
use crate::views::{PriceNow, TicketTypeNow};

/// What is sold in a section at one moment: the price now, and how many tickets are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnOffer {
    /// The tier whose price is in force now; `None` if no tier is in force, or the tickets of all are sold.
    pub price: Option<PriceNow>,
    /// How many tickets are left; `None` if only the places of the section count.
    pub left: Option<u32>,
    /// The ticket types of the section, each with its price now.
    pub ticket_types: Vec<TicketTypeNow>,
}

impl OnOffer {
    /// Returns what is sold in a section of an event at `now`. In a section with ticket types, price and number of
    /// tickets are those of its first type.
    pub fn of(details: &EventDetails, section: &Section, left: &TicketsLeft, now: Timestamp) -> Self {
        let types = section.ticket_types.iter().map(|ticket_type| {
            let (price, left) = of_type(details, section, Some(ticket_type), left, now);
            TicketTypeNow {
                ticket_type: ticket_type.clone(),
                price,
                left,
            }
        });
        let ticket_types: Vec<_> = types.collect();
        let (price, left) = match ticket_types.first() {
            Some(first) => (first.price.clone(), first.left),
            None => of_type(details, section, None, left, now),
        };
        Self {
            price,
            left,
            ticket_types,
        }
    }
}

/// Returns the price of a ticket type now, and how many of its tickets are left.
fn of_type(
    details: &EventDetails,
    section: &Section,
    ticket_type: Option<&TicketType>,
    left: &TicketsLeft,
    now: Timestamp,
) -> (Option<PriceNow>, Option<u32>) {
    let name = ticket_type.map(|of| &of.name);
    let tiers: Vec<_> = pricing::tiers_in_force(&details.pricing_tiers, section.name.as_str(), name, now).collect();
    let tier = tiers.iter().find(|tier| left.of_tier(tier) != Some(0));
    let is_sold = ticket_type.is_none_or(|of| of.rules.is_open_at(now));
    let price = tier.filter(|_| is_sold).and_then(|tier| price_of(details, tier));
    // If the tickets of all tiers are counted, no more are sold than these have left together.
    let mut of_tiers = tiers.iter().map(|tier| left.of_tier(tier));
    let of_tiers = of_tiers.try_fold(0_u32, |sum, more| Some(sum.saturating_add(more?)));
    let of_tiers = of_tiers.filter(|_| !tiers.is_empty());
    let of_quotas = left.of_tickets(section.section_id, ticket_type.map(|of| of.ticket_type_id));
    (price, of_tiers.into_iter().chain(of_quotas).min())
}

/// Returns the price at a tier; `None` if it is out of range with fees and taxes, so that nobody can buy at it.
fn price_of(details: &EventDetails, tier: &PricingTier) -> Option<PriceNow> {
    let one = LineToPrice {
        unit_price: tier.price,
        quantity: 1,
        discount: None,
    };
    let priced = pricing::price_of_order(&details.price_rules, &[one]).ok()?;
    Some(PriceNow {
        total: priced.first()?.total,
        tier: tier.tier.clone(),
        price: tier.price,
    })
}
