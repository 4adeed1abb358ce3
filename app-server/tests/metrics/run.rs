//! A run on services in which every metric moves, scraped by hand and by a real Prometheus.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use adapters_metrics::families::{ALL, Kind};
use anyhow::Context as _;
use serde_json::{Value, json};

use crate::deployed::{Query, queries_of_alerts, queries_of_panels};
use crate::prometheus::Prometheus;
use crate::promql::metrics_in;
use crate::scrape::{Scrape, address_in, metrics_of};
use crate::support::Server;
use crate::support::live::Watcher;
use crate::support::office::{Person, draft, general_admission};
use crate::support::process::Process;
use crate::support::services::shared;
use crate::support::waiting::Patience;

/// How long the run may take. A hold runs out after a minute.
const PATIENCE: Duration = Duration::from_secs(150);

/// Gauges that are 0 while all is well. All other metrics that a panel or a rule names have to move.
const AT_REST: [&str; 6] = [
    "consumer_lag",
    "dead_letters",
    "deadlines_overdue",
    "engine_mailbox_depth_max",
    "follower_lag_facts",
    "follower_lag_seconds",
];

/// Waits until a process shows its metrics, and returns where.
async fn metrics_of_process(process: &Process) -> anyhow::Result<String> {
    let patience = Patience::new();
    loop {
        let log = process.log();
        if let Some(address) = address_in(&log) {
            return Ok(address);
        }
        patience
            .pause(|| format!("the process shows no metrics:\n{log}"))
            .await?;
    }
}

/// A metric that need not move here: whether the client answers a ping depends on how long the run takes.
const NOT_HERE: &str = "websocket_messages_received_total";

/// The servers of the run.
struct Run {
    first: Server,
    /// A second server that sells the same events. Its payments take longer than a request may.
    slow: Server,
    /// A process that makes the read models of what the bus brings.
    _projections: Process,
    /// Where the processes show their metrics.
    addresses: Vec<String>,
    /// The event whose holds run out after a minute.
    event: String,
}

impl Run {
    async fn start() -> anyhow::Result<Self> {
        let services = shared().await?.with("METRICS_ADDR", "127.0.0.1:0");
        let mut projections = Process::start(&services, &["serve", "--roles", "projections"])?;
        // The demonstration waits for rows that only this process makes.
        projections.url()?;
        let first = Server::start(&services.clone().with("ROLES", "http,relay"), 4)?;
        let slow = services
            .with("ROLES", "http")
            .with("REQUEST_TIMEOUT_SECONDS", "1")
            .with("SANDBOX_LATENCY_MS", "5000");
        let slow = Server::start(&slow, 1)?;
        let addresses = vec![
            metrics_of(&first)?,
            metrics_of(&slow)?,
            metrics_of_process(&projections).await?,
        ];
        let event = on_sale(&first).await?;
        let run = Self {
            first,
            slow,
            _projections: projections,
            addresses,
            event,
        };
        // Nobody pays for this hold, so that it runs out.
        run.hold(&mut Person::customer(&run.first, 1)?).await?;
        Ok(run)
    }

    /// Holds a place of the event at a server. Returns the id of the reservation. The server whose requests may take only
    /// a second answers 504 when the machine is busy; then another place is held.
    async fn hold(&self, person: &mut Person) -> anyhow::Result<String> {
        let wish = json!({"event_id": self.event, "section": "Floor", "quantity": 1});
        let patience = Patience::new();
        loop {
            let held = person.post("/api/reservations", wish.clone()).await?;
            if held.status != 504 {
                return held.expect(201)?.text("reservation_id");
            }
            patience.pause(|| held.body).await?;
        }
    }

