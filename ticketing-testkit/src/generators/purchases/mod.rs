//! Scripts of what people, the gateway and deadlines may do with one event on sale, in any order.

mod asked;
mod house;

use proptest::collection::vec;
use proptest::prelude::*;

use super::times::pause;

pub use asked::{AnyCommand, Asked, ORGANISER, by, customer};
pub use house::House;

/// One step of a script. Its numbers choose among the reservations, payments and calls that exist at that moment, so
/// that a script still means something after `proptest` has shrunk it.
#[derive(Debug, Clone)]
pub enum Step {
    Hold {
        customer: u128,
        section: usize,
        quantity: u32,
        /// The number of the first of several neighbouring seats; `None` for the best seats. The last of these seats
        /// may not exist.
        seats: Option<usize>,
        /// How many of the best seats of the next section are held in the same order; `None` for an order of one line.
        /// If the event has only one section, the order names it twice.
        next_section: Option<u32>,
        /// Whether the customer enters [`House::CODE`].
        with_code: bool,
    },
    Pay {
        /// The number of the customer who asks; `None` for the customer who has the reservation.
        by: Option<u128>,
        reservation: usize,
        /// The number of the payment whose id the request repeats; `None` if the request names no payment.
        payment: Option<usize>,
        /// Whether this is a new attempt: with a new payment id if the request names a payment, otherwise with another
        /// means of payment.
        fresh: bool,
    },
    Authorize {
        reservation: usize,
    },
    Extend {
        by: Option<u128>,
        reservation: usize,
    },
    CancelReservation {
        by: Option<u128>,
        reservation: usize,
    },
    Refund {
        payment: usize,
        /// How much to refund, in minor units; `None` for all that is left.
        amount: Option<i64>,
    },
    /// The gateway answers a call, which it may have answered before.
    Answer {
        call: usize,
        how: u8,
    },
    /// The gateway reports on a payment although the box office has not called it.
    Stray {
        payment: usize,
        how: u8,
    },
    /// A deadline is delivered. The deadline may not be due yet, and may have been delivered before.
    Deadline {
        which: usize,
    },
    Wait {
        time: chrono::TimeDelta,
    },
    /// The organiser publishes the event. This changes something only if the house begins with a draft.
    Publish,
    /// The organiser blocks places, or unblocks them.
    Block {
        section: usize,
        /// The number of the seat, in a section with numbered seats.
        seats: usize,
        back: bool,
    },
    OpenSales,
    CloseSales,
    CancelEvent,
}

/// Generates the steps of one purchase: a customer holds seats and pays, and the gateway authorises and captures the
/// payment. Sometimes the gateway is slow and a deadline comes first, and the customer may hold other seats meanwhile.
pub fn purchase() -> impl Strategy<Value = Vec<Step>> {
    let delay = (pause(), 0..6_usize, prop::option::weighted(0.5, 1..3_u32));
    let delay = prop::option::weighted(0.3, delay);
    let next_section = prop::option::weighted(0.3, 1..3_u32);
    (buyer(), 0..6_usize, 1..3_u32, (next_section, with_code()), delay).prop_map(
        |(customer, section, quantity, (next_section, with_code), delay)| {
            // Number 0 chooses the latest call, and a gateway that approves.
            let answer = Step::Answer { call: 0, how: 0 };
            let mut steps = vec![
                Step::Hold {
                    customer,
                    section,
                    quantity,
                    seats: None,
                    next_section,
                    with_code,
                },
                Step::Pay {
                    by: None,
                    reservation: 0,
                    payment: None,
                    fresh: false,
                },
                answer.clone(),
            ];
            if let Some((time, which, others)) = delay {
                steps.extend([Step::Wait { time }, Step::Deadline { which }]);
                steps.extend(others.map(|quantity| Step::Hold {
                    customer,
                    section: section + 1,
                    quantity,
                    seats: None,
                    next_section: None,
                    with_code,
                }));
            }
            steps.push(answer);
            steps
        },
    )
}

/// Generates whether a customer enters a code.
fn with_code() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.4)
}

/// Generates the number of a customer: more often one with an account than a guest.
fn buyer() -> impl Strategy<Value = u128> {
    prop_oneof![2 => 0..asked::PEOPLE, 1 => asked::PEOPLE..2 * asked::PEOPLE]
}

/// Generates scripts: single steps in any order, and sometimes a whole [`purchase`].
pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let n = || 0..6_usize;
    let by = || prop_oneof![9 => Just(None), 1 => buyer().prop_map(Some)];
    let step = prop_oneof![
        12 => (buyer(), n(), 1..4_u32, prop::option::of(0..4_usize), prop::option::weighted(0.3, 1..3_u32), with_code())
            .prop_map(|(customer, section, quantity, seats, next_section, with_code)| {
                Step::Hold { customer, section, quantity, seats, next_section, with_code }
            }),
        12 => (by(), n(), prop::option::weighted(0.3, n()), any::<bool>())
            .prop_map(|(by, reservation, payment, fresh)| Step::Pay { by, reservation, payment, fresh }),
        3 => n().prop_map(|reservation| Step::Authorize { reservation }),
        4 => (by(), n()).prop_map(|(by, reservation)| Step::CancelReservation { by, reservation }),
        4 => (by(), n()).prop_map(|(by, reservation)| Step::Extend { by, reservation }),
        3 => (n(), prop::option::of(1..6_000_i64)).prop_map(|(payment, amount)| Step::Refund { payment, amount }),
        30 => (n(), any::<u8>()).prop_map(|(call, how)| Step::Answer { call, how }),
        2 => (n(), any::<u8>()).prop_map(|(payment, how)| Step::Stray { payment, how }),
        12 => n().prop_map(|which| Step::Deadline { which }),
        8 => pause().prop_map(|time| Step::Wait { time }),
        3 => (n(), n(), prop::bool::weighted(0.4))
            .prop_map(|(section, seats, back)| Step::Block { section, seats, back }),
        2 => Just(Step::OpenSales),
        1 => Just(Step::CloseSales),
        1 => Just(Step::CancelEvent),
    ];
    let part = prop_oneof![
        15 => step.prop_map(|step| vec![step]),
        1 => purchase(),
    ];
    vec(part, 1..30).prop_map(|parts| parts.concat())
}
