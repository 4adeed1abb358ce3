//! How much of an event one customer may have: how many seats, how many with a code, and how many holds that wait to be paid.
//!
//! Nothing is counted beforehand: what a customer has is added up from the claims of all sections.
//!
//! A hold that has run out counts until it is released. When it is in the way of its own customer, the command that needs
//! its room releases it in the same commit. So the facts of whole commits never exceed a limit, whatever the clocks of
//! several servers say, and what is still claimed can be sold without counting again.
//!
//! If there is a limit, a hold, a sale and an extension read all sections that count, even if they have nothing to add up. So the
//! log commits them only if no section has changed since. Without that, two servers that decide about one customer at
//! the same time, or one that commits late, could exceed the limit together.

use std::collections::{BTreeMap, BTreeSet};

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::buyer::Buyer;
use ticketing_ports::vocabulary::ids::{CodeId, CustomerId, ReservationId, SectionId};
use ticketing_ports::vocabulary::roles::Role;
use ticketing_ports::vocabulary::seating::Label;

use super::quotas::tickets_of;
use super::stop::{Declined, Stop};
use super::unit_of_work::UnitOfWork;
use crate::inventory::{CUSTOMERS_SINCE, Counted, CustomerHold, Inventory, InventoryCommand, ReleaseReason};
use crate::quotas::{Tickets, members_of_code};
use crate::refusal::Refusal;
use crate::reservation::Line;

/// How many seats one customer may have: in all, or with one code.
#[derive(Debug)]
struct Limit {
    at_most: u32,
    /// How many more the customer wants.
    requested: u32,
    /// The sections whose seats count, and which of their seats.
    members: Vec<(SectionId, Counted)>,
    /// The code; `None` if all seats count.
    code: Option<Label>,
}

/// What a customer has of the seats that a limit counts.
#[derive(Debug)]
struct Has {
    /// How many seats, those of holds that have run out among them.
    claimed: u32,
    /// The holds that have run out and are not released yet, the oldest first: when each ran out, and how many seats count.
    lapsed: BTreeMap<(Timestamp, ReservationId, SectionId), u32>,
}

impl Limit {
    fn allows(&self, has: u32) -> bool {
        has.saturating_add(self.requested) <= self.at_most
    }

    /// Makes the refusal of who has this many already; `None` if the caller may not learn how many.
    fn refusal(&self, has: Option<u32>) -> Refusal {
        Refusal::CustomerLimitReached {
            requested: self.requested,
            has,
            limit: self.at_most,
            code: self.code.as_ref().map(|code| code.as_str().to_owned()),
        }
    }
}

impl Has {
    /// Returns how many seats the customer has once all holds are released that have run out.
    fn live(&self) -> u32 {
        let lapsed = self.lapsed.values().fold(0_u32, |sum, more| sum.saturating_add(*more));
        self.claimed.saturating_sub(lapsed)
    }
}

