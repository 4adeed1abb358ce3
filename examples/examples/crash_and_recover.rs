//! Shows that an answered request survives a crash: holds two places, stops as in a crash, opens the SQLite file
//! again, and finds the hold.
//!
//! `cargo run -p box-office-examples --example crash_and_recover`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;

use adapters_sqlite::SqliteStore;
use box_office_examples::{ALICE, engine_on, put_on_sale, request};
use ticketing_runtime::HoldSeats;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("box-office.db");

    let store = SqliteStore::open(&path).await?;
    let engine = engine_on(Arc::new(store.clone()));
    let office = engine.box_office();
    let event_id = put_on_sale(&office).await?;
    let hold = HoldSeats::best(event_id, "Floor", 2);
    let held = office.hold(request(ALICE, hold)).await?.value;
    println!("held       {}", held.reservation_id);

    // `abort` stops the engine at once, as a crash would: it finishes nothing that is under way. A crash would also
    // release the lock of the SQLite file. This process lives on and opens the file again, so it closes the store.
    engine.abort();
    store.close().await;

    let engine = engine_on(Arc::new(SqliteStore::open(&path).await?));
    let found = engine.box_office().reservation(ALICE, held.reservation_id).await?;
    println!("recovered  {} ({})", found.reservation_id, found.status.as_str());
    anyhow::ensure!(
        found == held,
        "the reservation after the crash differs from the one that was answered before"
    );
    engine.abort();
    Ok(())
}

#[test]
fn the_example_ends_well() {
    main().unwrap();
}
