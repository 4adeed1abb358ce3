//! A slow and simple model of a section. For every command, except one for the best seats, it says which refusal or
//! which facts are right.

use std::collections::{BTreeMap, BTreeSet};

use ticketing_domain::inventory::{
    ClaimKind, Counted, CustomerHold, HoldExtended, InventoryCommand, InventoryEvent, InventoryRefusal, Part, SeatWish,
    SeatsReleased, SeatsSold, TakenSeats,
};
use ticketing_domain::views::SeatRow;
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CustomerId, ReservationId};
use ticketing_ports::vocabulary::seating::{Allocation, RowPlan, SeatCounts, SeatId, Seating};

use crate::section::{buyer_of, customer_of, expired, sorted};

/// A section as a plain list with an entry for every place.
pub(crate) struct PlainList {
    lines: Vec<Line>,
    numbered: bool,
    /// The rows; `None` in general admission.
    rows: Option<Vec<RowPlan>>,
    /// Of which ticket types and tiers the seats of each reservation are.
    parts: BTreeMap<ReservationId, Vec<Part>>,
}

struct Line {
    /// The seat; `None` in general admission.
    seat: Option<SeatId>,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Free,
    Claimed(ReservationId, ClaimKind),
    Blocked,
}

impl Place {
    fn lapsed(self, now: Timestamp) -> bool {
        matches!(self, Self::Claimed(_, ClaimKind::Held { until }) if until <= now)
    }

    fn available(self, now: Timestamp) -> bool {
        self == Self::Free || self.lapsed(now)
    }

    fn of(self, reservation: ReservationId) -> bool {
        matches!(self, Self::Claimed(by, _) if by == reservation)
    }
}

impl PlainList {
    pub(crate) fn new(seating: &Seating) -> Self {
        let seats: Vec<_> = match seating {
            Seating::GeneralAdmission { capacity } => (0..*capacity).map(|_| None).collect(),
            Seating::Numbered { rows } => rows.iter().flat_map(RowPlan::seats).map(Some).collect(),
        };
        let line = |seat| Line {
            seat,
            place: Place::Free,
        };
        Self {
            lines: seats.into_iter().map(line).collect(),
            numbered: matches!(seating, Seating::Numbered { .. }),
            rows: match seating {
                Seating::GeneralAdmission { .. } => None,
                Seating::Numbered { rows } => Some(rows.clone()),
            },
            parts: BTreeMap::new(),
        }
    }

    fn count(&self, which: impl Fn(Place) -> bool) -> u32 {
        u32::try_from(self.lines.iter().filter(|line| which(line.place)).count()).unwrap()
    }

    pub(crate) fn counts(&self, now: Timestamp) -> SeatCounts {
        SeatCounts {
            available: self.count(|place| place.available(now)),
            held: self.count(|place| matches!(place, Place::Claimed(_, ClaimKind::Held { .. })) && !place.lapsed(now)),
            sold: self.count(|place| matches!(place, Place::Claimed(_, ClaimKind::Sold))),
            blocked: self.count(|place| place == Place::Blocked),
        }
    }

    pub(crate) fn seat_rows(&self, now: Timestamp) -> Option<Vec<SeatRow>> {
        let letter = |place: Place| match place {
            Place::Blocked => 'b',
            Place::Claimed(_, ClaimKind::Sold) => 's',
            place if place.available(now) => 'f',
            _ => 'h',
        };
        let letter_of = |plan: &RowPlan, place: u32| match plan.places.label(place) {
            None => '_',
            Some(label) => {
                let row = plan.row.clone();
                letter(self.place(&SeatId { row, label }).expect("the list has every seat"))
            }
        };
        let seat_row = |plan: &RowPlan| SeatRow {
            row: plan.row.clone(),
            places: plan.places.clone(),
            seats: (0..plan.places.width()).map(|place| letter_of(plan, place)).collect(),
        };
        let rows = self.rows.as_ref()?;
        Some(rows.iter().map(seat_row).collect())
    }

    /// Returns when each hold ends whose end is `wanted`, the earliest first.
    pub(crate) fn ends(&self, wanted: impl Fn(Timestamp) -> bool) -> Vec<Timestamp> {
        let holds = self.lines.iter().filter_map(|line| match line.place {
            Place::Claimed(by, ClaimKind::Held { until }) if wanted(until) => Some((until, by)),
            _ => None,
        });
        let holds: BTreeSet<_> = holds.collect();
        holds.into_iter().map(|(until, _)| until).collect()
    }

