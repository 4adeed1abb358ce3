//! Takes tickets of a quota: of a ticket type, a tier, a pool or a code.
//!
//! When a hold has run out, the next command may take its tickets of a quota, as it may take its seats. That command then
//! releases the hold in the same commit. So the facts of whole commits never exceed a quota, whatever the clocks of several servers
//! say, and what is still claimed can be sold without looking at the quota again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::event_details::EventDetails;
use ticketing_ports::vocabulary::ids::{ReservationId, SectionId};

use super::stop::{Declined, Stop};
use super::unit_of_work::UnitOfWork;
use crate::catalog::Listing;
use crate::inventory::{Inventory, InventoryCommand, InventoryState, ReleaseReason};
use crate::quotas::{Quota, Tickets, of_code, quotas_of};
use crate::reservation::{Line, sections_of};

/// Why a quota has no room.
enum NoRoom {
    /// Fewer tickets are left than are needed: this many.
    Only(u32),
    /// A section is not loaded.
    Load,
}

impl From<Stop> for NoRoom {
    /// Looking at a section stops only because it is not loaded.
    fn from(_: Stop) -> Self {
        Self::Load
    }
}

/// The holds that ran out and have tickets of a quota, the oldest first: when each ran out, and how many it has.
type Lapsed = BTreeMap<(Timestamp, ReservationId, SectionId), u32>;