impl UnitOfWork<'_> {
    /// Checks that a customer may hold this many more seats, in a reservation more, and releases holds of the customer that
    /// have run out as far as they are in the way. `by` is who asks, for the customer or as the customer.
    ///
    /// # Errors
    /// When the customer would have too many seats or too many holds, when an older build on the log would not tell
    /// whose the seats are, or when a section is not loaded.
    pub(crate) fn may_hold_more(&mut self, by: Buyer, customer: CustomerId, requested: u32) -> Result<(), Stop> {
        let limit = self.limit_of_seats(requested)?;
        let most_holds = self.most_holds(by);
        if limit.is_none() && most_holds.is_none() {
            return Ok(());
        }
        if limit.is_some() && !self.facts_tell_customers() {
            return Err(Refusal::UpdateUnderWay.into());
        }
        if let Some(limit) = most_holds {
            let reservations = self.live_holds(customer)?;
            if reservations.len() >= limit as usize {
                let reservations = reservations.into_iter().collect();
                return Err(Refusal::TooManyHolds { limit, reservations }.into());
            }
        }
        limit.map_or(Ok(()), |limit| self.take(&limit, customer, None))
    }

    /// Checks that a customer may use the codes of these tickets for as many more, and releases holds of the customer that
    /// have run out as far as they are in the way.
    ///
    /// # Errors
    /// When the customer would use a code for too many tickets, or a section is not loaded.
    pub(crate) fn may_use_codes(&mut self, customer: CustomerId, tickets: &[Tickets]) -> Result<(), Stop> {
        let mut limits = self.limits_of_codes(tickets)?.into_iter();
        limits.try_for_each(|limit| self.take(&limit, customer, None))
    }

    /// Reads all sections if there is a limit, so that a hold is extended only if the customer has taken nothing else
    /// meanwhile.
    ///
    /// # Errors
    /// When a section is not loaded.
    pub(crate) fn read_for_limits(&self, by: Buyer, lines: &[Line]) -> Result<(), Stop> {
        if !self.limits_of_lines(lines)?.is_empty() || self.most_holds(by).is_some() {
            self.every::<Inventory>()?;
        }
        Ok(())
    }

    /// Returns whether a customer may have the seats of a reservation that is to be sold. What is still claimed was counted
    /// when it was held. But whatever was released no longer counts, so the customer may meanwhile have other seats. If a
    /// section is not loaded, returns `false` and notes its stream as a miss.
    pub(super) fn may_still_have(&self, reservation: ReservationId, customer: CustomerId, lines: &[Line]) -> bool {
        let Ok(limits) = self.limits_of_lines(lines) else {
            return false;
        };
        if limits.is_empty() {
            return true;
        }
        if self.every::<Inventory>().is_err() {
            return false;
        }
        // If the fact could not tell whose the seats are, they would count for nobody.
        self.all_claimed(reservation, customer, lines)
            || self.facts_tell_customers()
                && limits.iter().all(|limit| {
                    let has = self.has(limit, customer, Some(reservation));
                    has.is_ok_and(|has| limit.allows(has.live()))
                })
    }

    /// Releases holds of a customer that have run out, as far as they are in the way of a reservation that is to be sold.
    /// Returns `false` if the customer may not have its seats, or a section is not loaded.
    pub(super) fn make_room_for_customer(
        &mut self,
        reservation: ReservationId,
        customer: CustomerId,
        lines: &[Line],
    ) -> bool {
        if self.all_claimed(reservation, customer, lines) {
            return true;
        }
        let Ok(limits) = self.limits_of_lines(lines) else {
            return false;
        };
        let mut limits = limits.into_iter();
        limits.all(|limit| self.take(&limit, customer, Some(reservation)).is_ok())
    }

    /// Checks that a customer may have the seats of a guest's order, which were held before anybody knew whose they are.
    ///
    /// # Errors
    /// When the customer would have too many seats, or when a section is not loaded.
    pub(crate) fn may_buy(&self, reservation: ReservationId, customer: CustomerId, lines: &[Line]) -> Result<(), Stop> {
        for limit in self.limits_of_lines(lines)? {
            if !limit.allows(self.has(&limit, customer, Some(reservation))?.live()) {
                // Nobody has proven yet to be this customer.
                return Err(limit.refusal(None).into());
            }
        }
        Ok(())
    }

    /// Releases holds of a customer that have run out, the oldest first, until the limit allows what the customer wants. What
    /// the reservation `beside` has is not counted.
    fn take(&mut self, limit: &Limit, customer: CustomerId, beside: Option<ReservationId>) -> Result<(), Stop> {
        let Has { mut claimed, lapsed } = self.has(limit, customer, beside)?;
        for ((_, reservation_id, section), quantity) in lapsed {
            if limit.allows(claimed) {
                break;
            }
            let reason = ReleaseReason::Expired;
            let release = InventoryCommand::Release { reservation_id, reason };
            match self.decide::<Inventory>(section, &release) {
                Ok(_) => claimed = claimed.saturating_sub(quantity),
                Err(Declined::Load) => return Err(Stop::Load),
                // A section releases every hold that it has.
                Err(Declined::Refused(_)) => {}
            }
        }
        if limit.allows(claimed) {
            Ok(())
        } else {
            Err(limit.refusal(Some(claimed)).into())
        }
    }

    /// Returns what a customer has of the seats that a limit counts, but for what one reservation has.
    fn has(&self, limit: &Limit, customer: CustomerId, beside: Option<ReservationId>) -> Result<Has, Stop> {
        // Looks all sections up before it fails for the first missing one, so that all of them are loaded together.
        let looked_up: Vec<_> = limit
            .members
            .iter()
            .map(|(section, counted)| (*section, *counted, self.get::<Inventory>(*section)))
            .collect();
        let mut has = Has {
            claimed: 0,
            lapsed: BTreeMap::new(),
        };
        for (section, counted, state) in looked_up {
            let state = state?;
            has.claimed = has.claimed.saturating_add(state.sold_with(customer, counted));
            for hold in state
                .held_by(customer)
                .filter(|hold| Some(hold.reservation_id) != beside)
            {
                let quantity = state.taken_by(hold.reservation_id, counted);
                has.claimed = has.claimed.saturating_add(quantity);
                if quantity > 0 && hold.until <= self.now() {
                    has.lapsed.insert((hold.until, hold.reservation_id, section), quantity);
                }
            }
        }
        Ok(has)
    }

    /// Returns the limits that count for these lines.
    fn limits_of_lines(&self, lines: &[Line]) -> Result<Vec<Limit>, Stop> {
        let mut limits: Vec<_> = self.limit_of_seats(quantity(lines))?.into_iter().collect();
        if lines.iter().any(|line| line.code.is_some()) {
            limits.extend(self.limits_of_codes(&tickets_of(lines))?);
        }
        Ok(limits)
    }

    /// Returns the limit of the seats of one customer; `None` if the event has none.
    fn limit_of_seats(&self, requested: u32) -> Result<Option<Limit>, Stop> {
        let details = &self.listing()?.details;
        let sections = details.sections.iter();
        Ok(details.max_seats_per_customer.map(|at_most| Limit {
            at_most,
            requested,
            members: sections.map(|section| (section.section_id, Counted::All)).collect(),
            code: None,
        }))
    }

    /// Returns the limits of the codes of these tickets.
    fn limits_of_codes(&self, tickets: &[Tickets]) -> Result<Vec<Limit>, Stop> {
        let mut requested: BTreeMap<CodeId, u32> = BTreeMap::new();
        for ticket in tickets {
            if let Some(code_id) = ticket.code_id {
                *requested.entry(code_id).or_default() += ticket.quantity;
            }
        }
        let listing = self.listing()?;
        let limits = requested.into_iter().filter_map(|(code_id, requested)| {
            let code = listing.codes.get(code_id)?;
            Some(Limit {
                at_most: code.rules.max_uses_per_customer?,
                requested,
                members: members_of_code(&listing.details, &code),
                code: Some(code.named.code),
            })
        });
        Ok(limits.collect())
    }

    /// Returns in how many reservations a customer may hold seats; `None` if any number: for an admin, who serves many
    /// people, and for a guest, of whom nobody knows which other orders are theirs.
    fn most_holds(&self, by: Buyer) -> Option<u32> {
        let is_one_customer = by.account().is_some_and(|actor| actor.role != Role::Admin);
        self.ctx().max_live_holds.filter(|_| is_one_customer)
    }

    /// Returns whether facts about seats are written in a version that tells their customer.
    fn facts_tell_customers(&self) -> bool {
        self.ctx().floor >= CUSTOMERS_SINCE
    }

    /// Returns whether the seats of all lines are still claimed by a reservation, for this customer.
    fn all_claimed(&self, reservation: ReservationId, customer: CustomerId, lines: &[Line]) -> bool {
        lines.iter().all(|line| {
            let section = self.get::<Inventory>(line.section_id);
            let is_it = |hold: CustomerHold| hold.reservation_id == reservation;
            section.is_ok_and(|section| section.held_by(customer).any(is_it))
        })
    }

    /// Returns the reservations by which a customer holds seats. Holds that have run out are not among them.
    fn live_holds(&self, customer: CustomerId) -> Result<BTreeSet<ReservationId>, Stop> {
        let sections = self.every::<Inventory>()?;
        let holds = sections.iter().flat_map(|(_, section)| section.held_by(customer));
        let live = holds.filter(|hold| self.now() < hold.until);
        Ok(live.map(|hold| hold.reservation_id).collect())
    }
}

fn quantity(lines: &[Line]) -> u32 {
    let quantities = lines.iter().map(|line| line.seats.quantity());
    quantities.fold(0, u32::saturating_add)
}
