//! What the organiser of a simulation does: the organiser puts an event on sale, closes and opens its sales, and
//! sometimes cancels it.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use rand::RngExt as _;
use rand::rngs::StdRng;
use ticketing_domain::catalog::{EventDraft, SectionDraft};
use ticketing_domain::refusal::Refusal;
use ticketing_ports::vocabulary::codes::CodeRules;
use ticketing_ports::vocabulary::event_details::{Pool, PoolMember, PricingTier, RefundRule, Venue};
use ticketing_ports::vocabulary::ids::{EventId, UserId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::percent::Percent;
use ticketing_ports::vocabulary::pricing::Discount;
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::seating::{Label, RowPlaces, RowPlan, SeatLabel, Seating};
use ticketing_runtime::{AddCodes, BoxOffice, CancelEvent, Failure};
use uuid::Uuid;

use super::World;
use super::stage::{Stage, request};
use crate::generators::some_price_rules;

const HOLD_SECONDS: u32 = 60;

pub(super) const ORGANISER: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(1)),
    role: Role::Admin,
};

/// Puts an event on sale, and returns its id.
pub(super) async fn open_event(stage: &Stage, rng: &mut StdRng) -> EventId {
    let created = insist(
        || stage.box_office(),
        |office| {
            let request = request(ORGANISER, draft(stage.world()), Some(1));
            async move { office.create_event(request).await }
        },
    )
    .await;
    let event = created.value.event_id;
    insist(
        || stage.box_office(),
        |office| {
            let request = request(ORGANISER, codes(event), Some(4));
            async move { office.add_codes(request).await }
        },
    )
    .await;
    insist(
        || stage.box_office(),
        |office| {
            let request = request(ORGANISER, event, Some(2));
            async move { office.publish(request).await }
        },
    )
    .await;
    insist(
        || stage.box_office(),
        |office| {
            let request = request(ORGANISER, event, Some(3));
            async move { office.open_sales(request).await }
        },
    )
    .await;
    tokio::time::sleep(Duration::from_millis(rng.random_range(0..1_000))).await;
    event
}

/// The code that customers may enter.
pub(super) const CODE: &str = "LUCKY";

fn codes(event_id: EventId) -> AddCodes {
    AddCodes {
        event_id,
        codes: vec![Label::new(CODE).expect("a short plain text is a valid label")],
        rules: CodeRules {
            discount: Some(Discount::Percent(Percent::whole(15))),
            max_uses: Some(4),
            max_uses_per_customer: Some(2),
            ..CodeRules::default()
        },
    }
}

/// Closes and opens the sales of the event from time to time, and sometimes cancels it.
pub(super) async fn organise(stage: Arc<Stage>, event: EventId, mut rng: StdRng) {
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(rng.random_range(1_000..40_000))).await;
        let office = stage.box_office();
        // The organiser's requests may fail, because no later step of the run needs their success.
        match rng.random_range(0..10) {
            0..3 => drop(office.close_sales(request(ORGANISER, event, None)).await),
            3..8 => drop(office.open_sales(request(ORGANISER, event, None)).await),
            8 => {
                let cancel = CancelEvent {
                    event_id: event,
                    reason: None,
                };
                drop(office.cancel_event(request(ORGANISER, cancel, None)).await);
            }
            _ => {}
        }
    }
}

/// Repeats a request under its idempotency key until the box office answers.
async fn insist<T, F>(office: impl Fn() -> BoxOffice, ask: impl Fn(BoxOffice) -> F) -> T
where
    F: Future<Output = Result<T, Failure>>,
{
    loop {
        match ask(office()).await {
            Ok(answer) => return answer,
            // Until the engine has read the schema floor of the log, it takes no event that only the newest builds read.
            Err(Failure::Refused(refusal)) if refusal != Refusal::UpdateUnderWay => {
                panic!("a request of the organiser was refused: {refusal}")
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
        }
    }
}

fn printed(number: u32) -> Option<SeatLabel> {
    Some(SeatLabel::Number(number))
}

fn draft(world: &World) -> EventDraft {
    let label = |text: &str| Label::new(text).expect("a short plain text is a valid label");
    let tier = |section: &str, amount: i64| {
        PricingTier::always(label(section), label("regular"), Money::new(amount, Currency::EUR))
    };
    let few = [
        PoolMember::all_of(label("Floor")),
        PoolMember::of_type(label("Balcony"), label("student")),
    ];
    // The seats of the second row are not printed in the order in which they stand, and an aisle divides them.
    let with_an_aisle = RowPlaces::of(vec![printed(3), printed(1), None, printed(2), printed(4)]);
    let rows = vec![
        RowPlan::numbered(label("A"), 4),
        RowPlan {
            row: label("B"),
            places: with_an_aisle,
        },
    ];
    EventDraft {
        hold_seconds: Some(HOLD_SECONDS),
        max_seats_per_order: Some(4),
        max_seats_per_customer: Some(5),
        refund_policy: Some(vec![RefundRule {
            hours_before: 72,
            percent: 50,
        }]),
        pools: vec![Pool::new(label("few"), 5, few)],
        price_rules: some_price_rules(Currency::EUR),
        ..EventDraft::new(
            label("Simulated night"),
            Currency::EUR,
            world.ports.clock.now() + TimeDelta::days(5),
            Venue {
                name: label("Hall"),
                city: label("Ghent"),
                country: label("BE"),
                timezone: label("Europe/Brussels"),
            },
            vec![
                SectionDraft::new(label("Floor"), Seating::GeneralAdmission { capacity: 6 }),
                SectionDraft::new(label("Balcony"), Seating::Numbered { rows })
                    .with_types([label("regular"), label("student")]),
            ],
            vec![
                PricingTier {
                    quantity: Some(2),
                    ..tier("Floor", 501)
                },
                tier("Floor", 1_001),
                tier("Balcony", 5_003).of_type(label("regular")),
                tier("Balcony", 2_499).of_type(label("student")),
            ],
        )
    }
}