    /// Returns how many places are held and sold of those that are counted, by all reservations or by one.
    pub(crate) fn taken(&self, counted: Counted, by: Option<ReservationId>) -> u32 {
        if counted == Counted::All {
            return self.count(|place| match place {
                Place::Claimed(of, _) => by.is_none_or(|by| of == by),
                _ => false,
            });
        }
        let wanted = self.parts.iter().filter(|(of, _)| by.is_none_or(|by| **of == by));
        let parts = wanted.flat_map(|(_, parts)| parts).filter(|part| match counted {
            Counted::TicketType(id) => part.ticket_type_id == Some(id),
            Counted::Tier(id) => part.tier_id == id,
            Counted::Code(id) => part.code_id == Some(id),
            Counted::All => true,
        });
        parts.map(|part| part.quantity).sum()
    }

    pub(crate) fn claim(&self, reservation: ReservationId) -> Option<(ClaimKind, TakenSeats)> {
        let theirs: Vec<_> = self.lines.iter().filter(|line| line.place.of(reservation)).collect();
        let Place::Claimed(_, kind) = theirs.first()?.place else {
            return None;
        };
        let seats = if self.numbered {
            sorted(TakenSeats::Seats(
                theirs.iter().filter_map(|line| line.seat.clone()).collect(),
            ))
        } else {
            TakenSeats::Places(u32::try_from(theirs.len()).unwrap())
        };
        Some((kind, seats))
    }

    /// Returns what a customer holds, for each reservation.
    pub(crate) fn held_by(&self, customer: CustomerId) -> Vec<CustomerHold> {
        let theirs = self.lines.iter().filter_map(|line| match line.place {
            Place::Claimed(by, ClaimKind::Held { until }) if customer_of(by) == customer => Some((by, until)),
            _ => None,
        });
        let theirs: BTreeSet<_> = theirs.collect();
        let hold = |(reservation_id, until)| CustomerHold {
            reservation_id,
            quantity: self.count(|place| place.of(reservation_id)),
            until,
        };
        theirs.into_iter().map(hold).collect()
    }

    pub(crate) fn sold_to(&self, customer: CustomerId) -> u32 {
        self.count(|place| matches!(place, Place::Claimed(by, ClaimKind::Sold) if buyer_of(by) == customer))
    }

    fn place(&self, seat: &SeatId) -> Option<Place> {
        Some(self.lines.iter().find(|line| line.seat.as_ref() == Some(seat))?.place)
    }

    pub(crate) fn refusal(&self, command: &InventoryCommand, now: Timestamp) -> Option<InventoryRefusal> {
        match command {
            InventoryCommand::Open { .. } => Some(InventoryRefusal::AlreadyOpen),
            InventoryCommand::Hold(hold) if self.claim(hold.reservation_id).is_some() => {
                Some(InventoryRefusal::AlreadyHeld)
            }
            InventoryCommand::Hold(hold) if hold.quantity == 0 => Some(InventoryRefusal::QuantityMismatch),
            InventoryCommand::Hold(hold) => match &hold.wish {
                SeatWish::BestAvailable => self.too_few(hold.quantity, now),
                SeatWish::Exactly(_) if !self.numbered => Some(InventoryRefusal::NotNumbered),
                SeatWish::Exactly(seats) if seats.len() != hold.quantity as usize => {
                    Some(InventoryRefusal::QuantityMismatch)
                }
                SeatWish::Exactly(seats) => self.not_to_be_had(&TakenSeats::Seats(seats.clone()), now),
            },
            InventoryCommand::Extend { reservation_id, .. } => match self.claim(*reservation_id) {
                Some((ClaimKind::Held { .. }, _)) => None,
                _ => Some(InventoryRefusal::NothingToExtend),
            },
            InventoryCommand::Release { reservation_id, .. } => match self.claim(*reservation_id) {
                None => Some(InventoryRefusal::NothingToRelease),
                Some(_) => None,
            },
            InventoryCommand::Sell {
                reservation_id, seats, ..
            } => match self.claim(*reservation_id) {
                Some((ClaimKind::Sold, _)) => Some(InventoryRefusal::AlreadySold),
                Some((_, held)) => (held != sorted(seats.clone())).then_some(InventoryRefusal::QuantityMismatch),
                None => self.not_to_be_had(seats, now),
            },
            InventoryCommand::Block { seats } => self.not_to_be_had(seats, now),
            InventoryCommand::Unblock { seats } => self.not_meant(seats).or_else(|| {
                let blocked = match seats {
                    TakenSeats::Places(places) => *places <= self.count(|place| place == Place::Blocked),
                    TakenSeats::Seats(seats) => seats.iter().all(|seat| self.place(seat) == Some(Place::Blocked)),
                };
                (!blocked).then_some(InventoryRefusal::NotBlocked)
            }),
        }
    }

    fn too_few(&self, requested: u32, now: Timestamp) -> Option<InventoryRefusal> {
        let available = self.counts(now).available;
        (available < requested).then_some(InventoryRefusal::InsufficientInventory { requested, available })
    }

