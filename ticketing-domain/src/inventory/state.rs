use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ticketing_ports::Timestamp;
use ticketing_ports::ids::{EventId, ReservationId, SectionId};
use ticketing_ports::seating::{Label, SeatCounts, SeatId, Seating};

use super::event::{InventoryEvent, SectionOpened, TakenSeats};
use super::seat_map::{FreeSeats, SeatIndex, SeatPlan};

/// What a reservation has in a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub kind: ClaimKind,
    /// In the order in which they were taken.
    pub seats: TakenSeats,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimKind {
    Held { until: Timestamp },
    Sold,
}

/// All that is known of one section; nothing before it is opened.
///
/// Cloning copies claims and bits but shares the plan of the seats.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InventoryState {
    section: Option<Box<Section>>,
}

impl InventoryState {
    /// Takes a fact in. A fact that contradicts the earlier ones changes as much as leaves no place taken twice:
    /// seats that are gone are passed by, and a reservation has the seats that it was given last.
    pub fn evolve(&mut self, event: &InventoryEvent) {
        match (&mut self.section, event) {
            (None, InventoryEvent::SectionOpened(opened)) => self.section = Some(Box::new(Section::open(opened))),
            (None, _) | (Some(_), InventoryEvent::SectionOpened(_)) => {}
            (Some(section), InventoryEvent::SeatsHeld(held)) => {
                let until = held.held_until;
                section.give(held.reservation_id, &held.seats, ClaimKind::Held { until });
            }
            (Some(section), InventoryEvent::SeatsRetaken(retaken)) => {
                section.give(retaken.reservation_id, &retaken.seats, ClaimKind::Sold);
            }
            (Some(section), InventoryEvent::SeatsReleased(released)) => section.release(released.reservation_id),
            (Some(section), InventoryEvent::SeatsSold(sold)) => section.sell(sold.reservation_id),
            (Some(section), InventoryEvent::SeatsBlocked(blocked)) => section.block(&blocked.seats),
            (Some(section), InventoryEvent::SeatsUnblocked(unblocked)) => section.unblock(&unblocked.seats),
        }
    }

    /// Becomes what it was before facts about these reservations, and about none, were taken in. `before` is that state
    /// and has to be an earlier one of the same section. Costs as much as the facts did, however large the section is.
    pub fn take_back(&mut self, before: &Self, reservations: impl IntoIterator<Item = ReservationId>) {
        match (&mut self.section, &before.section) {
            (Some(section), Some(before)) => section.take_back(before, reservations),
            (section, before) => section.clone_from(before),
        }
    }

    pub fn is_open(&self) -> bool {
        self.section.is_some()
    }

    pub fn section_id(&self) -> Option<SectionId> {
        Some(self.opened()?.section_id)
    }

    pub fn event_id(&self) -> Option<EventId> {
        Some(self.opened()?.event_id)
    }

    pub fn name(&self) -> Option<&Label> {
        Some(&self.opened()?.name)
    }

    pub fn seating(&self) -> Option<&Seating> {
        Some(&self.opened()?.seating)
    }

    /// Counts as they are at `now`: a hold that has run out counts as available. Looks at those holds only.
    pub fn counts(&self, now: Timestamp) -> SeatCounts {
        self.section()
            .map_or_else(SeatCounts::default, |section| section.counts(now))
    }

    /// What the reservation has here, also when its hold ran out but was not released yet.
    pub fn claim(&self, reservation: ReservationId) -> Option<Claim> {
        let section = self.section()?;
        let claim = section.claim(reservation)?;
        Some(Claim {
            kind: claim.kind,
            seats: section.name_seats(&claim.places),
        })
    }

    /// Reservations that have something here, in the order of their ids.
    pub fn reservations(&self) -> impl Iterator<Item = ReservationId> + '_ {
        self.section()
            .into_iter()
            .flat_map(|section| section.claims.keys().copied())
    }

    /// Seats of a numbered section that are not free at `now`, in the section's order.
    pub fn taken_seats(&self, now: Timestamp) -> Vec<SeatId> {
        let Some(section) = self.section() else {
            return Vec::new();
        };
        let Floor::Numbered(map) = &section.floor else {
            return Vec::new();
        };
        let free = section.free_seats(map, now);
        let taken = map.plan.indexes().filter(|seat| !free.contains(*seat));
        taken.map(|seat| map.plan.seat_id(seat)).collect()
    }

    pub(super) fn section(&self) -> Option<&Section> {
        self.section.as_deref()
    }

    fn opened(&self) -> Option<&SectionOpened> {
        Some(&*self.section()?.opened)
    }
}

