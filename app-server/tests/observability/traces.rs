//! One purchase is one trace, whichever processes have a part in it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::json;

use crate::collector::{Collector, Seen};
use crate::support::live::Watcher;
use crate::support::office::Person;
use crate::support::process::Process;
use crate::support::{Installation, Server, bus, services};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// A trace whose caller does not record it.
const OTHER_TRACE: &str = "11111111111111111111111111111111";
const NOT_RECORDED: &str = "00-11111111111111111111111111111111-b7ad6b7169203331-00";

/// How long spans may take to arrive.
const ARRIVED: Duration = Duration::from_secs(60);

/// A purchase leads to these on every kind of installation.
const ALWAYS: [&str; 9] = [
    "POST /api/reservations",
    "POST /api/reservations/{reservation_id}/payment",
    "command hold_seats answered",
    "command pay_reservation answered",
    "command report_payment answered",
    "commit",
    "gateway call authorize",
    "gateway call capture",
    "follow read-models",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_one_trace_that_a_server_sends_before_it_ends() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let collector = Collector::start().await?;
    // Nothing is sent by the clock, so that only the end of the server sends what is seen here.
    let installation =
        traced(Installation::embedded(folder.path()), &collector).with("OTEL_BSP_SCHEDULE_DELAY", "3600000");
    let mut server = Server::start(&installation, 1)?;
    buy_while_watching(&server).await?;
    let mut ada = Person::customer(&server, 0)?;
    let wish = json!({"event_id": server.event, "section": "General", "quantity": 1});
    let unseen = [("traceparent", NOT_RECORDED)];
    ada.post_with_headers("/api/reservations", &unseen, wish)
        .await?
        .expect(201)?;
    server.stop()?;
    let spans = arrived(&collector, &["websocket send", "follow live_boards"]).await?;
    ensure!(spans.iter().all(|span| span.service == "ticketing-api"), "{spans:?}");
    let others = collector.of_trace(OTHER_TRACE);
    ensure!(others.is_empty(), "the caller does not record its trace: {others:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_one_trace_across_processes_and_the_bus() -> anyhow::Result<()> {
    let collector = Collector::start().await?;
    let installation = traced(services::shared().await?, &collector).with("OTEL_BSP_SCHEDULE_DELAY", "100");
    let projections = installation.clone().with("OTEL_SERVICE_NAME", "projections");
    let _projections = Process::start(&projections, &["serve", "--roles", "projections"])?;
    let server = Server::start(&installation.clone().with("ROLES", "http,relay"), 1)?;
    buy_while_watching(&server).await?;
    let spans = arrived(&collector, &["websocket send", "follow relay"]).await?;
    let elsewhere = spans
        .iter()
        .find(|span| span.attribute("ticketing.follower") == "read-models");
    ensure!(elsewhere.is_some_and(|span| span.service == "projections"), "{spans:?}");

    let reader = bus::reader(&installation, "reservations")?;
    loop {
        let message = tokio::time::timeout(ARRIVED, reader.recv())
            .await
            .context("no sale on the bus")??;
        let headers = bus::headers_of(&message);
        if bus::value(&headers, "ticketing-event-type") == Some("ReservationCompleted") {
            ensure!(
                bus::value(&headers, "ticketing-correlation-id") == Some("ada-pays"),
                "{headers:?}"
            );
            let parent = bus::value(&headers, "traceparent").context("the sale is in a trace")?;
            let request = spans.iter().find(|span| parent == format!("00-{TRACE}-{}-01", span.id));
            let name = request.context("the sale hangs below a span")?.name.as_str();
            ensure!(name == "POST /api/reservations/{reservation_id}/payment", "{name}");
            return Ok(());
        }
    }
}

fn traced(installation: Installation, collector: &Collector) -> Installation {
    installation.with("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint)
}

/// Buys a place within one trace, while somebody watches the event.
async fn buy_while_watching(server: &Server) -> anyhow::Result<()> {
    let session = server.sessions()?.first().cloned().context("a customer")?;
    let mut watcher = Watcher::open(server, &server.event, &format!("session_id={session}")).await?;
    watcher.next().await?.context("a snapshot")?;
    let mut ada = Person::customer(server, 0)?;
    let wish = json!({"event_id": server.event, "section": "General", "quantity": 1});
    let headers = [("traceparent", PARENT), ("x-correlation-id", "ada-holds")];
    let held = ada.post_with_headers("/api/reservations", &headers, wish).await?;
    let reservation = held.expect(201)?.text("reservation_id")?;
    watcher.next().await?.context("an update")?;
    let headers = [("traceparent", PARENT), ("x-correlation-id", "ada-pays")];
    let card = json!({"payment_method": {"type": "card", "token": "tok_visa"}});
    let payment = format!("/api/reservations/{reservation}/payment");
    ada.post_with_headers(&payment, &headers, card).await?.expect(200)?;
    watcher.next().await?.context("an update")?;
    // The read models show the sale, so they have taken it.
    let payments = ada.get("/api/payments").await?.expect(200)?;
    ensure!(payments.body["total"] == 1, "{}", payments.body);
    Ok(())
}

/// Waits until the spans of a purchase have arrived, and returns them. Each hangs below a request, and each request below
/// the caller.
async fn arrived(collector: &Collector, wanted: &[&str]) -> anyhow::Result<Vec<Seen>> {
    let patience = Instant::now() + ARRIVED;
    let wanted: BTreeSet<&str> = ALWAYS.iter().chain(wanted).copied().collect();
    loop {
        let spans = collector.of_trace(TRACE);
        let told: BTreeSet<String> = spans.iter().map(told).collect();
        let missing: Vec<_> = wanted.iter().filter(|name| !told.contains(**name)).collect();
        if missing.is_empty() {
            let requests = spans.iter().filter(|span| span.parent == CALLER);
            let requests: BTreeSet<&str> = requests.map(|span| span.id.as_str()).collect();
            ensure!(requests.len() == 2, "two requests are below the caller: {spans:#?}");
            let lost = spans
                .iter()
                .find(|span| !requests.contains(span.id.as_str()) && !requests.contains(span.parent.as_str()));
            ensure!(lost.is_none(), "this span hangs below no request: {lost:?}");
            return Ok(spans);
        }
        ensure!(Instant::now() < patience, "{missing:?} have not arrived, only {told:?}");
        tokio::task::yield_now().await;
    }
}

/// Returns what a span says in one line.
fn told(span: &Seen) -> String {
    let details = [
        "ticketing.command",
        "ticketing.outcome",
        "ticketing.gateway.call",
        "ticketing.follower",
    ];
    let details = details
        .iter()
        .map(|name| span.attribute(name))
        .filter(|text| !text.is_empty());
    let words: Vec<&str> = [span.name.as_str()].into_iter().chain(details).collect();
    words.join(" ")
}
