//! Strategies for `proptest`: events on sale, seats that are wished for, payments, times, and everything that can happen between them.
//!
//! What is generated here is always acceptable to the domain, from the everyday to the edge of what its limits allow, so
//! that a property speaks of what the system has to live with. Sizes stay small: properties are tried thousands of
//! times, and few seats get in each other's way soonest.
//!
//! ```
//! use proptest::prelude::*;
//! use ticketing_testkit::generators::{House, ORGANISER, event_draft, steps};
//! use ticketing_testkit::scenario::start;
//!
//! proptest! {
//!     # #![proptest_config(ProptestConfig { failure_persistence: None, ..ticketing_testkit::property::costing(500) })]
//!     // With #[test] above it, as every property.
//!     fn a_section_never_gives_away_more_than_it_has(draft in event_draft(start()), steps in steps()) {
//!         let mut house = House::on_sale(draft, start());
//!         for step in &steps {
//!             house.take(step);
//!             for section in house.draft.sections.clone() {
//!                 let view = house.section(ORGANISER.into(), section.name.as_str()).unwrap();
//!                 let counts = view.availability.counts;
//!                 prop_assert!(counts.held + counts.sold <= section.seating.capacity());
//!             }
//!         }
//!     }
//! }
//! # a_section_never_gives_away_more_than_it_has();
//! ```

mod events;
mod money;
mod purchases;
mod seat_wishes;
mod times;

pub use events::{event_details, event_draft, label, pricing_tiers, refund_policy, seating, section_drafts, venue};
pub use money::{currency, method_kind, method_token, payment_method, price};
pub use purchases::{AnyCommand, Asked, House, ORGANISER, Step, by, customer, purchase, steps};
pub use seat_wishes::{SeatWish, seat_wish, seats_of};
pub use times::{moments, pause, time_before, time_from};