/// A section that was opened.
///
/// Every place is free, or counted once in `held`, `sold` or `blocked`; the three never exceed the capacity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    opened: Arc<SectionOpened>,
    floor: Floor,
    capacity: u32,
    held: u32,
    sold: u32,
    blocked: u32,
    claims: BTreeMap<ReservationId, CompactClaim>,
    /// Every hold with its quantity, the first to run out in front. Whoever asks what has run out reads no more of it.
    expiries: BTreeMap<(Timestamp, ReservationId), u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Floor {
    GeneralAdmission,
    Numbered(SeatMap),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeatMap {
    pub(super) plan: Arc<SeatPlan>,
    /// A hold that ran out but was not released yet still keeps its seats out of here.
    pub(super) free: FreeSeats,
    blocked: BTreeSet<SeatIndex>,
}

/// A [`Claim`] as it is kept: there may be a hundred thousand of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CompactClaim {
    pub(super) kind: ClaimKind,
    pub(super) places: Places,
}

const _: () = assert!(
    size_of::<CompactClaim>() <= 32,
    "a claim costs what its readers were promised"
);

/// [`TakenSeats`] of this section: the seats exist, and there is at most one way to write each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Places {
    Count(u32),
    Seats(Box<[SeatIndex]>),
}

impl Places {
    pub(super) fn quantity(&self) -> u32 {
        match self {
            Self::Count(places) => *places,
            Self::Seats(seats) => u32::try_from(seats.len()).expect("a section has fewer than 2^32 seats"),
        }
    }

    /// Whether they are the same places, in whatever order.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Seats(these), Self::Seats(those)) => {
                let sorted = |seats: &[SeatIndex]| {
                    let mut seats = seats.to_vec();
                    seats.sort_unstable();
                    seats
                };
                sorted(these) == sorted(those)
            }
            _ => self == other,
        }
    }
}

impl Section {
    fn open(opened: &SectionOpened) -> Self {
        let (floor, capacity) = match &opened.seating {
            Seating::GeneralAdmission { capacity } => (Floor::GeneralAdmission, *capacity),
            Seating::Numbered { rows } => {
                let plan = Arc::new(SeatPlan::new(rows));
                let capacity = plan.capacity();
                let free = FreeSeats::all(&plan);
                let blocked = BTreeSet::new();
                (Floor::Numbered(SeatMap { plan, free, blocked }), capacity)
            }
        };
        Self {
            opened: Arc::new(opened.clone()),
            floor,
            capacity,
            held: 0,
            sold: 0,
            blocked: 0,
            claims: BTreeMap::new(),
            expiries: BTreeMap::new(),
        }
    }

    pub(super) fn floor(&self) -> &Floor {
        &self.floor
    }

    /// Places that nobody has, not even by a hold that ran out.
    pub(super) fn untouched(&self) -> u32 {
        self.capacity - self.held - self.sold - self.blocked
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

    /// Holds that have run out but were not released yet, with their quantities, the oldest first.
    pub(super) fn lapsed(&self, now: Timestamp) -> impl Iterator<Item = (ReservationId, u32)> + '_ {
        self.expiries
            .iter()
            .take_while(move |((until, _), _)| *until <= now)
            .map(|((_, reservation), quantity)| (*reservation, *quantity))
    }

    /// The seats that a hold or a sale has; none in general admission.
    pub(super) fn seats_of(&self, reservation: ReservationId) -> &[SeatIndex] {
        match self.claim(reservation) {
            Some(CompactClaim {
                places: Places::Seats(seats),
                ..
            }) => seats,
            _ => &[],
        }
    }

