//! Divides the lines of an order among the pricing tiers that are in force: once the tickets of one tier are gone, the
//! next tier follows. So a line may be sold at several prices.

use ticketing_ports::vocabulary::event_details::{EventDetails, PricingTier};

use super::wanted_line::WantedLine;
use crate::book::{Stop, UnitOfWork};
use crate::catalog::{Code, SaleTerms};
use crate::quotas::{self, Tickets};

/// Those tickets of a line that are sold at the price of one tier.
#[derive(Debug)]
pub(super) struct Share<'o> {
    /// The place of the line in the order.
    pub(super) line: usize,
    /// The terms of the line.
    pub(super) terms: &'o SaleTerms<'o>,
    /// The tier.
    pub(super) tier: &'o PricingTier,
    /// The code that the customer has entered for them; `None` if none.
    pub(super) code: Option<&'o Code>,
    /// How many tickets.
    pub(super) quantity: u32,
}

impl Share<'_> {
    /// Returns the tickets, as quotas count them.
    pub(super) fn tickets(&self) -> Tickets {
        Tickets {
            section_id: self.terms.section.section_id,
            ticket_type_id: self.terms.ticket_type.map(|of| of.ticket_type_id),
            tier_id: self.tier.tier_id,
            code_id: self.code.map(|code| code.named.code_id),
            quantity: self.quantity,
        }
    }
}

/// Divides the lines of an order. The terms are those of the lines.
///
/// # Errors
/// When fewer tickets are left in all tiers of a line together.
pub(super) fn shares<'o>(
    unit: &UnitOfWork<'_>,
    details: &EventDetails,
    lines: &[WantedLine],
    terms: &'o [SaleTerms<'o>],
    code: Option<&'o Code>,
) -> Result<Vec<Share<'o>>, Stop> {
    let mut shares = Vec::with_capacity(lines.len());
    for (line, (wanted, terms)) in lines.iter().zip(terms).enumerate() {
        let code = code.filter(|code| terms.are_of(code));
        let mut open = wanted.quantity;
        let mut last = None;
        for &tier in &terms.tiers {
            let quota = quotas::of_tier(details, tier);
            let left = quota.as_ref().map(|quota| unit.left_in(quota)).transpose()?;
            let quantity = left.map_or(open, |left| left.min(open));
            open -= quantity;
            last = quota;
            if quantity > 0 {
                shares.push(Share {
                    line,
                    terms,
                    tier,
                    code,
                    quantity,
                });
            }
            if open == 0 {
                break;
            }
        }
        if let Some(quota) = last.filter(|_| open > 0) {
            return Err(quota.refusal(wanted.quantity, wanted.quantity - open).into());
        }
    }
    Ok(shares)
}
