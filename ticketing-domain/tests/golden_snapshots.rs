//! Compares the snapshot of a fixed history with a stored file, byte for byte. A change of these bytes needs a new
//! format number, so that no build reads bytes that it does not understand.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

use std::path::PathBuf;

use chrono::DateTime;
use ticketing_domain::inventory::{
    HoldExtended, Inventory, InventoryEvent, InventoryState, Part, ReleaseReason, SeatsBlocked, SeatsHeld,
    SeatsReleased, SeatsRetaken, SeatsSold, SeatsUnblocked, SectionOpened, TakenSeats,
};
use ticketing_domain::reducer::Reducer as _;
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CodeId, CustomerId, EventId, ReservationId, SectionId, TicketTypeId, TierId};
use ticketing_ports::vocabulary::seating::{Allocation, Label, RowPlaces, RowPlan, SeatId, SeatLabel, Seating};
use uuid::Uuid;

#[test]
fn the_history_of_a_numbered_section_is_written_as_it_was() {
    let rows = vec![row("A", 70), row("North-B", 4)];
    let mut history = vec![opened(Seating::Numbered { rows })];
    history.extend(sales(|seats| {
        TakenSeats::Seats(seats.iter().map(|seat| SeatId::parse(seat).unwrap()).collect())
    }));
    check("numbered", &history);
}

#[test]
fn the_history_of_a_section_of_general_admission_is_written_as_it_was() {
    let mut history = vec![opened(Seating::GeneralAdmission { capacity: 500 })];
    history.extend(sales(|seats| TakenSeats::Places(u32::try_from(seats.len()).unwrap())));
    check("general_admission", &history);
}

#[test]
fn a_section_that_was_never_opened_is_written_as_it_was() {
    check("nothing", &[]);
}

/// A history in which every type of fact occurs, and which leaves some seats free and others held, sold and blocked.
fn sales(places: impl Fn(&[&str]) -> TakenSeats) -> Vec<InventoryEvent> {
    vec![
        held(1, places(&["A-2", "A-1"])),
        held(2, places(&["A-65", "A-66"])),
        held(3, places(&["North-B-1"])),
        held(4, places(&["A-3"])),
        SeatsSold {
            reservation_id: reservation(2),
            quantity: 2,
            customer_id: None,
        }
        .into(),
        HoldExtended {
            reservation_id: reservation(1),
            quantity: 2,
            held_until: at(600),
        }
        .into(),
        SeatsReleased {
            reservation_id: reservation(3),
            reason: ReleaseReason::Expired,
            held: 1,
            sold: 0,
        }
        .into(),
        SeatsRetaken {
            reservation_id: reservation(5),
            customer_id: Some(customer(1)),
            seats: places(&["North-B-1"]),
            parts: vec![Part {
                ticket_type_id: Some(TicketTypeId::new(Uuid::from_u128(7))),
                tier_id: TierId::new(Uuid::from_u128(8)),
                code_id: Some(CodeId::new(Uuid::from_u128(9))),
                quantity: 1,
            }],
        }
        .into(),
        SeatsBlocked {
            seats: places(&["A-10", "A-9", "North-B-4"]),
        }
        .into(),
        SeatsUnblocked {
            seats: places(&["A-9"]),
        }
        .into(),
    ]
}

#[test]
fn the_history_of_a_section_with_labels_and_gaps_is_written_as_it_was() {
    let seats = |names: &[&str]| TakenSeats::Seats(names.iter().map(|seat| SeatId::parse(seat).unwrap()).collect());
    let printed = |text: &str| Some(SeatLabel::parse(text).unwrap());
    let with_an_aisle = RowPlan {
        row: label("B"),
        places: RowPlaces::of(vec![printed("1"), None, printed("2"), printed("12A")]),
    };
    let rows = vec![row("A", 3), with_an_aisle];
    let history = [
        opened(Seating::Numbered { rows }),
        held(1, seats(&["B-12A", "B-2"])),
        SeatsBlocked { seats: seats(&["B-1"]) }.into(),
    ];
    check("labels", &history);
}

fn check(name: &str, history: &[InventoryEvent]) {
    let format = Inventory::SNAPSHOTS.unwrap();
    let mut section = InventoryState::default();
    history.iter().for_each(|event| drop(section.evolve(event)));
    let written = hex(&(format.write)(&section));

    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden_snapshots");
    let file = folder.join(format!("inventory.{}.{name}.hex", format.number));
    if std::env::var_os("UPDATE_GOLDEN").is_some() && !file.exists() {
        std::fs::write(&file, format!("{written}\n")).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_else(|_| {
        panic!(
            "{} is missing: run with UPDATE_GOLDEN=1 once and commit it, never edit one",
            file.display()
        )
    });
    assert_eq!(
        written,
        golden.trim_end(),
        "a snapshot of the same facts has other bytes: raise the format number of the inventory when evolve or the \
         encoding changes, and give the files of the new number beside this one"
    );
    assert_eq!((format.read)(&unhex(golden.trim_end())).unwrap(), section);
}

fn opened(seating: Seating) -> InventoryEvent {
    SectionOpened {
        section_id: SectionId::new(Uuid::from_u128(4)),
        event_id: EventId::new(Uuid::from_u128(1)),
        name: label("Stalls"),
        seating,
    }
    .into()
}

fn held(number: u128, seats: TakenSeats) -> InventoryEvent {
    SeatsHeld {
        reservation_id: reservation(number),
        customer_id: (number != 4).then(|| customer(number)),
        seats,
        allocation: Allocation::Adjacent,
        held_until: at(300),
        parts: Vec::new(),
    }
    .into()
}

fn reservation(number: u128) -> ReservationId {
    ReservationId::new(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number))
}

fn customer(number: u128) -> CustomerId {
    CustomerId::new(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0100_0000 + number))
}

fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(1_800_000_000 + seconds, 123_456_000).unwrap()
}

fn row(name: &str, seats: u32) -> RowPlan {
    RowPlan::numbered(label(name), seats)
}

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}
