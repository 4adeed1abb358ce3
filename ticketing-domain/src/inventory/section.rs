//! The seats of one opened section: which reservation has which seats, and how many are held, sold and blocked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CustomerId, ReservationId};
use ticketing_ports::vocabulary::seating::{SeatCounts, Seating};

use super::claim::{ClaimKind, CompactClaim, CustomerMark, NamedClaim, Places};
use super::customers::Customers;
use super::event::{Part, SectionOpened, TakenSeats};
use super::parts::{Parts, fitting};
use super::seat_map::{FreeSeats, SeatIndex, SeatPlan};
use super::undo::Undone;

/// A section that was opened.
///
/// Each place is free, or counted once in `held`, `sold` or `blocked`; together these never exceed the capacity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) opened: Arc<SectionOpened>,
    layout: Layout,
    capacity: u32,
    held: u32,
    sold: u32,
    blocked: u32,
    pub(super) claims: BTreeMap<ReservationId, CompactClaim>,
    /// How many places each hold has, sorted by when the hold runs out, so that the lapsed holds are found
    /// without reading the others.
    pub(super) expiries: BTreeMap<(Timestamp, ReservationId), u32>,
    /// Whose the claims are.
    pub(super) customers: Customers,
    /// Of which ticket types and tiers the claims are, if the tickets of the section are not all alike.
    pub(super) parts: Parts,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Layout {
    GeneralAdmission,
    Numbered(SeatMap),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeatMap {
    pub(super) plan: Arc<SeatPlan>,
    /// The seats that are neither held, sold nor blocked. The seats of a hold that has run out still count as held
    /// until the hold is released.
    pub(super) free: FreeSeats,
    blocked: BTreeSet<SeatIndex>,
}

impl Section {
    pub(super) fn open(opened: &SectionOpened) -> Self {
        let (layout, capacity) = match &opened.seating {
            Seating::GeneralAdmission { capacity } => (Layout::GeneralAdmission, *capacity),
            Seating::Numbered { rows } => {
                let plan = Arc::new(SeatPlan::new(rows));
                let capacity = plan.capacity();
                let free = FreeSeats::all(&plan);
                let blocked = BTreeSet::new();
                (Layout::Numbered(SeatMap { plan, free, blocked }), capacity)
            }
        };
        Self {
            opened: Arc::new(opened.clone()),
            layout,
            capacity,
            held: 0,
            sold: 0,
            blocked: 0,
            claims: BTreeMap::new(),
            expiries: BTreeMap::new(),
            customers: Customers::default(),
            parts: Parts::default(),
        }
    }

    /// Makes a section in which the places `blocked` are blocked, and each reservation in `claims` has the places of
    /// its claim. `None` if a place is taken twice or does not exist.
    pub(super) fn with(
        opened: &SectionOpened,
        blocked: &Places,
        claims: Vec<(ReservationId, NamedClaim)>,
    ) -> Option<Self> {
        let mut section = Self::open(opened);
        let mut seats = Vec::new();
        let mut untouched = section.capacity;
        for places in claims.iter().map(|(_, claim)| &claim.places).chain([blocked]) {
            untouched = untouched.checked_sub(places.quantity())?;
            match (&section.layout, places) {
                (Layout::GeneralAdmission, Places::Count(_)) => {}
                (Layout::Numbered(_), Places::Seats(taken)) => seats.extend_from_slice(taken),
                (Layout::GeneralAdmission, Places::Seats(_)) | (Layout::Numbered(_), Places::Count(_)) => return None,
            }
        }
        if let Layout::Numbered(map) = &mut section.layout {
            let wanted = seats.len();
            if map.free.take(&map.plan, seats).len() != wanted {
                return None;
            }
        }
        section.block_taken(blocked);
        let named = claims.len();
        let mut expiries = Vec::with_capacity(named);
        for (reservation, claim) in &claims {
            let quantity = claim.places.quantity();
            match claim.kind {
                ClaimKind::Held { until } => {
                    section.held += quantity;
                    expiries.push(((until, *reservation), quantity));
                }
                ClaimKind::Sold => section.sold += quantity,
            }
        }
        // A map is built faster from all its entries at once than by inserting them one by one.
        section.expiries = expiries.into_iter().collect();
        section.customers = claims
            .iter()
            .map(|(reservation, claim)| (*reservation, claim))
            .collect();
        let parts = &mut section.parts;
        let compact = claims.into_iter().map(|(reservation, mut claim)| {
            parts.add(reservation, std::mem::take(&mut claim.parts));
            (reservation, claim.into())
        });
        section.claims = compact.collect();
        (section.claims.len() == named).then_some(section)
    }

    pub(super) fn blocked_places(&self) -> Places {
        match &self.layout {
            Layout::GeneralAdmission => Places::Count(self.blocked),
            Layout::Numbered(map) => Places::Seats(map.blocked.iter().copied().collect()),
        }
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns how many places are neither held, sold nor blocked. The places of a lapsed hold count as held until it
    /// is released.
    pub(super) fn untouched(&self) -> u32 {
        self.capacity - self.held - self.sold - self.blocked
    }

    /// Returns how many places are held and sold. The places of a lapsed hold count as held until it is released.
    pub(super) fn claimed(&self) -> u32 {
        self.held + self.sold
    }

    pub(super) fn blocked(&self) -> u32 {
        self.blocked
    }

    pub(super) fn counts(&self, now: Timestamp) -> SeatCounts {
        let lapsed: u32 = self.lapsed(now).map(|(_, quantity)| quantity).sum();
        SeatCounts {
            available: self.untouched() + lapsed,
            held: self.held - lapsed,
            sold: self.sold,
            blocked: self.blocked,
        }
    }

    pub(super) fn claim(&self, reservation: ReservationId) -> Option<&CompactClaim> {
        self.claims.get(&reservation)
    }

    /// Returns the numbered seats that a reservation has; an empty list in general admission.
    pub(super) fn seats_of(&self, reservation: ReservationId) -> &[SeatIndex] {
        match self.claim(reservation) {
            Some(CompactClaim {
                places: Places::Seats(seats),
                ..
            }) => seats,
            _ => &[],
        }
    }

    pub(super) fn name_seats(&self, places: &Places) -> TakenSeats {
        match (&self.layout, places) {
            (Layout::Numbered(map), Places::Seats(seats)) => {
                TakenSeats::Seats(seats.iter().map(|seat| map.plan.seat_id(*seat)).collect())
            }
            _ => TakenSeats::Places(places.quantity()),
        }
    }

    pub(super) fn give(
        &mut self,
        reservation: ReservationId,
        customer: Option<CustomerId>,
        wanted: &TakenSeats,
        parts: &[Part],
        kind: ClaimKind,
    ) -> Undone {
        let before = self.release(reservation);
        let places = self.take_free(wanted);
        if places.quantity() > 0 {
            let claim = NamedClaim {
                kind,
                customer,
                parts: fitting(parts, places.quantity()),
                places,
            };
            self.enter(reservation, claim);
        }
        Undone::Claim { reservation, before }
    }

    /// Adds a claim and counts its places as held or sold. The caller has already marked these places as taken.
    fn enter(&mut self, reservation: ReservationId, mut claim: NamedClaim) {
        let quantity = claim.places.quantity();
        match claim.kind {
            ClaimKind::Held { until } => {
                self.held += quantity;
                self.expiries.insert((until, reservation), quantity);
            }
            ClaimKind::Sold => self.sold += quantity,
        }
        self.customers.add(reservation, &claim);
        self.parts.add(reservation, std::mem::take(&mut claim.parts));
        self.claims.insert(reservation, claim.into());
    }

    /// Undoes the latest fact. Only the opening of the section is not undone here: the caller drops the section
    /// instead.
    pub(super) fn undo(&mut self, undone: Undone) {
        match undone {
            Undone::Nothing | Undone::Opened => {}
            Undone::Claim { reservation, before } => {
                self.release(reservation);
                if let Some(claim) = before {
                    self.take_exactly(&claim.places);
                    self.enter(reservation, claim);
                }
            }
            Undone::Sold {
                reservation,
                until,
                held_for,
            } => {
                if let Some(claim) = self.claims.get_mut(&reservation) {
                    let held = ClaimKind::Held { until };
                    self.customers.becomes(held, held_for, reservation, claim);
                    claim.customer = held_for.map(CustomerMark::of);
                    claim.kind = held;
                    let quantity = claim.places.quantity();
                    self.sold -= quantity;
                    self.held += quantity;
                    self.expiries.insert((until, reservation), quantity);
                }
            }
            Undone::Extended { reservation, until } => drop(self.extend(reservation, until)),
            Undone::Blocked(places) => self.unblock_exactly(&places),
            Undone::Unblocked(places) => {
                self.take_exactly(&places);
                self.block_taken(&places);
            }
        }
    }

    pub(super) fn release(&mut self, reservation: ReservationId) -> Option<NamedClaim> {
        let claim = self.claims.remove(&reservation)?;
        match claim.kind {
            ClaimKind::Held { until } => {
                self.held -= claim.places.quantity();
                self.expiries.remove(&(until, reservation));
            }
            ClaimKind::Sold => self.sold -= claim.places.quantity(),
        }
        if let (Layout::Numbered(map), Places::Seats(seats)) = (&mut self.layout, &claim.places) {
            map.free.release(&map.plan, seats.iter().copied());
        }
        let customer = self.customers.remove(reservation, &claim);
        let CompactClaim { kind, places, .. } = claim;
        let parts = self.parts.remove(reservation);
        Some(NamedClaim {
            kind,
            places,
            customer,
            parts,
        })
    }

    /// Lets a hold run out at another time.
    pub(super) fn extend(&mut self, reservation: ReservationId, until: Timestamp) -> Undone {
        let Some(claim) = self.claims.get_mut(&reservation) else {
            return Undone::Nothing;
        };
        let ClaimKind::Held { until: before } = claim.kind else {
            return Undone::Nothing;
        };
        claim.kind = ClaimKind::Held { until };
        let quantity = claim.places.quantity();
        self.expiries.remove(&(before, reservation));
        self.expiries.insert((until, reservation), quantity);
        Undone::Extended {
            reservation,
            until: before,
        }
    }

    /// Turns held seats into sold ones. `to` is the customer who has bought them, if that is not whom they were held for.
    pub(super) fn sell(&mut self, reservation: ReservationId, to: Option<CustomerId>) -> Undone {
        let Some(claim) = self.claims.get_mut(&reservation) else {
            return Undone::Nothing;
        };
        let ClaimKind::Held { until } = claim.kind else {
            return Undone::Nothing;
        };
        let held_for = self.customers.customer_of(reservation, claim);
        let sold_to = to.or(held_for);
        self.customers.becomes(ClaimKind::Sold, sold_to, reservation, claim);
        claim.customer = sold_to.map(CustomerMark::of);
        claim.kind = ClaimKind::Sold;
        self.held -= claim.places.quantity();
        self.sold += claim.places.quantity();
        self.expiries.remove(&(until, reservation));
        Undone::Sold {
            reservation,
            until,
            held_for,
        }
    }

    pub(super) fn block(&mut self, wanted: &TakenSeats) -> Places {
        let places = self.take_free(wanted);
        self.block_taken(&places);
        places
    }

    fn block_taken(&mut self, places: &Places) {
        self.blocked += places.quantity();
        if let (Layout::Numbered(map), Places::Seats(seats)) = (&mut self.layout, places) {
            map.blocked.extend(seats);
        }
    }

    pub(super) fn unblock(&mut self, wanted: &TakenSeats) -> Places {
        let places = match (&self.layout, wanted) {
            (Layout::GeneralAdmission, TakenSeats::Places(places)) => Places::Count(self.blocked.min(*places)),
            (Layout::Numbered(map), TakenSeats::Seats(seats)) => {
                let known: BTreeSet<_> = seats.iter().filter_map(|seat| map.plan.index_of(seat)).collect();
                Places::Seats(known.into_iter().filter(|seat| map.is_blocked(*seat)).collect())
            }
            (Layout::GeneralAdmission, TakenSeats::Seats(_)) | (Layout::Numbered(_), TakenSeats::Places(_)) => {
                Places::Count(0)
            }
        };
        self.unblock_exactly(&places);
        places
    }

    /// Marks blocked places as free. The caller makes sure that every one of them is blocked.
    fn unblock_exactly(&mut self, places: &Places) {
        self.blocked -= places.quantity();
        if let (Layout::Numbered(map), Places::Seats(seats)) = (&mut self.layout, places) {
            for seat in seats {
                map.blocked.remove(seat);
            }
            map.free.release(&map.plan, seats.iter().copied());
        }
    }

    /// Marks free places as taken. The caller makes sure that every one of them is free.
    fn take_exactly(&mut self, places: &Places) {
        if let (Layout::Numbered(map), Places::Seats(seats)) = (&mut self.layout, places) {
            map.free.take(&map.plan, seats.iter().copied());
        }
    }

    /// Marks those of the wanted places that are free as taken, and returns them.
    fn take_free(&mut self, wanted: &TakenSeats) -> Places {
        let untouched = self.untouched();
        match (&mut self.layout, wanted) {
            (Layout::GeneralAdmission, TakenSeats::Places(places)) => Places::Count(untouched.min(*places)),
            (Layout::Numbered(map), TakenSeats::Seats(seats)) => {
                let known = seats.iter().filter_map(|seat| map.plan.index_of(seat));
                Places::Seats(map.free.take(&map.plan, known).into())
            }
            (Layout::GeneralAdmission, TakenSeats::Seats(_)) | (Layout::Numbered(_), TakenSeats::Places(_)) => {
                Places::Count(0)
            }
        }
    }
}

impl SeatMap {
    pub(super) fn is_blocked(&self, seat: SeatIndex) -> bool {
        self.blocked.contains(&seat)
    }
}
