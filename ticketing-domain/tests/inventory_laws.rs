//! Laws of the inventory: whatever is asked of a section, in whatever order, its books stay right.
//!
//! Sections are tiny and reservations few, so that random commands keep getting in each other's way. What is right is
//! said by a plain list of places and, for the best seats, by trying everything.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proptest::collection::vec;
use proptest::prelude::*;
use ticketing_domain::inventory::{
    Claim, ClaimKind, HoldSeats, InventoryCommand, InventoryEvent, InventoryRefusal, InventoryState, ReleaseReason,
    SeatWish, SeatsBlocked, SeatsHeld, SeatsReleased, SeatsRetaken, SeatsSold, SeatsUnblocked, SectionOpened,
    TakenSeats, decide,
};
use ticketing_domain::reducer::Context;
use ticketing_ports::Timestamp;
use ticketing_ports::ids::{EventId, IdSource, ReservationId, SectionId};
use ticketing_ports::seating::{Allocation, Label, RowPlan, SeatCounts, SeatId, Seating};
use uuid::Uuid;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn every_answer_is_that_of_a_plain_list_of_places(seating in seating(), steps in steps()) {
        let mut books = PlainList::new(&seating);
        let mut section = open(seating);
        for (now, command) in steps {
            match (answer(&section, &command, now), books.refusal(&command, now)) {
                (Err(refused), expected) => prop_assert_eq!(Some(refused), expected),
                (Ok(events), expected) => {
                    prop_assert_eq!(expected, None, "decided {:?}", events);
                    books.check_and_apply(&command, &events, now);
                    take_in(&mut section, &events);
                }
            }
            prop_assert_eq!(section.counts(now), books.counts(now));
            prop_assert_eq!(section.taken_seats(now), books.taken_seats(now));
            for reservation in RESERVATIONS.map(reservation) {
                let claim = section.claim(reservation).map(|Claim { kind, seats }| (kind, sorted(seats)));
                prop_assert_eq!(claim, books.claim(reservation));
            }
        }
    }

    #[test]
    fn no_seat_is_ever_claimed_twice(seating in seating(), steps in steps()) {
        let capacity = seating.capacity();
        for (_, section) in live_states(seating, &steps) {
            let claims: Vec<_> = section.reservations().filter_map(|by| section.claim(by)).collect();
            let claimed: u32 = claims.iter().map(|claim| claim.seats.quantity()).sum();
            prop_assert!(claimed <= capacity);
            let named: Vec<_> = claims.iter().flat_map(|claim| claim.seats.seats()).collect();
            let distinct: BTreeSet<_> = named.iter().collect();
            prop_assert_eq!(named.len(), distinct.len());
        }
    }

    #[test]
    fn held_sold_blocked_and_available_always_add_up_to_the_capacity(seating in seating(), steps in steps()) {
        let capacity = seating.capacity();
        for (now, section) in live_states(seating, &steps) {
            for moment in [Timestamp::MIN_UTC, now, Timestamp::MAX_UTC] {
                prop_assert_eq!(section.counts(moment).capacity(), capacity);
            }
        }
    }

    #[test]
    fn a_replay_of_the_events_gives_the_live_state(seating in seating(), steps in steps()) {
        let mut section = open(seating.clone());
        let mut history = Vec::new();
        for (now, command) in steps {
            let events = answer(&section, &command, now).unwrap_or_default();
            take_in(&mut section, &events);
            history.extend(events);
        }
        let mut replayed = open(seating);
        take_in(&mut replayed, &history);
        prop_assert_eq!(replayed, section);
    }

    #[test]
    fn deciding_twice_gives_one_answer_and_changes_nothing(seating in seating(), steps in steps()) {
        for (now, section) in live_states(seating, &steps) {
            let before = section.clone();
            for (_, command) in &steps {
                prop_assert_eq!(answer(&section, command, now), answer(&before, command, now));
            }
            prop_assert_eq!(section, before);
        }
    }

    #[test]
    fn a_hold_that_ran_out_never_stands_in_anybodys_way(
        seating in seating(),
        steps in steps(),
        command in newcomers_command(),
        wait in 0..8_i64,
    ) {
        let (now, section) = live_states(seating, &steps).pop().expect("a section starts somewhere");
        let now = now + TimeDelta::seconds(wait);

        let mut cleaned_up = section.clone();
        for reservation in section.reservations() {
            if let Some(Claim { kind: ClaimKind::Held { until }, seats }) = section.claim(reservation)
                && until <= now
            {
                cleaned_up.evolve(&expired(reservation, seats.quantity()));
            }
        }

        let release_aside = |events: Vec<InventoryEvent>| -> Vec<_> {
            events.into_iter().filter(|event| !matches!(event, InventoryEvent::SeatsReleased(_))).collect()
        };
        prop_assert_eq!(
            answer(&section, &command, now).map(release_aside),
            answer(&cleaned_up, &command, now),
        );
    }

    #[test]
    fn no_history_however_absurd_makes_the_books_wrong(
        history in vec(any_event(), 0..12),
        commands in vec(any_command(), 2),
        now in any_moment(),
    ) {
        let mut section = InventoryState::default();
        let mut capacity = None;
        for event in history {
            section.evolve(&event);
            let counts = section.counts(now);
            if section.is_open() {
                prop_assert_eq!(counts.capacity(), *capacity.get_or_insert(counts.capacity()));
            } else {
                prop_assert_eq!(&section, &InventoryState::default());
            }
            for command in &commands {
                if let Ok(events) = answer(&section, command, now) {
                    prop_assert!(!events.is_empty());
                }
            }
        }
    }

    #[test]
    fn the_best_seats_are_those_found_by_trying_everything(
        rows in vec(vec(any::<bool>(), 0..9), 1..6),
        quantity in 1..12_u32,
    ) {
        check_best_seats(&rows, quantity);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_best_seats_of_wide_rows_are_those_found_by_trying_everything(
        rows in vec(row_of_runs(), 1..4),
        quantity in prop_oneof![1..12_u32, 55..75_u32],
    ) {
        check_best_seats(&rows, quantity);
    }
}

