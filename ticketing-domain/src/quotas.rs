//! Quotas: how many tickets of a type, at the price of a tier, of a pool, or with a code are held and sold at most.
//!
//! Nothing is counted beforehand. How many are taken is added up from the claims of the sections.

use std::collections::BTreeMap;

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::event_details::{EventDetails, PoolMember, PricingTier, Section, TicketType};
use ticketing_ports::vocabulary::ids::{CodeId, ReservationId, SectionId, TicketTypeId, TierId};
use ticketing_ports::vocabulary::seating::Label;

use crate::catalog::Code;
use crate::inventory::{Counted, InventoryState, Part};
use crate::refusal::Refusal;
use crate::reservation::Line;

/// A limit of how many tickets are held and sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota<'e> {
    /// What is limited.
    pub of: QuotaOf<'e>,
    /// How many tickets are held and sold at most.
    pub limit: u32,
    /// The sections whose tickets count, and which of their tickets.
    pub members: Vec<(SectionId, Counted)>,
}

/// What a quota limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuotaOf<'e> {
    /// The tickets at the price of a tier.
    Tier(&'e PricingTier),
    /// The tickets of a type.
    TicketType(&'e Section, &'e TicketType),
    /// The tickets of a pool, which has this name.
    Pool(&'e Label),
    /// The tickets for which a code was entered.
    Code(Label),
}

/// Tickets of one section, of one type and at the price of one tier, that somebody wants or has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tickets {
    /// The section.
    pub section_id: SectionId,
    /// The ticket type; `None` in a section without types.
    pub ticket_type_id: Option<TicketTypeId>,
    /// The pricing tier; `None` if it has no id.
    pub tier_id: Option<TierId>,
    /// The code that was entered for the tickets; `None` if none.
    pub code_id: Option<CodeId>,
    /// How many tickets.
    pub quantity: u32,
}

impl From<&Line> for Tickets {
    fn from(line: &Line) -> Self {
        Self {
            section_id: line.section_id,
            ticket_type_id: line.ticket_type.as_ref().map(|of| of.ticket_type_id),
            tier_id: line.tier_id,
            code_id: line.code.as_ref().map(|code| code.code_id),
            quantity: line.seats.quantity(),
        }
    }
}

impl Tickets {
    fn is_counted(&self, (section, counted): (SectionId, Counted)) -> bool {
        let is_of = match counted {
            Counted::All => true,
            Counted::TicketType(id) => self.ticket_type_id == Some(id),
            Counted::Tier(id) => self.tier_id == Some(id),
            Counted::Code(id) => self.code_id == Some(id),
        };
        section == self.section_id && is_of
    }
}

/// Returns the quotas of an event.
pub fn quotas_of(details: &EventDetails) -> Vec<Quota<'_>> {
    if !details.has_quotas() {
        return Vec::new();
    }
    let sections: BTreeMap<&Label, &Section> = details
        .sections
        .iter()
        .map(|section| (&section.name, section))
        .collect();
    let tiers = details.pricing_tiers.iter();
    let of_tiers = tiers.filter_map(|tier| quota_of_tier(tier, || sections.get(&tier.section).copied()));
    let types = details
        .sections
        .iter()
        .flat_map(|section| section.ticket_types.iter().map(move |of| (section, of)));
    let of_types = types.filter_map(|(section, ticket_type)| {
        Some(Quota {
            of: QuotaOf::TicketType(section, ticket_type),
            limit: ticket_type.rules.quantity?,
            members: vec![(section.section_id, Counted::TicketType(ticket_type.ticket_type_id))],
        })
    });
    let of_pools = details.pools.iter().map(|pool| {
        let members = pool.members.iter();
        Quota {
            of: QuotaOf::Pool(&pool.name),
            limit: pool.quantity,
            members: members
                .filter_map(|member| counted(sections.get(&member.section)?, member))
                .collect(),
        }
    });
    of_tiers.chain(of_types).chain(of_pools).collect()
}