    /// The seats that are free at `now`, those of lapsed holds among them.
    pub(super) fn free_seats<'a>(&self, map: &'a SeatMap, now: Timestamp) -> Cow<'a, FreeSeats> {
        let mut lapsed = self.lapsed(now).peekable();
        if lapsed.peek().is_none() {
            return Cow::Borrowed(&map.free);
        }
        let mut free = map.free.clone();
        let seats = lapsed.flat_map(|(reservation, _)| self.seats_of(reservation));
        free.release(&map.plan, seats.copied());
        Cow::Owned(free)
    }

    pub(super) fn name_seats(&self, places: &Places) -> TakenSeats {
        match (&self.floor, places) {
            (Floor::Numbered(map), Places::Seats(seats)) => {
                TakenSeats::Seats(seats.iter().map(|seat| map.plan.seat_id(*seat)).collect())
            }
            _ => TakenSeats::Places(places.quantity()),
        }
    }

    fn give(&mut self, reservation: ReservationId, wanted: &TakenSeats, kind: ClaimKind) {
        self.release(reservation);
        let places = self.take_free(wanted);
        let quantity = places.quantity();
        if quantity == 0 {
            return;
        }
        match kind {
            ClaimKind::Held { until } => {
                self.held += quantity;
                self.expiries.insert((until, reservation), quantity);
            }
            ClaimKind::Sold => self.sold += quantity,
        }
        self.claims.insert(reservation, CompactClaim { kind, places });
    }

    fn take_back(&mut self, before: &Self, reservations: impl IntoIterator<Item = ReservationId>) {
        for reservation in reservations {
            let claim = self.claims.remove(&reservation);
            if let Some(ClaimKind::Held { until }) = claim.map(|claim| claim.kind) {
                self.expiries.remove(&(until, reservation));
            }
            if let Some(claim) = before.claims.get(&reservation) {
                if let ClaimKind::Held { until } = claim.kind {
                    self.expiries.insert((until, reservation), claim.places.quantity());
                }
                self.claims.insert(reservation, claim.clone());
            }
        }
        self.floor.clone_from(&before.floor);
        self.held = before.held;
        self.sold = before.sold;
        self.blocked = before.blocked;
    }

    fn release(&mut self, reservation: ReservationId) {
        let Some(claim) = self.claims.remove(&reservation) else {
            return;
        };
        match claim.kind {
            ClaimKind::Held { until } => {
                self.held -= claim.places.quantity();
                self.expiries.remove(&(until, reservation));
            }
            ClaimKind::Sold => self.sold -= claim.places.quantity(),
        }
        if let (Floor::Numbered(map), Places::Seats(seats)) = (&mut self.floor, &claim.places) {
            map.free.release(&map.plan, seats.iter().copied());
        }
    }

    fn sell(&mut self, reservation: ReservationId) {
        let Some(claim) = self.claims.get_mut(&reservation) else {
            return;
        };
        if let ClaimKind::Held { until } = claim.kind {
            claim.kind = ClaimKind::Sold;
            self.held -= claim.places.quantity();
            self.sold += claim.places.quantity();
            self.expiries.remove(&(until, reservation));
        }
    }

    fn block(&mut self, wanted: &TakenSeats) {
        let places = self.take_free(wanted);
        self.blocked += places.quantity();
        if let (Floor::Numbered(map), Places::Seats(seats)) = (&mut self.floor, places) {
            map.blocked.extend(seats);
        }
    }

    fn unblock(&mut self, wanted: &TakenSeats) {
        match (&mut self.floor, wanted) {
            (Floor::GeneralAdmission, TakenSeats::Places(places)) => {
                self.blocked = self.blocked.saturating_sub(*places);
            }
            (Floor::Numbered(map), TakenSeats::Seats(seats)) => {
                let known = seats.iter().filter_map(|seat| map.plan.index_of(seat));
                let unblocked: Vec<_> = known.filter(|seat| map.blocked.remove(seat)).collect();
                self.blocked -= Places::Seats(unblocked.as_slice().into()).quantity();
                map.free.release(&map.plan, unblocked);
            }
            (Floor::GeneralAdmission, TakenSeats::Seats(_)) | (Floor::Numbered(_), TakenSeats::Places(_)) => {}
        }
    }

    /// As much of what is wanted as nobody has.
    fn take_free(&mut self, wanted: &TakenSeats) -> Places {
        let untouched = self.untouched();
        match (&mut self.floor, wanted) {
            (Floor::GeneralAdmission, TakenSeats::Places(places)) => Places::Count(untouched.min(*places)),
            (Floor::Numbered(map), TakenSeats::Seats(seats)) => {
                let known = seats.iter().filter_map(|seat| map.plan.index_of(seat));
                Places::Seats(map.free.take(&map.plan, known).into())
            }
            (Floor::GeneralAdmission, TakenSeats::Seats(_)) | (Floor::Numbered(_), TakenSeats::Places(_)) => {
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