impl UnitOfWork<'_> {
    /// Makes room for these tickets in all quotas of the event: releases holds that have run out, as far as they are in
    /// the way.
    ///
    /// # Errors
    /// When fewer tickets are left in a quota, or a section is not loaded.
    pub(crate) fn make_room(&mut self, listing: &Listing, tickets: &[Tickets]) -> Result<(), Stop> {
        let touched = touched(listing, tickets);
        self.look_at_all(&touched);
        if self.has_missed() {
            return Err(Stop::Load);
        }
        for (quota, requested) in touched {
            self.make_room_in(&quota, requested, None).map_err(|why| match why {
                NoRoom::Only(left) => Stop::Refused(quota.refusal(requested, left)),
                NoRoom::Load => Stop::Load,
            })?;
        }
        Ok(())
    }

    /// Returns how many tickets of a quota are left now, those of holds that have run out among them.
    ///
    /// # Errors
    /// When a section is not loaded.
    pub(crate) fn left_in(&self, quota: &Quota<'_>) -> Result<u32, Stop> {
        quota.left(self.now(), |section| self.section(section))
    }

    /// Returns whether all quotas have room for a reservation that is to be sold. What is still claimed has its place. If
    /// a section is not loaded, returns `false` and notes its stream as a miss.
    pub(super) fn has_room_for(&self, reservation: ReservationId, lines: &[Line]) -> bool {
        if self.has_all_claims(reservation, lines) {
            return true;
        }
        let Ok(listing) = self.listing().cloned() else {
            return false;
        };
        let tickets = tickets_of(lines);
        if !are_told(&listing.details, &tickets) {
            return false;
        }
        let touched = touched(&listing, &tickets);
        self.look_at_all(&touched);
        touched.iter().all(|(quota, requested)| {
            let free = self.free(quota, Some(reservation));
            let lapsed = self.lapsed(quota, Some(reservation));
            let free = free.and_then(|free| Ok(lapsed?.values().fold(free, |free, more| free.saturating_add(*more))));
            free.is_ok_and(|free| free >= *requested)
        })
    }

    /// Makes room in all quotas for a reservation that is to be sold. Returns `false` if there is none, or a section is
    /// not loaded.
    pub(super) fn make_room_for(&mut self, reservation: ReservationId, lines: &[Line]) -> bool {
        if self.has_all_claims(reservation, lines) {
            return true;
        }
        let Ok(listing) = self.listing().cloned() else {
            return false;
        };
        let mut touched = touched(&listing, &tickets_of(lines)).into_iter();
        touched.all(|(quota, requested)| self.make_room_in(&quota, requested, Some(reservation)).is_ok())
    }

    fn make_room_in(
        &mut self,
        quota: &Quota<'_>,
        requested: u32,
        reservation: Option<ReservationId>,
    ) -> Result<(), NoRoom> {
        let mut free = self.free(quota, reservation)?;
        if free >= requested {
            return Ok(());
        }
        for ((_, lapsed, section), quantity) in self.lapsed(quota, reservation)? {
            let release = InventoryCommand::Release {
                reservation_id: lapsed,
                reason: ReleaseReason::Expired,
            };
            match self.decide::<Inventory>(section, &release) {
                Ok(_) => free = free.saturating_add(quantity),
                Err(Declined::Load) => return Err(NoRoom::Load),
                // A section releases every hold that it has.
                Err(Declined::Refused(_)) => {}
            }
            if free >= requested {
                return Ok(());
            }
        }
        Err(NoRoom::Only(free))
    }

    /// Returns how many tickets of a quota nobody but this reservation has claimed.
    fn free(&self, quota: &Quota<'_>, reservation: Option<ReservationId>) -> Result<u32, Stop> {
        let section = |section| self.section(section);
        let own = reservation.map_or(Ok(0), |own| quota.taken_by(own, section))?;
        let taken = quota.taken(section)?;
        Ok(quota.limit.saturating_sub(taken - own))
    }

    /// Returns the holds that ran out and have tickets of a quota, but for that of this reservation.
    fn lapsed(&self, quota: &Quota<'_>, reservation: Option<ReservationId>) -> Result<Lapsed, Stop> {
        let mut found = Lapsed::new();
        for (section, counted) in &quota.members {
            let lapsed = self.section(*section)?.lapsed_with(*counted, self.now());
            for (until, of, quantity) in lapsed.filter(|(_, of, _)| Some(*of) != reservation) {
                *found.entry((until, of, *section)).or_default() += quantity;
            }
        }
        Ok(found)
    }

    /// Returns whether a reservation still has its seats in all its sections, whether or not its hold has run out.
    pub(super) fn has_all_claims(&self, reservation: ReservationId, lines: &[Line]) -> bool {
        sections_of(lines).all(|section| self.section(section).is_ok_and(|state| state.has_claim(reservation)))
    }

    /// Looks at all sections of these quotas, so that all that are missing are loaded together.
    fn look_at_all(&self, quotas: &[(Quota<'_>, u32)]) {
        for (section, _) in quotas.iter().flat_map(|(quota, _)| &quota.members) {
            drop(self.section(*section));
        }
    }

    fn section(&self, section: SectionId) -> Result<&InventoryState, Stop> {
        self.get::<Inventory>(section)
    }

    /// Returns what the catalog says about the event.
    ///
    /// # Errors
    /// When the catalog is not loaded, or there is no such event.
    pub(super) fn details(&self) -> Result<Arc<EventDetails>, Stop> {
        Ok(Arc::clone(&self.listing()?.details))
    }
}

/// Returns whether the tickets tell their tiers where the event counts tickets. Those of an order that was recorded in an
/// older version do not, and cannot be counted any more.
fn are_told(details: &EventDetails, tickets: &[Tickets]) -> bool {
    !details.has_quotas() || tickets.iter().all(|tickets| tickets.tier_id.is_some())
}

/// Returns the quotas in which some of these tickets count, each with how many.
fn touched<'e>(listing: &'e Listing, tickets: &[Tickets]) -> Vec<(Quota<'e>, u32)> {
    let codes: BTreeSet<_> = tickets.iter().filter_map(|ticket| ticket.code_id).collect();
    let of_codes = codes
        .into_iter()
        .filter_map(|code| of_code(&listing.details, &listing.codes.get(code)?));
    let quotas = quotas_of(&listing.details)
        .into_iter()
        .chain(of_codes)
        .map(|quota| (quota.count(tickets), quota));
    let touched = quotas.filter(|(requested, _)| *requested > 0);
    touched.map(|(requested, quota)| (quota, requested)).collect()
}

/// Returns the tickets of these lines.
pub(super) fn tickets_of(lines: &[Line]) -> Vec<Tickets> {
    lines.iter().map(Tickets::from).collect()
}
