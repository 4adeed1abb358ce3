//! Halls whose seats are not printed in the order in which they stand: neighbours go by their places.

use proptest::collection::vec;
use proptest::prelude::*;
use ticketing_domain::inventory::{
    HoldSeats, InventoryCommand, InventoryEvent, InventoryRefusal, InventoryState, SeatWish, SeatsBlocked, SeatsHeld,
    TakenSeats,
};
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::seating::{Allocation, RowPlaces, RowPlan, SeatId, SeatLabel, Seating};

use crate::section::{answer, customer_of, open, reservation, row_label, take_in};

fn row(row: usize, places: &[&str]) -> RowPlan {
    let label = |text: &&str| (*text != "_").then(|| SeatLabel::parse(text).unwrap());
    RowPlan {
        row: row_label(row),
        places: RowPlaces::of(places.iter().map(label).collect()),
    }
}

fn hold_best(section: &mut InventoryState, number: u128, quantity: u32) -> Result<SeatsHeld, InventoryRefusal> {
    let hold = InventoryCommand::Hold(HoldSeats {
        reservation_id: reservation(number),
        customer_id: customer_of(reservation(number)),
        quantity,
        wish: SeatWish::BestAvailable,
        held_until: Timestamp::MAX_UTC,
        parts: Vec::new(),
    });
    let facts = answer(section, &hold, Timestamp::UNIX_EPOCH)?;
    take_in(section, &facts);
    match facts.into_iter().next_back() {
        Some(InventoryEvent::SeatsHeld(held)) => Ok(held),
        other => panic!("{other:?}"),
    }
}

fn names(held: &SeatsHeld) -> Vec<String> {
    held.seats.seats().iter().map(ToString::to_string).collect()
}

#[test]
fn a_hall_with_odd_seats_on_the_left_even_ones_on_the_right_an_aisle_and_a_12a_is_sold_without_a_wrong_neighbour() {
    let places = [
        "11", "9", "7", "5", "3", "1", "_", "2", "4", "6", "8", "10", "12", "12A",
    ];
    let mut section = open(Seating::Numbered {
        rows: vec![row(0, &places), row(1, &places)],
    });
    let place_of = |seat: &SeatId| {
        places
            .iter()
            .position(|place| *place == seat.label.to_string())
            .unwrap()
    };
    let (mut pairs, mut sold) = (0, 0);
    for number in 0.. {
        let Ok(held) = hold_best(&mut section, number, 2) else {
            break;
        };
        let [one, other] = held.seats.seats() else {
            panic!("{held:?}")
        };
        let (left, right) = (place_of(one), place_of(other));
        let are_neighbours = one.row == other.row && left.abs_diff(right) == 1;
        assert!(are_neighbours || held.allocation != Allocation::Adjacent, "{held:?}");
        pairs += u32::from(are_neighbours);
        sold += 2;
    }
    // The right side of each row has seven seats, so that one of them has no neighbour in the end.
    assert_eq!((pairs, sold), (12, 26));
}

#[test]
fn one_and_two_are_no_neighbours_across_the_aisle_but_twelve_and_twelve_a_are() {
    let mut section = open(Seating::Numbered {
        rows: vec![row(0, &["3", "1", "_", "2", "4"]), row(1, &["10", "12", "12A"])],
    });
    let first = hold_best(&mut section, 1, 2).unwrap();
    assert_eq!(
        (first.allocation, names(&first)),
        (Allocation::Adjacent, ["A-3", "A-1"].map(str::to_owned).into())
    );
    let three = hold_best(&mut section, 2, 3).unwrap();
    assert_eq!(names(&three), ["B-10", "B-12", "B-12A"]);
    let across = hold_best(&mut section, 3, 2).unwrap();
    assert_eq!(names(&across), ["A-2", "A-4"]);
}

#[test]
fn a_seat_is_named_by_what_is_printed_on_it_and_a_gap_is_no_seat() {
    let mut section = open(Seating::Numbered {
        rows: vec![row(0, &["2", "_", "12A"])],
    });
    for (name, is_there) in [
        ("A-2", true),
        ("A-12A", true),
        ("A-1", false),
        ("A-3", false),
        ("A-12B", false),
    ] {
        let hold = InventoryCommand::Hold(HoldSeats {
            reservation_id: reservation(9),
            customer_id: customer_of(reservation(9)),
            quantity: 1,
            wish: SeatWish::Exactly(vec![SeatId::parse(name).unwrap()]),
            held_until: Timestamp::MAX_UTC,
            parts: Vec::new(),
        });
        assert_eq!(
            answer(&section, &hold, Timestamp::UNIX_EPOCH).is_ok(),
            is_there,
            "{name}"
        );
    }
    assert_eq!(section.counts(Timestamp::UNIX_EPOCH).capacity(), 2);
    let held = hold_best(&mut section, 1, 1).unwrap();
    assert_eq!(names(&held), ["A-2"]);
    let rows = section.seat_rows(Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(rows[0].seats, "h_f");
}

proptest! {
    /// A gap is for the search what a seat is that is never free.
    #[test]
    fn a_gap_divides_a_row_as_a_taken_seat_does(places in vec(vec(any::<bool>(), 1..9), 1..4), quantity in 1..5_u32) {
        let numbered = |gaps: bool| {
            let row = |(number, row): (usize, &Vec<bool>)| {
                let place = |(number, is_seat): (u32, &bool)| (*is_seat || !gaps).then_some(SeatLabel::Number(number));
                RowPlan {
                    row: row_label(number),
                    places: RowPlaces::of((1..).zip(row).map(place).collect()),
                }
            };
            Seating::Numbered { rows: places.iter().enumerate().map(row).collect() }
        };
        let mut with_gaps = open(numbered(true));
        let mut with_blocked = open(numbered(false));
        let missing: Vec<_> = places
            .iter()
            .enumerate()
            .flat_map(|(number, row)| {
                let missing = (1..).zip(row).filter(|(_, is_seat)| !**is_seat);
                missing.map(move |(seat, _)| SeatId::numbered(row_label(number), seat))
            })
            .collect();
        with_blocked.evolve(&SeatsBlocked { seats: TakenSeats::Seats(missing) }.into());
        for number in 0.. {
            let (one, other) = (hold_best(&mut with_gaps, number, quantity), hold_best(&mut with_blocked, number, quantity));
            prop_assert_eq!(&one, &other);
            if one.is_err() {
                break;
            }
        }
    }
}
