//! Somebody watches the seats of an event while they are sold, and the server stops meanwhile.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::on_sale::{CUSTOMERS, IN_FULL_SWING, SECONDS};
use crate::support::live::Watcher;
use crate::support::load::{Load, journals};
use crate::support::office::{Person, draft, general_admission};
use crate::support::waiting::Patience;
use crate::support::{Installation, Server, services};

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_misses_nothing_over_a_restart_of_the_server() {
    let story = async {
        let folder = tempfile::tempdir()?;
        let installation = Installation::embedded(folder.path());
        let mut server = Server::start(&installation, CUSTOMERS)?;
        let event = numbered_event(&server).await?;
        let watcher = Watcher::open(&server, &event, "seats=Stalls").await?;
        let watcher = sold_until_the_server_stops(watcher, &mut server, &event).await?;
        let next = Server::start(&installation, CUSTOMERS)?;
        sold_to_the_end(watcher, &next, &event).await
    };
    story.await.expect("nothing is missed");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_on_services_goes_on_at_another_server() {
    let story = async {
        let installation = services::shared().await?;
        let mut first = Server::start(&installation, CUSTOMERS)?;
        let second = Server::start(&installation, CUSTOMERS)?;
        let event = numbered_event(&first).await?;
        let folder = journals()?;
        // The other server sells as well, so the first one also shows what it has not written itself.
        let mut elsewhere = Load::start(&second, &folder.path().join("journal"), SECONDS, Some(&event))?;
        elsewhere.wait_for_answers(IN_FULL_SWING)?;
        let watcher = Watcher::open(&first, &event, "seats=Stalls").await?;
        let watcher = sold_until_the_server_stops(watcher, &mut first, &event).await?;
        elsewhere.enough()?;
        sold_to_the_end(watcher, &second, &event).await
    };
    story.await.expect("nothing is missed");
}

/// Watches while customers buy, until the server is told to stop and closes the connection.
async fn sold_until_the_server_stops(
    mut watcher: Watcher,
    server: &mut Server,
    event: &str,
) -> anyhow::Result<Watcher> {
    // A client that reads nothing, not even pings, is soon dropped, and it may take long to build the load tool.
    let watching = tokio::spawn(async move {
        let told = watcher.until_closed().await?;
        anyhow::Ok((watcher, told))
    });
    let folder = journals()?;
    let mut load = begin_to_sell(server, folder.path(), event)?;
    load.wait_for_answers(IN_FULL_SWING)?;
    server.stop()?;
    load.outlive_the_server()?;
    let (watcher, told) = watching.await??;
    ensure!(
        told["code"] == "UNAVAILABLE" && told["reconnect_after_ms"].is_u64(),
        "{told}"
    );
    ensure!(
        watcher.updates > 0 && watcher.seats > 0,
        "nothing was seen before the restart"
    );
    Ok(watcher)
}

/// Goes on watching at another server while customers buy, and compares what was seen in the end with what the server
/// tells whoever asks.
async fn sold_to_the_end(mut watcher: Watcher, server: &Server, event: &str) -> anyhow::Result<()> {
    let before = watcher.updates;
    watcher.reopen(server).await?;
    let (tell, target) = watch::channel(None);
    let watching = tokio::spawn(async move {
        watcher.until(target).await?;
        anyhow::Ok(watcher)
    });
    let folder = journals()?;
    let mut load = begin_to_sell(server, folder.path(), event)?;
    load.wait_for_answers(IN_FULL_SWING)?;
    load.enough()?;
    let mut shown = settled(server, event).await?;
    tell.send_replace(shown["sequence"].as_u64());
    let mut watcher = watching.await??;
    // What was seen is compared with what is shown at the same moment. Facts that another server has written may come
    // late.
    let patience = Patience::new();
    while shown["sequence"] != watcher.sequence {
        patience
            .pause(|| format!("seen up to {}, and shown: {shown}", watcher.sequence))
            .await?;
        shown = settled(server, event).await?;
        let (_tell, target) = watch::channel(shown["sequence"].as_u64());
        watcher.until(target).await?;
    }
    ensure!(watcher.updates > before, "nothing was seen after the restart");
    let sections = serde_json::to_value(&watcher.sections)?;
    ensure!(sections == shown["sections"], "seen: {sections}, and shown: {shown}");
    Ok(())
}

fn begin_to_sell(server: &Server, folder: &Path, event: &str) -> anyhow::Result<Load> {
    Load::start(server, &folder.join("journal"), SECONDS, Some(event))
}

/// Returns the availability once nothing more changes.
async fn settled(server: &Server, event: &str) -> anyhow::Result<Value> {
    let path = format!("/api/events/{event}/availability");
    let mut visitor = Person::anonymous(server)?;
    let (patience, mut last) = (Patience::new(), Value::Null);
    loop {
        let shown = visitor.get(&path).await?.expect(200)?.body;
        if shown == last {
            return Ok(shown);
        }
        last = shown;
        patience
            .pause_for(Duration::from_millis(500), || format!("it goes on: {last}"))
            .await?;
    }
}

async fn numbered_event(server: &Server) -> anyhow::Result<String> {
    let mut organiser = Person::admin(server)?;
    let rows: Vec<_> = (b'A'..=b'T')
        .map(|row| json!({ "row": char::from(row).to_string(), "seats": 100 }))
        .collect();
    let stalls = json!({ "kind": "numbered", "rows": rows });
    let sections = [("Stalls", stalls), ("Field", general_admission(100_000))];
    let event = organiser.put_on_sale(draft("Watched", 3_600, &sections)).await?;
    organiser.get(&format!("/api/events/{event}")).await?.expect(200)?;
    Ok(event)
}
