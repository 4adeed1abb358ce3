//! Whether no more tickets are held and sold than there are of a ticket type, at a price or of a pool, and each line costs
//! what its tier says.

use std::collections::BTreeSet;

use super::discrepancy::Discrepancy;
use crate::wire::{Event, Line, PricePart, Reservation, Tier};

/// What the codes of the load tool begin with. A number follows, which says for how many tickets the code may be used: so the
/// books need not ask the organiser.
pub const CODE_PREFIX: &str = "LOAD-";

fn uses_of(code: &str) -> Option<u32> {
    code.strip_prefix(CODE_PREFIX)?.parse().ok()
}

/// What the event says about its prices and how many tickets there are.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    pub(super) quotas: Vec<Quota>,
    pub(super) tiers: Vec<Tier>,
}

#[derive(Debug, Clone)]
pub(super) struct Quota {
    name: String,
    pub(super) limit: u32,
    members: Vec<Member>,
}

/// A section, or the tickets of one type or tier in it.
#[derive(Debug, Clone)]
struct Member {
    section: String,
    ticket_type: Option<String>,
    tier: Option<String>,
}

impl Member {
    fn counts(&self, line: &Line) -> bool {
        let is_of = |wanted: Option<&String>, is: Option<&String>| wanted.is_none() || wanted == is;
        line.section == self.section
            && is_of(self.ticket_type.as_ref(), line.ticket_type.as_ref())
            && is_of(self.tier.as_ref(), Some(&line.tier))
    }
}

impl From<&Event> for Terms {
    fn from(event: &Event) -> Self {
        let of_tiers = event.pricing_tiers.iter().filter_map(|tier| {
            let member = Member {
                section: tier.section.clone(),
                ticket_type: tier.ticket_type.clone(),
                tier: Some(tier.tier.clone()),
            };
            Some(Quota {
                name: format!("tier {} of {}", tier.tier, tier.section),
                limit: tier.quantity?,
                members: vec![member],
            })
        });
        let types = event.sections.iter().flat_map(|section| {
            let types = section.ticket_types.iter();
            types.map(move |of| (section, of))
        });
        let of_types = types.filter_map(|(section, of)| {
            let member = Member {
                section: section.name.clone(),
                ticket_type: Some(of.name.clone()),
                tier: None,
            };
            Some(Quota {
                name: format!("type {} of {}", of.name, section.name),
                limit: of.quantity?,
                members: vec![member],
            })
        });
        let of_pools = event.pools.iter().map(|pool| {
            let members = pool.members.iter().map(|member| Member {
                section: member.section.clone(),
                ticket_type: member.ticket_type.clone(),
                tier: None,
            });
            Quota {
                name: format!("pool {}", pool.name),
                limit: pool.quantity,
                members: members.collect(),
            }
        });
        Self {
            quotas: of_tiers.chain(of_types).chain(of_pools).collect(),
            tiers: event.pricing_tiers.clone(),
        }
    }
}

/// Checks the lines of all reservations that have a right to their seats.
pub(super) fn no_quota_is_exceeded(terms: &Terms, live: &[&Line], found: &mut Vec<Discrepancy>) {
    for code in live
        .iter()
        .filter_map(|line| line.code.as_deref())
        .collect::<BTreeSet<_>>()
    {
        let lines = live.iter().filter(|line| line.code.as_deref() == Some(code));
        let taken = lines.map(|line| u64::from(line.quantity)).sum();
        if let Some(limit) = uses_of(code).filter(|limit| taken > u64::from(*limit)) {
            let name = format!("code {code}");
            found.push(Discrepancy::QuotaExceeded { name, limit, taken });
        }
    }
    for quota in &terms.quotas {
        let counted = live
            .iter()
            .filter(|line| quota.members.iter().any(|member| member.counts(line)));
        let taken = counted.map(|line| u64::from(line.quantity)).sum();
        if taken > u64::from(quota.limit) {
            found.push(Discrepancy::QuotaExceeded {
                name: quota.name.clone(),
                limit: quota.limit,
                taken,
            });
        }
    }
}

/// Returns whether the parts of a line's price begin with the price of its tickets, and add up to its total.
fn parts_add_up(line: &Line) -> bool {
    let of_tickets = line.unit_price.amount * i64::from(line.quantity);
    let is_base = |part: &PricePart| part.part == "base" && part.amount.amount == of_tickets;
    let adding = line.price_parts.iter().filter(|part| !part.included);
    line.price_parts.first().is_some_and(is_base)
        && adding.map(|part| part.amount.amount).sum::<i64>() == line.total_amount.amount
}

pub(super) fn lines_cost_what_their_tiers_say<'r>(
    terms: &Terms,
    reservations: impl Iterator<Item = &'r Reservation>,
    found: &mut Vec<Discrepancy>,
) {
    for reservation in reservations {
        let is_right = |line: &Line| {
            let of_line = |tier: &&Tier| {
                tier.section == line.section && tier.ticket_type == line.ticket_type && tier.tier == line.tier
            };
            let tier = terms.tiers.iter().find(of_line);
            tier.is_some_and(|tier| tier.price == line.unit_price) && parts_add_up(line)
        };
        let total: i64 = reservation.lines.iter().map(|line| line.total_amount.amount).sum();
        if !reservation.lines.iter().all(is_right) || total != reservation.total_amount.amount {
            let reservation = reservation.reservation_id;
            found.push(Discrepancy::WrongPrice { reservation });
        }
    }
}
