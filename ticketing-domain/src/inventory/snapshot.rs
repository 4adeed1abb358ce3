//! The stored form of a section: which reservation has which seats. Counts, free seats and the order in which holds
//! run out are computed from that.
//!
//! The stored form has its own types, so that the types in memory can change while the stored form stays.

use std::borrow::Cow;

use chrono::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CodeId, CustomerId, EventId, ReservationId, SectionId, TicketTypeId, TierId};
use ticketing_ports::vocabulary::seating::{Label, RowPlaces, RowPlan, SeatLabel, Seating};

use super::claim::{ClaimKind, CompactClaim, NamedClaim, Places};
use super::event::{Part, SectionOpened};
use super::parts::fitting;
use super::seat_map::SeatIndex;
use super::section::Section;
use super::state::InventoryState;
use crate::snapshot::{SnapshotFormat, UnreadableSnapshot};

/// How the snapshots of a section are written and read. Raise the number if a change of the code makes another state
/// from the same facts, or writes the same state as other bytes: older snapshots are then no longer read.
pub(super) const FORMAT: SnapshotFormat<InventoryState> = SnapshotFormat {
    number: 4,
    entries: |state| state.section().map_or(0, |section| section.claims.len()),
    write,
    read,
};

/// How many bytes the snapshot of a section without claims usually takes. The buffer begins with that size, so that
/// it rarely has to grow.
const USUAL: usize = 4_096;
/// How many more bytes of the snapshot each claim usually takes.
const USUAL_CLAIM: usize = 59;

/// An opened section in its stored form. `Claims` is [`ClaimsOf`] for writing, and a list for reading.
#[derive(Serialize, Deserialize)]
struct Written<Claims> {
    section_id: SectionId,
    event_id: EventId,
    name: Label,
    seating: WrittenSeating,
    blocked: Taken<'static>,
    claims: Claims,
}

#[derive(Serialize, Deserialize)]
enum WrittenSeating {
    GeneralAdmission(u32),
    Numbered(Vec<(Label, u32)>),
    /// Rows of which at least one is more than a number of seats.
    Listed(Vec<(Label, WrittenPlaces)>),
}

#[derive(Serialize, Deserialize)]
enum WrittenPlaces {
    Numbered(u32),
    Listed(Vec<Option<SeatLabel>>),
}

#[derive(Serialize, Deserialize)]
struct Claim<'a> {
    reservation: ReservationId,
    /// When the hold runs out, in seconds and nanoseconds since 1970; `None` if the seats are sold.
    held_until: Option<(i64, u32)>,
    places: Taken<'a>,
    /// The customer; `None` if the fact that made the claim did not tell the customer.
    customer: Option<CustomerId>,
    /// How many of the places are of which ticket type and tier.
    parts: WrittenParts<'a>,
}

#[derive(Serialize, Deserialize)]
enum Taken<'a> {
    Count(u32),
    Seats(Cow<'a, [SeatIndex]>),
}

/// Parts in their stored form: of each its ticket type, its tier, its code and its quantity.
struct WrittenParts<'a>(Cow<'a, [Part]>);

type WrittenPart = (Option<TicketTypeId>, TierId, Option<CodeId>, u32);

impl Serialize for WrittenParts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = |part: &Part| -> WrittenPart { (part.ticket_type_id, part.tier_id, part.code_id, part.quantity) };
        serializer.collect_seq(self.0.iter().map(written))
    }
}

impl<'de> Deserialize<'de> for WrittenParts<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |(ticket_type_id, tier_id, code_id, quantity): WrittenPart| Part {
            ticket_type_id,
            tier_id,
            code_id,
            quantity,
        };
        let written = Vec::<WrittenPart>::deserialize(deserializer)?;
        Ok(Self(written.into_iter().map(read).collect()))
    }
}

/// Writes the claims of a section without copying them.
struct ClaimsOf<'a>(&'a Section);

impl Serialize for ClaimsOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let claims = self.0.claims.iter();
        serializer.collect_seq(claims.map(|(reservation, claim)| Claim::of(self.0, *reservation, claim)))
    }
}

fn write(state: &InventoryState) -> Vec<u8> {
    let written = state.section().map(|section| {
        let SectionOpened {
            section_id,
            event_id,
            name,
            seating,
        } = section.opened.as_ref().clone();
        Written {
            section_id,
            event_id,
            name,
            seating: seating.into(),
            blocked: section.blocked_places().into(),
            claims: ClaimsOf(section),
        }
    });
    let room = Vec::with_capacity(USUAL + state.section().map_or(0, |section| section.claims.len() * USUAL_CLAIM));
    postcard::to_extend(&written, room).expect("writing to memory cannot fail, since every list knows its length")
}