// What is asked.

const RESERVATIONS: [u128; 5] = [1, 2, 3, 4, 5];
const NEWCOMER: u128 = 99;

/// Rows A, B and so on.
fn seating() -> impl Strategy<Value = Seating> {
    let numbered = vec(0..7_u32, 1..4).prop_map(|widths| Seating::Numbered {
        rows: row_plans(&widths),
    });
    let general_admission = (0..12_u32).prop_map(|capacity| Seating::GeneralAdmission { capacity });
    prop_oneof![3 => numbered, 1 => general_admission]
}

/// Commands and the moments they arrive at.
fn steps() -> impl Strategy<Value = Vec<(Timestamp, InventoryCommand)>> {
    vec((0..3_i64, RESERVATIONS.as_slice().command()), 1..16).prop_map(|steps| {
        let mut now = Timestamp::UNIX_EPOCH;
        let arrive = |(waited, command)| {
            now += TimeDelta::seconds(waited);
            (now, lasting_from(now, command))
        };
        steps.into_iter().map(arrive).collect()
    })
}

/// A command by somebody who has nothing yet, at a time when every hold of the section may have run out.
fn newcomers_command() -> impl Strategy<Value = InventoryCommand> {
    [NEWCOMER].as_slice().command().prop_filter("takes seats", |command| {
        !matches!(
            command,
            InventoryCommand::Release { .. } | InventoryCommand::Unblock { .. }
        )
    })
}

trait Commands {
    fn command(self) -> BoxedStrategy<InventoryCommand>;
}

impl Commands for &'static [u128] {
    fn command(self) -> BoxedStrategy<InventoryCommand> {
        let by = || proptest::sample::select(self).prop_map(reservation);
        let until = || (1..6_i64).prop_map(|seconds| Timestamp::UNIX_EPOCH + TimeDelta::seconds(seconds));
        let hold = (by(), 0..6_u32, until()).prop_map(|(reservation_id, quantity, held_until)| {
            InventoryCommand::Hold(HoldSeats {
                reservation_id,
                quantity,
                wish: SeatWish::BestAvailable,
                held_until,
            })
        });
        let hold_exactly = (by(), seats(), 0..20_u32, until()).prop_map(|(reservation_id, seats, slip, held_until)| {
            let named = u32::try_from(seats.len()).unwrap();
            InventoryCommand::Hold(HoldSeats {
                reservation_id,
                quantity: if slip == 0 { named + 1 } else { named },
                wish: SeatWish::Exactly(seats),
                held_until,
            })
        });
        let release = by().prop_map(|reservation_id| InventoryCommand::Release {
            reservation_id,
            reason: ReleaseReason::Cancelled,
        });
        let sell =
            (by(), taken_seats()).prop_map(|(reservation_id, seats)| InventoryCommand::Sell { reservation_id, seats });
        prop_oneof![
            4 => hold,
            4 => hold_exactly,
            2 => release,
            4 => sell,
            1 => taken_seats().prop_map(|seats| InventoryCommand::Block { seats }),
            1 => taken_seats().prop_map(|seats| InventoryCommand::Unblock { seats }),
        ]
        .boxed()
    }
}

