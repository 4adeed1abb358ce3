//! Runs the write side in one process, with everything in memory: holds two places, pays for them, and reads the
//! tickets.
//!
//! `cargo run -p box-office-examples --example sell_a_ticket_in_memory`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;
use std::time::Duration;

use adapters_memory::InMemoryEventStore;
use box_office_examples::{ALICE, engine_on, put_on_sale, request};
use ticketing_ports::vocabulary::payment::{MethodKind, MethodToken, PaymentMethod};
use ticketing_runtime::{HoldSeats, PayReservation};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let engine = engine_on(Arc::new(InMemoryEventStore::new()));
    let office = engine.box_office();
    let event_id = put_on_sale(&office).await?;

    let hold = HoldSeats::best(event_id, "Floor", 2);
    let held = office.hold(request(ALICE, hold)).await?.value;
    println!(
        "held    {} for {} until {}",
        held.reservation_id, held.total_amount, held.expires_at
    );

    let token = MethodToken::new("tok_visa").expect("\"tok_visa\" is visible ASCII and no card number");
    let method = Some(PaymentMethod {
        kind: MethodKind::Card,
        token,
    });
    let pay = PayReservation {
        reservation_id: held.reservation_id,
        payment_id: None,
        method,
    };
    let paid = office.pay(request(ALICE, pay)).await?.value;
    for ticket in &paid.tickets {
        println!("ticket  {}", ticket.ticket_id);
    }
    engine.shut_down(Duration::from_secs(5)).await;
    Ok(())
}

#[test]
fn the_example_ends_well() {
    main().unwrap();
}