/// Returns the quota of the uses of a code; `None` if the code may be used for any number of tickets.
pub fn of_code(details: &EventDetails, code: &Code) -> Option<Quota<'static>> {
    Some(Quota {
        of: QuotaOf::Code(code.named.code.clone()),
        limit: code.rules.max_uses?,
        members: members_of_code(details, code),
    })
}

/// Returns the sections in which a code can be entered, with what counts as its uses.
pub fn members_of_code(details: &EventDetails, code: &Code) -> Vec<(SectionId, Counted)> {
    let valid_for = &code.rules.valid_for;
    let is_named =
        |section: &&Section| valid_for.is_empty() || valid_for.iter().any(|member| member.section == section.name);
    let counted = Counted::Code(code.named.code_id);
    let sections = details.sections.iter().filter(is_named);
    sections.map(|section| (section.section_id, counted)).collect()
}

/// Returns the quota of a tier; `None` if the tier has none.
pub fn of_tier<'e>(details: &EventDetails, tier: &'e PricingTier) -> Option<Quota<'e>> {
    quota_of_tier(tier, || {
        details.sections.iter().find(|section| section.name == tier.section)
    })
}

fn quota_of_tier<'e, 's>(tier: &'e PricingTier, section: impl FnOnce() -> Option<&'s Section>) -> Option<Quota<'e>> {
    let (limit, tier_id) = (tier.quantity?, tier.tier_id?);
    Some(Quota {
        of: QuotaOf::Tier(tier),
        limit,
        members: vec![(section()?.section_id, Counted::Tier(tier_id))],
    })
}

fn counted(section: &Section, member: &PoolMember) -> Option<(SectionId, Counted)> {
    let counted = match &member.ticket_type {
        None => Counted::All,
        Some(name) => {
            let of = section.ticket_types.iter().find(|of| of.name == *name)?;
            Counted::TicketType(of.ticket_type_id)
        }
    };
    Some((section.section_id, counted))
}

impl Quota<'_> {
    /// Makes the refusal of whoever wants more tickets than are left.
    pub fn refusal(&self, requested: u32, available: u32) -> Refusal {
        let text = |label: &Label| label.as_str().to_owned();
        let (section, ticket_type, pool, code) = match &self.of {
            QuotaOf::Tier(tier) => (
                Some(text(&tier.section)),
                tier.ticket_type.as_ref().map(text),
                None,
                None,
            ),
            QuotaOf::TicketType(section, of) => (Some(text(&section.name)), Some(text(&of.name)), None, None),
            QuotaOf::Pool(name) => (None, None, Some(text(name)), None),
            QuotaOf::Code(code) => (None, None, None, Some(text(code))),
        };
        Refusal::NotEnoughLeft {
            requested,
            available,
            section,
            ticket_type,
            pool,
            code,
        }
    }

    /// Returns how many of these tickets count.
    pub fn count(&self, tickets: &[Tickets]) -> u32 {
        let is_counted = |ticket: &&Tickets| self.members.iter().any(|member| ticket.is_counted(*member));
        sum(tickets.iter().filter(is_counted).map(|ticket| ticket.quantity))
    }

    /// Returns how many tickets are left at `now`. Those of holds that have run out are among them. `section` finds the
    /// state of each section.
    ///
    /// # Errors
    /// The first error of `section`.
    pub fn left<'s, E>(
        &self,
        now: Timestamp,
        section: impl Fn(SectionId) -> Result<&'s InventoryState, E>,
    ) -> Result<u32, E> {
        let mut left = self.limit;
        let mut lapsed = 0_u32;
        for (id, counted) in &self.members {
            let state = section(*id)?;
            left = left.saturating_sub(state.taken(*counted));
            lapsed = lapsed.saturating_add(sum(state.lapsed_with(*counted, now).map(|(.., quantity)| quantity)));
        }
        Ok(left.saturating_add(lapsed).min(self.limit))
    }

    /// Returns how many tickets the claims of these sections have that count. Holds that have run out count until they
    /// are released.
    ///
    /// # Errors
    /// The first error of `section`.
    pub fn taken<'s, E>(&self, section: impl Fn(SectionId) -> Result<&'s InventoryState, E>) -> Result<u32, E> {
        let each = self
            .members
            .iter()
            .map(|(id, counted)| Ok(section(*id)?.taken(*counted)));
        each.sum()
    }

    /// Returns how many tickets a reservation has that count.
    ///
    /// # Errors
    /// The first error of `section`.
    pub fn taken_by<'s, E>(
        &self,
        reservation: ReservationId,
        section: impl Fn(SectionId) -> Result<&'s InventoryState, E>,
    ) -> Result<u32, E> {
        let members = self.members.iter();
        let each = members.map(|(id, counted)| Ok(section(*id)?.taken_by(reservation, *counted)));
        each.sum()
    }
}

