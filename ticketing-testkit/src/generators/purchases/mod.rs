//! Everything that people, the gateway and timers may do to one event on sale, in any order.

mod asked;
mod house;

use proptest::collection::vec;
use proptest::prelude::*;

use super::times::pause;

pub use asked::{AnyCommand, Asked, ORGANISER, by, customer};
pub use house::House;

/// One thing that happens. Numbers choose among what is there at that moment, so that every script means something in
/// every [`House`], also after it has been shrunk.
#[derive(Debug, Clone)]
pub enum Step {
    Hold {
        customer: u128,
        section: usize,
        quantity: u32,
        /// Neighbours from this seat on; the last of them may not exist.
        seats: Option<usize>,
    },
    Pay {
        /// Whoever holds the reservation unless a stranger tries.
        by: Option<u128>,
        reservation: usize,
        payment: Option<usize>,
        /// With a payment id of the customer's own; without one, with another means of payment.
        fresh: bool,
    },
    Authorize {
        reservation: usize,
    },
    CancelReservation {
        by: Option<u128>,
        reservation: usize,
    },
    Refund {
        payment: usize,
        /// In the smallest unit; all that is left when absent.
        amount: Option<i64>,
    },
    /// The gateway answers a call, perhaps one that it has answered before.
    Answer {
        call: usize,
        how: u8,
    },
    /// An answer that nobody asked for.
    Stray {
        payment: usize,
        how: u8,
    },
    /// A deadline is delivered, due or not, perhaps for the second time.
    Deadline {
        which: usize,
    },
    Wait {
        time: chrono::TimeDelta,
    },
    /// Only in a script that begins with a draft does it change anything.
    Publish,
    /// The organiser takes places off sale, or puts them back.
    Block {
        section: usize,
        /// The seat, if there are any.
        seats: usize,
        back: bool,
    },
    OpenSales,
    CloseSales,
    CancelEvent,
}

/// A purchase: seats are held and paid for, and the gateway authorises and captures. Sometimes it takes its time, and a
/// deadline comes first.
pub fn purchase() -> impl Strategy<Value = Vec<Step>> {
    let delay = (pause(), 0..6_usize).prop_map(|(time, which)| [Step::Wait { time }, Step::Deadline { which }]);
    let delay = prop::option::weighted(0.3, delay);
    (0..3_u128, 0..6_usize, 1..3_u32, delay).prop_map(|(customer, section, quantity, delay)| {
        // Zero is the latest there is, and a gateway in a good mood.
        let answer = Step::Answer { call: 0, how: 0 };
        let mut steps = vec![
            Step::Hold {
                customer,
                section,
                quantity,
                seats: None,
            },
            Step::Pay {
                by: None,
                reservation: 0,
                payment: None,
                fresh: false,
            },
            answer.clone(),
        ];
        steps.extend(delay.into_iter().flatten());
        steps.push(answer);
        steps
    })
}

/// A script of single steps in any order, and now and then a whole [`purchase`].
pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let n = || 0..6_usize;
    let by = || prop_oneof![9 => Just(None), 1 => (0..3_u128).prop_map(Some)];
    let step = prop_oneof![
        12 => (0..3_u128, n(), 1..4_u32, prop::option::of(0..4_usize))
            .prop_map(|(customer, section, quantity, seats)| Step::Hold { customer, section, quantity, seats }),
        12 => (by(), n(), prop::option::weighted(0.3, n()), any::<bool>())
            .prop_map(|(by, reservation, payment, fresh)| Step::Pay { by, reservation, payment, fresh }),
        3 => n().prop_map(|reservation| Step::Authorize { reservation }),
        4 => (by(), n()).prop_map(|(by, reservation)| Step::CancelReservation { by, reservation }),
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
