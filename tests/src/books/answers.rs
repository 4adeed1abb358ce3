//! What the answers of the server have promised, added up from the journal.

use std::collections::{BTreeMap, BTreeSet};

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::ReservationId;

use crate::journal::{Entry, HeldLine};

/// What the answers of the server have promised.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    pub sole_seller: bool,
    pub held: BTreeMap<ReservationId, Held>,
    pub paid: BTreeSet<ReservationId>,
    pub cancelled: BTreeSet<ReservationId>,
    /// Until when holds last at least that were extended.
    pub extended: BTreeMap<ReservationId, Timestamp>,
    /// Reservations that may have been paid or cancelled by a request whose answer was lost.
    pub in_doubt: BTreeSet<ReservationId>,
    /// How many seats of each section may be held by requests whose answers were lost.
    pub seats_in_doubt: BTreeMap<String, u64>,
    /// How many of these guests may hold, whose orders are in no list.
    pub seats_in_doubt_of_guests: BTreeMap<String, u64>,
    pub holds_in_doubt: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub customer: u32,
    /// Whether the customer has no account. A guest's order counts for the person whose address was given once it is sold.
    pub guest: bool,
    pub lines: Vec<HeldLine>,
}

impl Answers {
    pub fn from_entries<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut answers = Self::default();
        for entry in entries {
            answers.add(entry);
        }
        answers
    }

    pub(super) fn add(&mut self, entry: &Entry) {
        match entry {
            Entry::Started { sole_seller, .. } => self.sole_seller = *sole_seller,
            Entry::Held {
                customer,
                reservation,
                lines,
                guest,
            } => {
                let held = Held {
                    customer: *customer,
                    guest: *guest,
                    lines: lines.clone(),
                };
                self.held.insert(*reservation, held);
            }
            Entry::Paid { reservation } => {
                self.paid.insert(*reservation);
            }
            Entry::Cancelled { reservation } => {
                self.cancelled.insert(*reservation);
            }
            Entry::Extended {
                reservation,
                expires_at,
            } => {
                self.extended.insert(*reservation, *expires_at);
            }
            Entry::HoldInDoubt { quantities, guest } => {
                for (section, quantity) in quantities {
                    *self.seats_in_doubt.entry(section.clone()).or_default() += u64::from(*quantity);
                    if *guest {
                        let of_guests = &mut self.seats_in_doubt_of_guests;
                        *of_guests.entry(section.clone()).or_default() += u64::from(*quantity);
                    }
                }
                self.holds_in_doubt += 1;
            }
            Entry::ChangeInDoubt { reservation } => {
                self.in_doubt.insert(*reservation);
            }
            Entry::Consistency { .. } => {}
        }
    }
}