/// How many tickets are left in each quota at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TicketsLeft {
    of_tiers: BTreeMap<TierId, u32>,
    /// Of ticket types and pools: whose tickets count, and how many are left.
    others: Vec<(Vec<(SectionId, Counted)>, u32)>,
}

impl TicketsLeft {
    /// Adds up how many tickets are left at `now` in the quotas of an event. `section` finds the state of each section.
    ///
    /// # Errors
    /// The first error of `section`.
    pub fn of<'s, E>(
        details: &EventDetails,
        now: Timestamp,
        section: impl Fn(SectionId) -> Result<&'s InventoryState, E>,
    ) -> Result<Self, E> {
        let mut all = Self::default();
        for quota in quotas_of(details) {
            let left = quota.left(now, &section)?;
            match quota.of {
                QuotaOf::Tier(tier) => drop(tier.tier_id.map(|id| all.of_tiers.insert(id, left))),
                QuotaOf::TicketType(..) | QuotaOf::Pool(_) | QuotaOf::Code(_) => all.others.push((quota.members, left)),
            }
        }
        Ok(all)
    }

    /// Returns how many tickets are left at the price of a tier; `None` if any number is sold at it.
    pub fn of_tier(&self, tier: &PricingTier) -> Option<u32> {
        self.of_tiers.get(&tier.tier_id?).copied()
    }

    /// Returns how many tickets of a section are left, of this type if the section has types, beside the places of the
    /// section and the prices; `None` if there is no other limit.
    pub fn of_tickets(&self, section: SectionId, ticket_type: Option<TicketTypeId>) -> Option<u32> {
        let ticket = Tickets {
            section_id: section,
            ticket_type_id: ticket_type,
            tier_id: None,
            code_id: None,
            quantity: 1,
        };
        let is_counted = |members: &[(SectionId, Counted)]| members.iter().any(|member| ticket.is_counted(*member));
        let limited = self.others.iter().filter(|(members, _)| is_counted(members));
        limited.map(|(_, left)| *left).min()
    }
}

/// Returns the parts of a section's seats that facts about them tell: none if the section is not
/// divided and no code was entered.
pub fn parts_of(details: &EventDetails, section: SectionId, tickets: &[Tickets]) -> Vec<Part> {
    let of_section = || tickets.iter().filter(|ticket| ticket.section_id == section);
    let found = details.sections.iter().find(|of| of.section_id == section);
    let is_divided = found.is_some_and(|section| details.is_divided(section));
    if !is_divided && of_section().all(|ticket| ticket.code_id.is_none()) {
        return Vec::new();
    }
    let parts = of_section().filter_map(|ticket| {
        Some(Part {
            ticket_type_id: ticket.ticket_type_id,
            tier_id: ticket.tier_id?,
            code_id: ticket.code_id,
            quantity: ticket.quantity,
        })
    });
    parts.collect()
}

fn sum(quantities: impl Iterator<Item = u32>) -> u32 {
    quantities.fold(0, u32::saturating_add)
}
