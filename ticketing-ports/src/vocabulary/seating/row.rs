use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::label::Label;
use super::seat::{SeatId, SeatLabel};

/// One row of a numbered section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredRow", into = "StoredRow")]
pub struct RowPlan {
    /// The label of the row.
    pub row: Label,
    /// Its places, from left to right.
    pub places: RowPlaces,
}

/// The places of a row, from left to right. Seats are neighbours if their places are, whatever is printed on them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RowPlaces {
    /// The number of seats, which are side by side and numbered from 1.
    Numbered(u32),
    /// What is printed on the seat of each place; `None` for a gap. [`RowPlaces::of`] makes this variant only of what
    /// cannot be told by a number.
    Listed(Arc<[Option<SeatLabel>]>),
}

impl RowPlaces {
    /// Makes the places of a row from a list of them.
    pub fn of(places: Vec<Option<SeatLabel>>) -> Self {
        let is_numbered = (1..)
            .zip(&places)
            .all(|(number, place)| *place == Some(SeatLabel::Number(number)));
        match u32::try_from(places.len()) {
            Ok(seats @ 1..) if is_numbered => Self::Numbered(seats),
            _ => Self::Listed(places.into()),
        }
    }

    /// Returns how many seats there are. A gap is no seat.
    pub fn seats(&self) -> u32 {
        match self {
            Self::Numbered(seats) => *seats,
            Self::Listed(places) => u32::try_from(places.iter().flatten().count()).unwrap_or(u32::MAX),
        }
    }

    /// Returns how many places there are, seats and gaps.
    pub fn width(&self) -> u32 {
        match self {
            Self::Numbered(seats) => *seats,
            Self::Listed(places) => u32::try_from(places.len()).unwrap_or(u32::MAX),
        }
    }

    /// Returns what is printed on the seat of a place, counted from 0; `None` if there is a gap, or no such place.
    pub fn label(&self, place: u32) -> Option<SeatLabel> {
        match self {
            Self::Numbered(seats) => (place < *seats).then(|| SeatLabel::Number(place + 1)),
            Self::Listed(places) => places.get(place as usize)?.clone(),
        }
    }
}

impl RowPlan {
    /// Makes a row of seats without gaps, numbered from 1.
    pub fn numbered(row: Label, seats: u32) -> Self {
        let places = RowPlaces::Numbered(seats);
        Self { row, places }
    }

    /// Returns the seats of the row, from left to right.
    pub fn seats(&self) -> impl Iterator<Item = SeatId> + '_ {
        (0..self.places.width()).filter_map(|place| {
            Some(SeatId {
                row: self.row.clone(),
                label: self.places.label(place)?,
            })
        })
    }
}

/// The JSON of a row. It has either `seats` or `places`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredRow {
    row: Label,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seats: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    places: Option<Vec<Option<SeatLabel>>>,
}

impl From<RowPlan> for StoredRow {
    fn from(RowPlan { row, places }: RowPlan) -> Self {
        match places {
            RowPlaces::Numbered(seats) => Self {
                row,
                seats: Some(seats),
                places: None,
            },
            RowPlaces::Listed(places) => Self {
                row,
                seats: None,
                places: Some(places.to_vec()),
            },
        }
    }
}

/// The JSON of a row has neither a number of seats nor a list of places, or both.
#[derive(Debug, Error)]
#[error("a row has either a number of seats or a list of places")]
struct NotOneForm;

impl TryFrom<StoredRow> for RowPlan {
    type Error = NotOneForm;

    fn try_from(StoredRow { row, seats, places }: StoredRow) -> Result<Self, NotOneForm> {
        let places = match (seats, places) {
            (Some(seats), None) => RowPlaces::Numbered(seats),
            (None, Some(places)) => RowPlaces::of(places),
            _ => return Err(NotOneForm),
        };
        Ok(Self { row, places })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_told_by_a_number_of_seats_or_by_its_places() {
        let label = |text: &str| Some(SeatLabel::parse(text).unwrap());
        for (places, json, seats) in [
            (
                vec![label("1"), label("2")],
                r#"{"row":"A","seats":2}"#,
                &["A-1", "A-2"][..],
            ),
            (
                vec![label("2"), None, label("12A")],
                r#"{"row":"A","places":["2",null,"12A"]}"#,
                &["A-2", "A-12A"],
            ),
            (
                vec![label("2"), label("1")],
                r#"{"row":"A","places":["2","1"]}"#,
                &["A-2", "A-1"],
            ),
        ] {
            let row = RowPlan {
                row: Label::new("A").unwrap(),
                places: RowPlaces::of(places),
            };
            assert_eq!(serde_json::to_string(&row).unwrap(), json);
            assert_eq!(serde_json::from_str::<RowPlan>(json).unwrap(), row);
            assert_eq!(row.seats().map(|seat| seat.to_string()).collect::<Vec<_>>(), seats);
            assert_eq!(row.places.seats() as usize, seats.len());
        }
        for json in [r#"{"row":"A"}"#, r#"{"row":"A","seats":1,"places":["1"]}"#] {
            assert!(serde_json::from_str::<RowPlan>(json).is_err(), "{json}");
        }
    }
}