fn lasting_from(now: Timestamp, command: InventoryCommand) -> InventoryCommand {
    match command {
        InventoryCommand::Hold(hold) => InventoryCommand::Hold(HoldSeats {
            held_until: now + (hold.held_until - Timestamp::UNIX_EPOCH),
            ..hold
        }),
        other => other,
    }
}

fn taken_seats() -> impl Strategy<Value = TakenSeats> {
    prop_oneof![
        2 => seats().prop_map(TakenSeats::Seats),
        1 => (0..6_u32).prop_map(TakenSeats::Places),
    ]
}

/// Some do not exist, some are named twice.
fn seats() -> impl Strategy<Value = Vec<SeatId>> {
    let seat = (0..12_usize, 1..7_u32).prop_map(|(row, number)| SeatId {
        row: row_label(if row == 11 { 3 } else { row % 3 }),
        number,
    });
    vec(seat, 0..4)
}

fn any_event() -> impl Strategy<Value = InventoryEvent> {
    let by = || proptest::sample::select(RESERVATIONS.as_slice()).prop_map(reservation);
    let seats = || {
        prop_oneof![
            3 => taken_seats(),
            1 => any::<u32>().prop_map(TakenSeats::Places),
        ]
    };
    let row = (0..3_usize, 0..70_u32).prop_map(|(row, seats)| RowPlan {
        row: row_label(row),
        seats,
    });
    let seating = prop_oneof![
        2 => vec(row, 0..4).prop_map(|rows| Seating::Numbered { rows }),
        1 => any::<u32>().prop_map(|capacity| Seating::GeneralAdmission { capacity }),
    ];
    prop_oneof![
        2 => seating.prop_map(|seating| opened(seating).into()),
        4 => (by(), seats(), any_moment()).prop_map(|(reservation_id, seats, held_until)| {
            let allocation = Allocation::Split;
            SeatsHeld { reservation_id, seats, allocation, held_until }.into()
        }),
        2 => (by(), any::<u32>(), any::<u32>()).prop_map(|(reservation_id, held, sold)| {
            let reason = ReleaseReason::Refunded;
            SeatsReleased { reservation_id, reason, held, sold }.into()
        }),
        2 => (by(), any::<u32>()).prop_map(|(reservation_id, quantity)| SeatsSold { reservation_id, quantity }.into()),
        2 => (by(), seats()).prop_map(|(reservation_id, seats)| SeatsRetaken { reservation_id, seats }.into()),
        1 => seats().prop_map(|seats| SeatsBlocked { seats }.into()),
        1 => seats().prop_map(|seats| SeatsUnblocked { seats }.into()),
    ]
}

fn any_command() -> impl Strategy<Value = InventoryCommand> {
    let greedy = any::<u32>().prop_map(|quantity| {
        InventoryCommand::Hold(HoldSeats {
            reservation_id: reservation(NEWCOMER),
            quantity,
            wish: SeatWish::BestAvailable,
            held_until: Timestamp::MAX_UTC,
        })
    });
    prop_oneof![4 => RESERVATIONS.as_slice().command(), 1 => [NEWCOMER].as_slice().command(), 1 => greedy]
}

fn any_moment() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        Just(Timestamp::MIN_UTC),
        (0..4_i64).prop_map(|seconds| Timestamp::UNIX_EPOCH + TimeDelta::seconds(seconds)),
        Just(Timestamp::MAX_UTC),
    ]
}

/// Free and taken seats in turn, in runs of any length up to beyond what a machine word can hold.
fn row_of_runs() -> impl Strategy<Value = Vec<bool>> {
    let length = prop_oneof![0..4_usize, 55..75_usize];
    (vec(length, 1..6), any::<bool>()).prop_map(|(lengths, first)| {
        let run = |(position, length): (usize, usize)| vec![(position % 2 == 0) == first; length];
        lengths.into_iter().enumerate().flat_map(run).collect()
    })
}