    fn not_to_be_had(&self, wanted: &TakenSeats, now: Timestamp) -> Option<InventoryRefusal> {
        self.not_meant(wanted).or_else(|| match wanted {
            TakenSeats::Places(places) => self.too_few(*places, now),
            TakenSeats::Seats(seats) => {
                let gone = |seat: &&SeatId| !self.place(seat).is_some_and(|place| place.available(now));
                let gone: Vec<_> = seats.iter().filter(gone).cloned().collect();
                (!gone.is_empty()).then_some(InventoryRefusal::SeatsUnavailable(gone))
            }
        })
    }

    fn not_meant(&self, wanted: &TakenSeats) -> Option<InventoryRefusal> {
        match wanted {
            TakenSeats::Seats(_) if !self.numbered => Some(InventoryRefusal::NotNumbered),
            TakenSeats::Places(_) if self.numbered => Some(InventoryRefusal::QuantityMismatch),
            _ if wanted.quantity() == 0 => Some(InventoryRefusal::QuantityMismatch),
            TakenSeats::Places(_) => None,
            TakenSeats::Seats(seats) => {
                let repeated = (0..seats.len()).find(|at| seats[..*at].contains(&seats[*at]));
                if let Some(at) = repeated {
                    return Some(InventoryRefusal::RepeatedSeat(seats[at].clone()));
                }
                let unknown = seats.iter().filter(|seat| self.place(seat).is_none());
                let unknown: Vec<_> = unknown.cloned().collect();
                (!unknown.is_empty()).then_some(InventoryRefusal::UnknownSeats(unknown))
            }
        }
    }

    /// Checks the facts that follow from a command: first the releases of the lapsed holds that stand in its way,
    /// then the fact that it asked for. Afterwards applies these facts to the list.
    pub(crate) fn check_and_apply(&mut self, command: &InventoryCommand, events: &[InventoryEvent], now: Timestamp) {
        let (outcome, releases) = events
            .split_last()
            .expect("a command that is not refused leads to a fact");
        for release in releases {
            self.check_and_apply_release(release, outcome, now);
        }
        self.check_and_apply_outcome(command, outcome);
        events.iter().for_each(|event| self.note_parts(event));
    }

    fn note_parts(&mut self, event: &InventoryEvent) {
        match event {
            InventoryEvent::SeatsHeld(held) => drop(self.parts.insert(held.reservation_id, held.parts.clone())),
            InventoryEvent::SeatsRetaken(retaken) => {
                drop(self.parts.insert(retaken.reservation_id, retaken.parts.clone()));
            }
            InventoryEvent::SeatsReleased(released) => drop(self.parts.remove(&released.reservation_id)),
            _ => {}
        }
    }

    /// Checks the release of a lapsed hold that stands in the way of `outcome`, and applies it.
    fn check_and_apply_release(&mut self, release: &InventoryEvent, outcome: &InventoryEvent, now: Timestamp) {
        let InventoryEvent::SeatsReleased(released) = release else {
            panic!("only releases may come before {outcome:?}, not {release:?}");
        };
        let (kind, seats) = self
            .claim(released.reservation_id)
            .expect("the released reservation has seats");
        assert_eq!(*release, expired(released.reservation_id, seats.quantity()));
        assert!(matches!(kind, ClaimKind::Held { until } if until <= now));
        let wanted = taken_by(outcome).expect("lapsed holds are released only to take seats");
        match wanted {
            TakenSeats::Seats(wanted) => assert!(seats.seats().iter().any(|seat| wanted.contains(seat))),
            TakenSeats::Places(wanted) => {
                assert!(
                    self.count(|place| place == Place::Free) < *wanted,
                    "a lapsed hold was released without need"
                );
                let oldest = self.lines.iter().filter_map(|line| match line.place {
                    Place::Claimed(by, ClaimKind::Held { until }) => Some((until, by)),
                    _ => None,
                });
                assert_eq!(oldest.min().map(|(_, by)| by), Some(released.reservation_id));
            }
        }
        self.give_back(released.reservation_id);
    }