fn read(bytes: &[u8]) -> Result<InventoryState, UnreadableSnapshot> {
    let (written, rest) = postcard::take_from_bytes::<Option<Written<Vec<Claim<'_>>>>>(bytes)?;
    if !rest.is_empty() {
        return Err(UnreadableSnapshot::Contradictory);
    }
    let Some(written) = written else {
        return Ok(InventoryState::default());
    };
    let opened = SectionOpened {
        section_id: written.section_id,
        event_id: written.event_id,
        name: written.name,
        seating: written.seating.into(),
    };
    let claims: Option<Vec<_>> = written.claims.into_iter().map(Claim::read).collect();
    let section = claims.and_then(|claims| Section::with(&opened, &written.blocked.into(), claims));
    section.map(InventoryState::of).ok_or(UnreadableSnapshot::Contradictory)
}

impl<'a> Claim<'a> {
    fn of(section: &'a Section, reservation: ReservationId, claim: &'a CompactClaim) -> Self {
        let parts = section.parts.of_claim(reservation);
        Self {
            reservation,
            held_until: match claim.kind {
                ClaimKind::Held { until } => Some((until.timestamp(), until.timestamp_subsec_nanos())),
                ClaimKind::Sold => None,
            },
            places: match &claim.places {
                Places::Count(places) => Taken::Count(*places),
                Places::Seats(seats) => Taken::Seats(Cow::Borrowed(seats)),
            },
            customer: section.customers.customer_of(reservation, claim),
            parts: WrittenParts(Cow::Borrowed(parts)),
        }
    }

    /// Returns the claim, with its reservation, to be entered into a section; `None` if its time is out of range, or its
    /// parts do not add up.
    fn read(self) -> Option<(ReservationId, NamedClaim)> {
        let kind = match self.held_until {
            Some((seconds, nanoseconds)) => ClaimKind::Held {
                until: moment(seconds, nanoseconds)?,
            },
            None => ClaimKind::Sold,
        };
        let parts: Box<[_]> = self.parts.0.into_owned().into();
        let places = Places::from(self.places);
        if fitting(&parts, places.quantity()) != parts {
            return None;
        }
        let claim = NamedClaim {
            kind,
            places,
            customer: self.customer,
            parts,
        };
        Some((self.reservation, claim))
    }
}

fn moment(seconds: i64, nanoseconds: u32) -> Option<Timestamp> {
    DateTime::from_timestamp(seconds, nanoseconds)
}

impl From<Places> for Taken<'static> {
    fn from(places: Places) -> Self {
        match places {
            Places::Count(places) => Self::Count(places),
            Places::Seats(seats) => Self::Seats(Cow::Owned(seats.into_vec())),
        }
    }
}

impl From<Taken<'_>> for Places {
    fn from(taken: Taken<'_>) -> Self {
        match taken {
            Taken::Count(places) => Self::Count(places),
            Taken::Seats(seats) => Self::Seats(seats.into_owned().into()),
        }
    }
}

fn listed(plan: RowPlan) -> (Label, WrittenPlaces) {
    let places = match plan.places {
        RowPlaces::Numbered(seats) => WrittenPlaces::Numbered(seats),
        RowPlaces::Listed(places) => WrittenPlaces::Listed(places.to_vec()),
    };
    (plan.row, places)
}

impl From<Seating> for WrittenSeating {
    fn from(seating: Seating) -> Self {
        match seating {
            Seating::GeneralAdmission { capacity } => Self::GeneralAdmission(capacity),
            Seating::Numbered { rows } => {
                let numbered = rows.iter().map(|plan| match plan.places {
                    RowPlaces::Numbered(seats) => Some((plan.row.clone(), seats)),
                    RowPlaces::Listed(_) => None,
                });
                match numbered.collect() {
                    Some(rows) => Self::Numbered(rows),
                    None => Self::Listed(rows.into_iter().map(listed).collect()),
                }
            }
        }
    }
}

impl From<WrittenSeating> for Seating {
    fn from(seating: WrittenSeating) -> Self {
        match seating {
            WrittenSeating::GeneralAdmission(capacity) => Self::GeneralAdmission { capacity },
            WrittenSeating::Numbered(rows) => {
                let rows = rows.into_iter().map(|(row, seats)| RowPlan::numbered(row, seats));
                Self::Numbered { rows: rows.collect() }
            }
            WrittenSeating::Listed(rows) => {
                let rows = rows.into_iter().map(|(row, places)| RowPlan {
                    row,
                    places: match places {
                        WrittenPlaces::Numbered(seats) => RowPlaces::Numbered(seats),
                        WrittenPlaces::Listed(places) => RowPlaces::of(places),
                    },
                });
                Self::Numbered { rows: rows.collect() }
            }
        }
    }
}
