//! The seats of a numbered section as readers see them: one letter for each place, row by row.

use ticketing_ports::Timestamp;

use super::claim::Places;
use super::seat_map::SeatIndex;
use super::section::{Layout, SeatMap, Section};
use super::state::InventoryState;
use crate::views::SeatRow;

const FREE: u8 = b'f';
const HELD: u8 = b'h';
const SOLD: u8 = b's';
const BLOCKED: u8 = b'b';
const GAP: u8 = b'_';

impl InventoryState {
    /// Returns the rows of a numbered section with the state of each seat at `now`, in the organiser's order. A seat
    /// of a hold that has run out is free. `None` in general admission, and if the section was not opened.
    pub fn seat_rows(&self, now: Timestamp) -> Option<Vec<SeatRow>> {
        let section = self.section()?;
        match section.layout() {
            Layout::GeneralAdmission => None,
            Layout::Numbered(map) => Some(rows(section, map, now)),
        }
    }
}

fn rows(section: &Section, map: &SeatMap, now: Timestamp) -> Vec<SeatRow> {
    let mut letters = vec![SOLD; map.plan.indexes().last().map_or(0, |last| last.place() + 1)];
    let mut write = |seat: SeatIndex, letter| letters[seat.place()] = letter;
    for seat in map.plan.indexes().filter(|seat| map.free.contains(*seat)) {
        write(seat, FREE);
    }
    if let Places::Seats(blocked) = section.blocked_places() {
        for seat in blocked {
            write(seat, BLOCKED);
        }
    }
    for (until, reservation) in section.holds() {
        let letter = if until <= now { FREE } else { HELD };
        for seat in section.seats_of(reservation) {
            write(*seat, letter);
        }
    }
    let rows = map.plan.rows().map(|(label, places, seats)| SeatRow {
        row: label.clone(),
        places: places.clone(),
        seats: seats
            .map(|seat| char::from(seat.map_or(GAP, |seat| letters[seat.place()])))
            .collect(),
    });
    rows.collect()
}