    fn check_and_apply_outcome(&mut self, command: &InventoryCommand, outcome: &InventoryEvent) {
        match (command, outcome) {
            (InventoryCommand::Hold(hold), InventoryEvent::SeatsHeld(held)) => {
                assert_eq!(
                    (held.reservation_id, held.customer_id),
                    (hold.reservation_id, Some(hold.customer_id))
                );
                assert_eq!((held.held_until, &held.parts), (hold.held_until, &hold.parts));
                assert_eq!(held.seats.quantity(), hold.quantity);
                match &hold.wish {
                    SeatWish::Exactly(seats) => {
                        assert_eq!(held.allocation, Allocation::Requested);
                        assert_eq!(held.seats.seats(), seats);
                    }
                    SeatWish::BestAvailable if self.numbered => {}
                    SeatWish::BestAvailable => assert_eq!(held.allocation, Allocation::GeneralAdmission),
                }
                let kind = ClaimKind::Held { until: held.held_until };
                self.take(&held.seats, Place::Claimed(held.reservation_id, kind));
            }
            (InventoryCommand::Extend { held_until, .. }, InventoryEvent::HoldExtended(extended)) => {
                self.check_and_apply_extension(command, extended, *held_until);
            }
            (InventoryCommand::Release { reservation_id, reason }, InventoryEvent::SeatsReleased(released)) => {
                let (kind, seats) = self.claim(*reservation_id).expect("the released reservation has seats");
                let (held, sold) = match kind {
                    ClaimKind::Held { .. } => (seats.quantity(), 0),
                    ClaimKind::Sold => (0, seats.quantity()),
                };
                let expected = SeatsReleased {
                    reservation_id: *reservation_id,
                    reason: *reason,
                    held,
                    sold,
                };
                assert_eq!(*released, expected);
                self.give_back(*reservation_id);
            }
            (
                InventoryCommand::Sell {
                    reservation_id, seats, ..
                },
                InventoryEvent::SeatsSold(sold),
            ) => self.check_and_apply_sale(*reservation_id, seats, sold),
            (
                InventoryCommand::Sell {
                    reservation_id,
                    seats,
                    parts,
                    ..
                },
                InventoryEvent::SeatsRetaken(retaken),
            ) => {
                assert_eq!(retaken.parts, *parts);
                assert_eq!((retaken.reservation_id, &retaken.seats), (*reservation_id, seats));
                assert_eq!(retaken.customer_id, Some(buyer_of(*reservation_id)));
                assert!(self.claim(*reservation_id).is_none());
                self.take(seats, Place::Claimed(*reservation_id, ClaimKind::Sold));
            }
            (InventoryCommand::Block { seats }, InventoryEvent::SeatsBlocked(blocked)) => {
                assert_eq!(blocked.seats, *seats);
                self.take(seats, Place::Blocked);
            }
            (InventoryCommand::Unblock { seats }, InventoryEvent::SeatsUnblocked(unblocked)) => {
                assert_eq!(unblocked.seats, *seats);
                self.change(seats, Place::Blocked, Place::Free);
            }
            (command, outcome) => panic!("{command:?} led to {outcome:?}"),
        }
    }

    fn check_and_apply_sale(&mut self, reservation_id: ReservationId, seats: &TakenSeats, sold: &SeatsSold) {
        assert_eq!((sold.reservation_id, sold.quantity), (reservation_id, seats.quantity()));
        let buyer = buyer_of(reservation_id);
        let is_another = buyer != customer_of(reservation_id);
        assert_eq!(sold.customer_id, is_another.then_some(buyer));
        assert!(self.claim(reservation_id).is_some());
        self.give_back(reservation_id);
        self.take(seats, Place::Claimed(reservation_id, ClaimKind::Sold));
    }

    fn check_and_apply_extension(
        &mut self,
        command: &InventoryCommand,
        extended: &HoldExtended,
        held_until: Timestamp,
    ) {
        let reservation_id = extended.reservation_id;
        let (_, seats) = self.claim(reservation_id).expect("the extended hold has seats");
        assert_eq!((extended.quantity, extended.held_until), (seats.quantity(), held_until));
        let asked = InventoryCommand::Extend {
            reservation_id,
            held_until,
        };
        assert_eq!(asked, *command);
        self.give_back(reservation_id);
        self.take(
            &seats,
            Place::Claimed(reservation_id, ClaimKind::Held { until: held_until }),
        );
    }

    fn give_back(&mut self, reservation: ReservationId) {
        for line in self.lines.iter_mut().filter(|line| line.place.of(reservation)) {
            line.place = Place::Free;
        }
    }

    fn take(&mut self, seats: &TakenSeats, place: Place) {
        self.change(seats, Place::Free, place);
    }

    fn change(&mut self, seats: &TakenSeats, from: Place, to: Place) {
        let candidates = self.lines.iter_mut().filter(|line| line.place == from);
        let named = candidates.filter(|line| line.seat.as_ref().is_none_or(|seat| seats.seats().contains(seat)));
        let changed = named
            .take(seats.quantity() as usize)
            .map(|line| line.place = to)
            .count();
        assert_eq!(changed, seats.quantity() as usize, "{seats:?} were not all {from:?}");
    }
}

fn taken_by(event: &InventoryEvent) -> Option<&TakenSeats> {
    match event {
        InventoryEvent::SeatsHeld(held) => Some(&held.seats),
        InventoryEvent::SeatsRetaken(retaken) => Some(&retaken.seats),
        InventoryEvent::SeatsBlocked(blocked) => Some(&blocked.seats),
        _ => None,
    }
}
