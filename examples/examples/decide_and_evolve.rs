//! Uses the domain alone, without runtime, store and clock: decides commands on a payment, and applies the facts to
//! the state of the payment.
//!
//! `cargo run -p box-office-examples --example decide_and_evolve`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use chrono::DateTime;
use ticketing_domain::generations::newest;
use ticketing_domain::payment::{Charge, PaymentCommand, PaymentRequest, PaymentState, decide};
use ticketing_domain::reducer::Context;
use ticketing_ports::outside::gateway::Authorization;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, ReservationId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::payment::{MethodKind, MethodToken, PaymentMethod};
use ticketing_testkit::scenario::CountingIds;
use uuid::Uuid;

fn main() -> anyhow::Result<()> {
    let ids = CountingIds::default();
    let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a second of the year 2027 is a valid time");
    let ctx = Context {
        now,
        ids: &ids,
        floor: newest(),
        max_live_holds: None,
    };
    let token = MethodToken::new("tok_visa").expect("\"tok_visa\" is visible ASCII and no card number");
    let commands = [
        PaymentCommand::Request(Box::new(PaymentRequest {
            payment_id: PaymentId::new(Uuid::from_u128(1)),
            reservation_id: ReservationId::new(Uuid::from_u128(2)),
            event_id: EventId::new(Uuid::from_u128(3)),
            customer_id: CustomerId::new(Uuid::from_u128(4)),
            amount: Money::new(5_000, Currency::EUR),
            method: PaymentMethod {
                kind: MethodKind::Card,
                token,
            },
            charge: Charge::AuthorizeAndCapture,
            wanted_by: now,
        })),
        PaymentCommand::RecordAuthorization(Authorization::Approved {
            last_four: Some("4242".to_owned()),
        }),
        PaymentCommand::Capture,
        PaymentCommand::RecordCaptured,
        // The domain refuses this command, because nothing is left to capture.
        PaymentCommand::Capture,
    ];
    let mut state = PaymentState::default();
    for command in &commands {
        match decide(&state, command, &ctx) {
            Ok(decision) => {
                for event in &decision.events {
                    println!("fact    {event:?}");
                    state.evolve(event);
                }
                for call in &decision.effects {
                    println!("effect  {call:?}");
                }
            }
            Err(refusal) => println!("refused {refusal}"),
        }
    }
    Ok(())
}

#[test]
fn the_example_ends_well() {
    main().unwrap();
}
