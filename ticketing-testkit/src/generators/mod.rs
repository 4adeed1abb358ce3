//! Strategies for `proptest`: events on sale, wishes for seats, payments, times, and scripts of everything that can
//! happen.
//!
//! The domain accepts everything that is generated here, from common values to those at its limits. Sizes are small,
//! because properties are tried thousands of times, and conflicts are most frequent when there are few seats.
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
mod price_rules;
mod purchases;
mod seat_wishes;
mod times;

pub use events::{event_details, event_draft, label, pricing_tiers, refund_policy, seating, section_drafts, venue};
pub use money::{currency, method_kind, method_token, payment_method, price};
pub use price_rules::{percent, price_rules, some_price_rules};
pub use purchases::{AnyCommand, Asked, House, ORGANISER, Step, by, customer, purchase, steps};
pub use seat_wishes::{SeatWish, seat_wish, seats_of};
pub use times::{moments, pause, time_before, time_from};
