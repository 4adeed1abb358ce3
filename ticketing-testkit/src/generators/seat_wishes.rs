//! Strategies for what one customer asks for.

use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use ticketing_domain::commands::{HoldFor, HoldSeats, WantedLine};
use ticketing_ports::vocabulary::event_details::EventDetails;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::seating::{Label, RowPlan, SeatId, Seating};

/// The places in one section that a customer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatWish {
    pub section: Label,
    pub quantity: u32,
    /// The seats that the customer wants; `None` if the customer takes the best that are available.
    pub specific_seats: Option<Vec<SeatId>>,
}

impl SeatWish {
    /// Returns the command that asks for these places.
    pub fn hold(&self, event_id: EventId) -> HoldSeats {
        HoldSeats {
            event_id,
            lines: vec![WantedLine {
                section: self.section.as_str().to_owned(),
                ticket_type: None,
                quantity: self.quantity,
                specific_seats: self.specific_seats.clone(),
            }],
            customer: HoldFor::Caller,
            code: None,
        }
    }
}

/// Generates wishes that an event without reservations can fulfil while its sales are open and a price is valid.
pub fn seat_wish(details: &EventDetails) -> impl Strategy<Value = SeatWish> + use<> {
    let sections = details.sections.clone();
    let of_an_order = details.max_seats_per_order;
    let limit = of_an_order.min(details.max_seats_per_customer.unwrap_or(of_an_order));
    any::<Index>().prop_flat_map(move |chosen| {
        let section = chosen.get(&sections);
        let name = section.name.clone();
        let most = limit.min(section.seating.capacity());
        let best = (1..=most).prop_map(|quantity| (quantity, None)).boxed();
        let wish = match &section.seating {
            Seating::GeneralAdmission { .. } => best,
            seating @ Seating::Numbered { .. } => {
                let named = seats_of(seating, most as usize).prop_map(|seats| (seats.len() as u32, Some(seats)));
                prop_oneof![best, named].boxed()
            }
        };
        wish.prop_map(move |(quantity, specific_seats)| SeatWish {
            section: name.clone(),
            quantity,
            specific_seats,
        })
    })
}

/// Generates 1 to `most` different seats of a section, in any order.
///
/// # Panics
/// Panics if the section has no numbered seats.
pub fn seats_of(seating: &Seating, most: usize) -> impl Strategy<Value = Vec<SeatId>> + use<> {
    let Seating::Numbered { rows } = seating else {
        panic!("a section of general admission has no numbered seats");
    };
    let seats: Vec<_> = rows.iter().flat_map(RowPlan::seats).collect();
    let most = most.min(seats.len());
    subsequence(seats, 1..=most).prop_shuffle()
}