// What is answered.

fn open(seating: Seating) -> InventoryState {
    let mut section = InventoryState::default();
    section.evolve(&opened(seating).into());
    section
}

fn opened(seating: Seating) -> SectionOpened {
    SectionOpened {
        section_id: SectionId::new(Uuid::nil()),
        event_id: EventId::new(Uuid::nil()),
        name: Label::new("Stalls").unwrap(),
        seating,
    }
}

fn answer(
    section: &InventoryState,
    command: &InventoryCommand,
    now: Timestamp,
) -> Result<Vec<InventoryEvent>, InventoryRefusal> {
    let ctx = Context { now, ids: &NoIds };
    decide(section, command, &ctx).map(|decision| decision.events)
}

fn take_in(section: &mut InventoryState, events: &[InventoryEvent]) {
    for event in events {
        section.evolve(event);
    }
}

/// The section before the first and after every command, each with the time of that command.
fn live_states(seating: Seating, steps: &[(Timestamp, InventoryCommand)]) -> Vec<(Timestamp, InventoryState)> {
    let mut section = open(seating);
    let mut states = vec![(Timestamp::UNIX_EPOCH, section.clone())];
    for (now, command) in steps {
        let events = answer(&section, command, *now).unwrap_or_default();
        take_in(&mut section, &events);
        states.push((*now, section.clone()));
    }
    states
}

fn expired(reservation_id: ReservationId, held: u32) -> InventoryEvent {
    let reason = ReleaseReason::Expired;
    let released = SeatsReleased {
        reservation_id,
        reason,
        held,
        sold: 0,
    };
    released.into()
}

/// An inventory mints no ids.
struct NoIds;

impl IdSource for NoIds {
    fn uuid(&self) -> Uuid {
        unreachable!("an inventory mints no ids")
    }
}

fn reservation(number: u128) -> ReservationId {
    ReservationId::new(Uuid::from_u128(number))
}

fn row_plans(widths: &[u32]) -> Vec<RowPlan> {
    let plan = |(row, seats): (usize, &u32)| RowPlan {
        row: row_label(row),
        seats: *seats,
    };
    widths.iter().enumerate().map(plan).collect()
}

fn row_label(row: usize) -> Label {
    Label::new(["A", "B", "C", "D", "E"][row]).unwrap()
}

fn sorted(seats: TakenSeats) -> TakenSeats {
    match seats {
        TakenSeats::Seats(mut seats) => {
            seats.sort();
            TakenSeats::Seats(seats)
        }
        places @ TakenSeats::Places(_) => places,
    }
}

// What is right.

/// The books as anybody would keep them by hand: a line for every place.
struct PlainList {
    lines: Vec<Line>,
    numbered: bool,
}

struct Line {
    /// `None` in general admission.
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
    fn new(seating: &Seating) -> Self {
        let seats: Vec<_> = match seating {
            Seating::GeneralAdmission { capacity } => (0..*capacity).map(|_| None).collect(),
            Seating::Numbered { rows } => rows
                .iter()
                .flat_map(|RowPlan { row, seats }| {
                    (1..=*seats).map(|number| {
                        let row = row.clone();
                        Some(SeatId { row, number })
                    })
                })
                .collect(),
        };
        let line = |seat| Line {
            seat,
            place: Place::Free,
        };
        Self {
            lines: seats.into_iter().map(line).collect(),
            numbered: matches!(seating, Seating::Numbered { .. }),
        }
    }

    fn count(&self, which: impl Fn(Place) -> bool) -> u32 {
        u32::try_from(self.lines.iter().filter(|line| which(line.place)).count()).unwrap()
    }

    fn counts(&self, now: Timestamp) -> SeatCounts {
        SeatCounts {
            available: self.count(|place| place.available(now)),
            held: self.count(|place| matches!(place, Place::Claimed(_, ClaimKind::Held { .. })) && !place.lapsed(now)),
            sold: self.count(|place| matches!(place, Place::Claimed(_, ClaimKind::Sold))),
            blocked: self.count(|place| place == Place::Blocked),
        }
    }

    fn taken_seats(&self, now: Timestamp) -> Vec<SeatId> {
        let taken = self.lines.iter().filter(|line| !line.place.available(now));
        taken.filter_map(|line| line.seat.clone()).collect()
    }