    /// Lets people do everything that a metric counts.
    async fn round(&self) -> anyhow::Result<()> {
        let mut ada = Person::customer(&self.first, 0)?;
        // Ada at the second server. The two servers write to one section in turn, so each finds that the other was
        // faster.
        let mut elsewhere = Person::with_session(&self.slow, &self.first.sessions()?[0])?;
        let paid = self.hold(&mut ada).await?;
        let late = self.hold(&mut elsewhere).await?;
        let given_up = self.hold(&mut ada).await?;
        pay(&mut ada, &paid, "tok_declined").await?.expect(402)?;
        pay(&mut ada, &paid, "tok_visa").await?.expect(200)?;
        pay(&mut elsewhere, &late, "tok_visa").await?.expect(504)?;
        ada.post(&format!("/api/reservations/{given_up}/cancel"), Value::Null)
            .await?
            .expect(200)?;
        ada.post(&format!("/api/reservations/{paid}/cancel"), Value::Null)
            .await?
            .expect(200)?;
        let watching = format!("session_id={}", self.first.sessions()?[0]);
        Watcher::open(&self.first, &self.event, &watching).await?.next().await?;
        ada.get("/api/reservations").await?.expect(200)?;
        ada.get("/api/payments").await?.expect(200)?;
        ada.get("/no/such/route").await?.expect(404)?;
        ada.get(&format!("/api/events/{}/availability", self.event))
            .await?
            .expect(200)?;
        Ok(())
    }

    async fn scrapes(&self) -> anyhow::Result<Vec<Scrape>> {
        let mut scrapes = Vec::new();
        for address in &self.addresses {
            scrapes.push(Scrape::of(address).await?);
        }
        Ok(scrapes)
    }

    /// Returns what no metric may show: ids, sessions and addresses of the run.
    fn secrets(&self) -> anyhow::Result<Vec<String>> {
        let mut secrets = self.first.sessions()?;
        secrets.extend([self.first.admin_session.clone(), self.event.clone(), "@".to_owned()]);
        Ok(secrets)
    }
}

async fn pay(person: &mut Person, reservation: &str, token: &str) -> anyhow::Result<crate::support::office::Said> {
    let method = json!({"payment_method": {"type": "card", "token": token}});
    person
        .post(&format!("/api/reservations/{reservation}/payment"), method)
        .await
}

/// Puts an event on sale whose holds run out after a minute.
async fn on_sale(server: &Server) -> anyhow::Result<String> {
    let draft = draft("An evening", 60, &[("Floor", general_admission(1_000))]);
    Person::admin(server)?.put_on_sale(draft).await
}

/// Adds to `moved` the metrics that are not 0 in one of the scrapes, and to `seen` those that are in one.
fn note(scrapes: &[Scrape], seen: &mut BTreeSet<String>, moved: &mut BTreeSet<String>) {
    for scrape in scrapes {
        seen.extend(scrape.types.keys().cloned());
        for (series, value) in &scrape.samples {
            if *value != 0.0 {
                let name = series.split('{').next().unwrap_or_default();
                moved.insert(name.to_owned());
            }
        }
    }
}

