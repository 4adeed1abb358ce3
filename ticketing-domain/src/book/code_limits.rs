//! For how many tickets one customer may use a code. How often all customers together may is a quota.
//!
//! Nothing is counted beforehand: the uses are added up from the claims of the sections in which the code can be entered. All
//! of these are read, so the log commits only if none has changed since.

use std::collections::BTreeMap;

use ticketing_ports::vocabulary::ids::{CodeId, CustomerId, ReservationId};

use super::stop::Stop;
use super::unit_of_work::UnitOfWork;
use crate::catalog::{Code, Listing};
use crate::inventory::Inventory;
use crate::quotas::{Tickets, members_of_code};
use crate::refusal::Refusal;

impl UnitOfWork<'_> {
    /// Checks that a customer may use the codes of these tickets once more for as many, in a reservation that is not
    /// counted. `tell` says whether the customer may learn how many the customer has.
    ///
    /// # Errors
    /// When the customer would use a code too often, or a section is not loaded.
    pub(crate) fn may_use_codes(
        &self,
        customer: CustomerId,
        reservation: ReservationId,
        tickets: &[Tickets],
        tell: bool,
    ) -> Result<(), Stop> {
        let listing = self.listing()?;
        for (code, limit, requested) in limited(listing, tickets) {
            let has = self.uses_of(code, listing, customer, reservation)?;
            if has.saturating_add(requested) > limit {
                return Err(Refusal::CustomerLimitReached {
                    requested,
                    has: tell.then_some(has),
                    limit,
                    code: Some(code.named.code.as_str().to_owned()),
                }
                .into());
            }
        }
        Ok(())
    }

    /// Returns whether a code of these tickets may be used only so often by one customer. Then an extension of their hold
    /// reads the sections too.
    ///
    /// # Errors
    /// When the catalog is not loaded.
    pub(super) fn have_limited_codes(&self, tickets: &[Tickets]) -> Result<bool, Stop> {
        Ok(limited(self.listing()?, tickets).next().is_some())
    }

    fn uses_of(
        &self,
        code: &Code,
        listing: &Listing,
        customer: CustomerId,
        reservation: ReservationId,
    ) -> Result<u32, Stop> {
        let members = members_of_code(&listing.details, code);
        // Looks all sections up before it fails for the first missing one, so that all of them are loaded together.
        let sections: Vec<_> = members
            .iter()
            .map(|(section, counted)| Ok((self.get::<Inventory>(*section)?, *counted)))
            .collect::<Vec<Result<_, Stop>>>();
        let mut uses = 0_u32;
        for section in sections {
            let (section, counted) = section?;
            uses = uses.saturating_add(section.taken_by_customer(customer, counted, self.now(), reservation));
        }
        Ok(uses)
    }
}

/// Returns the codes of these tickets that one customer may use only so often: how often, and for how many tickets.
fn limited<'l>(listing: &'l Listing, tickets: &[Tickets]) -> impl Iterator<Item = (&'l Code, u32, u32)> {
    let mut requested: BTreeMap<CodeId, u32> = BTreeMap::new();
    for ticket in tickets {
        if let Some(code_id) = ticket.code_id {
            *requested.entry(code_id).or_default() += ticket.quantity;
        }
    }
    requested.into_iter().filter_map(|(code_id, requested)| {
        let code = listing.codes.get(code_id)?;
        Some((code, code.rules.max_uses_per_customer?, requested))
    })
}