    fn claim(&self, reservation: ReservationId) -> Option<(ClaimKind, TakenSeats)> {
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

    fn place(&self, seat: &SeatId) -> Option<Place> {
        Some(self.lines.iter().find(|line| line.seat.as_ref() == Some(seat))?.place)
    }

    fn refusal(&self, command: &InventoryCommand, now: Timestamp) -> Option<InventoryRefusal> {
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
            InventoryCommand::Release { reservation_id, .. } => match self.claim(*reservation_id) {
                None => Some(InventoryRefusal::NothingToRelease),
                Some(_) => None,
            },
            InventoryCommand::Sell { reservation_id, seats } => match self.claim(*reservation_id) {
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

    /// Holds that ran out, needed ones only, are released first; then what was asked for happens.
    fn check_and_apply(&mut self, command: &InventoryCommand, events: &[InventoryEvent], now: Timestamp) {
        let (outcome, releases) = events.split_last().expect("a decision says something");
        for release in releases {
            let InventoryEvent::SeatsReleased(released) = release else {
                panic!("{release:?} on the way to {outcome:?}");
            };
            let (kind, seats) = self.claim(released.reservation_id).expect("a claim to release");
            assert_eq!(*release, expired(released.reservation_id, seats.quantity()));
            assert!(matches!(kind, ClaimKind::Held { until } if until <= now));
            let wanted = taken_by(outcome).expect("nothing is released unless seats are taken");
            match wanted {
                TakenSeats::Seats(wanted) => assert!(seats.seats().iter().any(|seat| wanted.contains(seat))),
                TakenSeats::Places(wanted) => {
                    assert!(
                        self.count(|place| place == Place::Free) < *wanted,
                        "released without need"
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

        match (command, outcome) {
            (InventoryCommand::Hold(hold), InventoryEvent::SeatsHeld(held)) => {
                assert_eq!(held.reservation_id, hold.reservation_id);
                assert_eq!(held.held_until, hold.held_until);
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
            (InventoryCommand::Release { reservation_id, reason }, InventoryEvent::SeatsReleased(released)) => {
                let (kind, seats) = self.claim(*reservation_id).expect("a claim to release");
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
            (InventoryCommand::Sell { reservation_id, seats }, InventoryEvent::SeatsSold(sold)) => {
                assert_eq!(
                    (sold.reservation_id, sold.quantity),
                    (*reservation_id, seats.quantity())
                );
                assert!(self.claim(*reservation_id).is_some());
                self.give_back(*reservation_id);
                self.take(seats, Place::Claimed(*reservation_id, ClaimKind::Sold));
            }
            (InventoryCommand::Sell { reservation_id, seats }, InventoryEvent::SeatsRetaken(retaken)) => {
                assert_eq!((retaken.reservation_id, &retaken.seats), (*reservation_id, seats));
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

// What is best.

/// Holds the best seats of a section whose rows have these free seats, and compares them with every other choice.
fn check_best_seats(rows: &[Vec<bool>], quantity: u32) {
    let widths: Vec<_> = rows.iter().map(|row| u32::try_from(row.len()).unwrap()).collect();
    let mut section = open(Seating::Numbered {
        rows: row_plans(&widths),
    });
    let taken = all_columns(rows).filter(|(row, column)| !rows[*row][*column]);
    let seats = TakenSeats::Seats(taken.map(|(row, column)| seat_id(row, column)).collect());
    section.evolve(&SeatsBlocked { seats }.into());

    let hold = InventoryCommand::Hold(HoldSeats {
        reservation_id: reservation(NEWCOMER),
        quantity,
        wish: SeatWish::BestAvailable,
        held_until: Timestamp::MAX_UTC,
    });
    let available = section.counts(Timestamp::UNIX_EPOCH).available;
    let answer = answer(&section, &hold, Timestamp::UNIX_EPOCH);
    if available < quantity {
        let requested = quantity;
        assert_eq!(
            answer,
            Err(InventoryRefusal::InsufficientInventory { requested, available })
        );
        return;
    }
    let events = answer.expect("enough seats are free");
    let [InventoryEvent::SeatsHeld(held)] = events.as_slice() else {
        panic!("{events:?}");
    };
    let named =
        |pick: Vec<(usize, usize)>| -> Vec<_> { pick.into_iter().map(|(row, column)| seat_id(row, column)).collect() };
    let picked = held.seats.seats();
    let quantity = quantity as usize;
    if let Some(best) = best_adjacent(rows, quantity) {
        assert_eq!(
            (held.allocation, picked),
            (Allocation::Adjacent, named(best).as_slice())
        );
    } else if let Some(best) = best_row(rows, quantity) {
        assert_eq!((held.allocation, picked), (Allocation::SameRow, named(best).as_slice()));
    } else {
        assert_eq!(held.allocation, Allocation::Split);
        let distinct: BTreeSet<_> = picked.iter().collect();
        assert_eq!(distinct.len(), quantity);
        let row_of = |seat: &SeatId| (0..rows.len()).find(|row| row_label(*row) == seat.row).unwrap();
        assert!(picked.iter().all(|seat| rows[row_of(seat)][seat.number as usize - 1]));
        let used: BTreeSet<_> = picked.iter().map(row_of).collect();
        let (front, back) = (*used.first().unwrap(), *used.last().unwrap());
        assert_eq!((used.len(), back - front, front), best_split(rows, quantity));
    }
}

fn best_adjacent(rows: &[Vec<bool>], quantity: usize) -> Option<Vec<(usize, usize)>> {
    let candidates = all_columns(rows).filter(|(row, start)| {
        let before = &rows[*row];
        let seats = *start..*start + quantity;
        if !before
            .get(seats.clone())
            .is_some_and(|seats| seats.iter().all(|free| *free))
        {
            return false;
        }
        let mut after = before.clone();
        after[seats].fill(false);
        (0..after.len()).all(|column| !is_orphan(&after, column) || is_orphan(before, column))
    });
    let best = candidates.min_by_key(|(row, start)| (*row, off_centre(&rows[*row], *start, start + quantity - 1)));
    best.map(|(row, start)| (start..start + quantity).map(|column| (row, column)).collect())
}

fn is_orphan(row: &[bool], column: usize) -> bool {
    let free = |column: Option<usize>| column.and_then(|column| row.get(column)).is_some_and(|free| *free);
    row[column] && !free(column.checked_sub(1)) && !free(column.checked_add(1))
}

/// Side by side beats the front; otherwise the front-most row, and the seats with the smallest span.
fn best_row(rows: &[Vec<bool>], quantity: usize) -> Option<Vec<(usize, usize)>> {
    let spans = all_columns(rows).flat_map(|(row, first)| (first..rows[row].len()).map(move |last| (row, first, last)));
    let fitting = spans.filter(|(row, first, last)| {
        let seats = &rows[*row][*first..=*last];
        seats[0] && seats[last - first] && seats.iter().filter(|free| **free).count() == quantity
    });
    let best = fitting.min_by_key(|(row, first, last)| {
        let apart = last - first + 1 != quantity;
        (
            apart,
            *row,
            last - first,
            off_centre(&rows[*row], *first, *last),
            *first,
        )
    });
    best.map(|(row, first, last)| {
        let free = (first..=last).filter(|column| rows[row][*column]);
        free.map(|column| (row, column)).collect()
    })
}

/// How many rows it takes, how far apart, and how far back the first of them is.
fn best_split(rows: &[Vec<bool>], quantity: usize) -> (usize, usize, usize) {
    let choices = (1_u32..1 << rows.len())
        .map(|choice| -> Vec<usize> { (0..rows.len()).filter(|row| choice & (1 << row) != 0).collect() });
    let seats = |choice: &[usize]| -> usize {
        let free = |row: &usize| rows[*row].iter().filter(|free| **free).count();
        choice.iter().map(free).sum()
    };
    let enough = choices.filter(|choice| seats(choice) >= quantity);
    let ranked = enough.map(|choice| (choice.len(), choice[choice.len() - 1] - choice[0], choice[0]));
    ranked.min().expect("enough seats are free")
}

fn off_centre(row: &[bool], first: usize, last: usize) -> usize {
    (first + last + 1).abs_diff(row.len())
}

fn all_columns(rows: &[Vec<bool>]) -> impl Iterator<Item = (usize, usize)> + Clone {
    rows.iter()
        .enumerate()
        .flat_map(|(row, seats)| (0..seats.len()).map(move |column| (row, column)))
}

fn seat_id(row: usize, column: usize) -> SeatId {
    SeatId {
        row: row_label(row),
        number: u32::try_from(column + 1).unwrap(),
    }
}