/// Returns the queries that Prometheus answers without a value, so without a number.
async fn unanswered<'q>(prometheus: &Prometheus, queries: &'q [Query]) -> anyhow::Result<Vec<&'q Query>> {
    let mut unanswered = Vec::new();
    for query in queries {
        let values = prometheus.query(&query.text).await?;
        if !values.iter().any(|value| value.is_finite()) {
            unanswered.push(query);
        }
    }
    Ok(unanswered)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_moves_in_a_run_and_a_real_prometheus_answers_every_panel() {
    let story = async {
        let run = Run::start().await?;
        let prometheus = Prometheus::scraping(&run.addresses).await?;
        let (panels, alerts) = (queries_of_panels()?, queries_of_alerts()?);
        let named: BTreeSet<String> = panels
            .iter()
            .chain(&alerts)
            .flat_map(|query| metrics_in(&query.text))
            .collect();
        let to_move = |name: &&String| *name != "up" && !AT_REST.contains(&name.as_str());
        let to_move: BTreeSet<String> = named.iter().filter(to_move).cloned().collect();
        let names = ALL.iter().map(|family| family.name.to_owned());
        let all: BTreeSet<String> = names.filter(|name| name != NOT_HERE).collect();

        let (mut seen, mut moved) = (BTreeSet::new(), BTreeSet::new());
        let patience = Patience::of(PATIENCE);
        loop {
            run.round().await?;
            let scrapes = run.scrapes().await?;
            note(&scrapes, &mut seen, &mut moved);
            let missing: Vec<_> = all.difference(&seen).chain(to_move.difference(&moved)).collect();
            let unanswered = unanswered(&prometheus, &panels).await?;
            if missing.is_empty() && unanswered.is_empty() {
                break;
            }
            let told = || format!("not in a scrape, or without a movement: {missing:?}; not answered: {unanswered:#?}");
            let waited = patience.pause(told).await;
            waited.map_err(|error| error.context(prometheus.log()))?;
        }

        seen.remove(NOT_HERE);
        assert_eq!(seen, all, "the table of metrics and the scrapes differ");
        for name in &named {
            assert!(name == "up" || is_of_a_family(name), "no metric is called {name}");
        }
        for alert in &alerts {
            prometheus.query(&alert.text).await.with_context(|| alert.of.clone())?;
        }
        all_are_up(&prometheus).await?;
        let scrapes = run.scrapes().await?;
        the_types_are_those_of_the_table(&scrapes);
        nothing_is_shown_that_names_somebody(&scrapes, &run.secrets()?);
        the_figures_of_all_processes_are_those_of_the_books(&run).await
    };
    story.await.expect("every metric moves and is scraped");
}

/// Waits until Prometheus has got an answer from all three processes. A scrape that takes longer than a second counts as
/// none until the next one.
async fn all_are_up(prometheus: &Prometheus) -> anyhow::Result<()> {
    let patience = Patience::new();
    loop {
        let up = prometheus.query("up").await?;
        if up == [1.0; 3] {
            return Ok(());
        }
        patience.pause(|| format!("up is {up:?}\n{}", prometheus.log())).await?;
    }
}

/// Returns whether a name is that of a metric, or of a series of a histogram.
fn is_of_a_family(name: &str) -> bool {
    ALL.iter().any(|family| {
        let series = name.strip_prefix(family.name);
        match family.kind {
            Kind::Histogram(_) => matches!(series, Some("_bucket" | "_sum" | "_count")),
            Kind::Counter | Kind::Gauge => series == Some(""),
        }
    })
}

fn the_types_are_those_of_the_table(scrapes: &[Scrape]) {
    let types: BTreeMap<&str, &str> = ALL.iter().map(|family| (family.name, family.kind.as_str())).collect();
    for scrape in scrapes {
        for (name, kind) in &scrape.types {
            assert_eq!(types.get(name.as_str()), Some(&kind.as_str()), "{name}");
        }
    }
}

fn nothing_is_shown_that_names_somebody(scrapes: &[Scrape], secrets: &[String]) {
    for scrape in scrapes {
        for secret in secrets {
            assert!(
                !scrape.text.contains(secret.as_str()),
                "{secret} is in\n{}",
                scrape.text
            );
        }
    }
}

/// Compares the sums over all processes with what the organiser reads.
async fn the_figures_of_all_processes_are_those_of_the_books(run: &Run) -> anyhow::Result<()> {
    let mut organiser = Person::admin(&run.first)?;
    let patience = Patience::new();
    loop {
        let analytics = format!("/api/events/{}/analytics", run.event);
        let books = organiser.get(&analytics).await?.expect(200)?.body;
        let amount = |field: &str| books[field]["amount"].as_f64().context("an amount of money");
        let expected = [amount("total_revenue")?, amount("refunded")?];
        let scrapes = run.scrapes().await?;
        let sum = |metric| scrapes.iter().map(|scrape| scrape.sum(metric)).sum::<f64>();
        let counted = [sum("revenue_total_cents"), sum("revenue_returned_total_cents")];
        if counted == expected && counted[0] > 0.0 {
            return Ok(());
        }
        patience
            .pause(|| format!("the metrics say {counted:?}, the books {books}"))
            .await?;
    }
}
