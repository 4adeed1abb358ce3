//! The command `serve`: listens, answers requests as soon as it can, and stops without dropping a running request.

mod accept;
mod activity;
mod connection;
mod head_scan;
mod library_answers;
mod places;
mod running;
mod signals;
mod socket;
mod tls;
mod watched;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters_external::SystemIds;
use adapters_http::{limited, operations, router_with};
use anyhow::Context as _;
use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use crate::capacity::Capacity;
use crate::config::{ConnectionSettings, HttpSettings, Role, Settings};
use crate::front::Front;
use crate::metrics::ShownMetrics;
use crate::traces;
use crate::wiring::RunningServer;
use accept::Doorkeeper;
use activity::Patience;
use connection::Answering;
use library_answers::AnswerInOurWords;
use places::Places;
use signals::listen_for_signals;
use tls::Tls;

/// How long a client may take no byte of an answer that is ready.
const READING: Duration = Duration::from_secs(30);

/// At most how many connections are open at the address of the metrics. A Prometheus needs one.
const SCRAPERS: u32 = 16;

/// Serves until the process is told to stop by a signal.
///
/// # Errors
/// When the address or the storage cannot be used.
pub async fn serve(settings: &Settings) -> anyhow::Result<()> {
    let listeners = Listeners::bind(settings).await?;
    let public_url = public_url(settings, listeners.address()?);
    let serving = Serving::begin(settings, listeners).await?;
    let server = RunningServer::start(settings, &public_url, serving.capacity(), serving.stopping()).await?;
    serving.open(settings, &server, Router::new());
    serving.run(settings, server).await
}

/// What a server listens on.
#[derive(Debug)]
pub struct Listeners {
    api: TcpListener,
    /// `None` if the metrics have no address of their own.
    metrics: Option<TcpListener>,
}

impl Listeners {
    /// Listens on the addresses of the settings. Nothing is accepted yet.
    ///
    /// # Errors
    /// When an address cannot be listened on.
    pub async fn bind(settings: &Settings) -> anyhow::Result<Self> {
        let address = settings.http.http_addr;
        let api = TcpListener::bind(address)
            .await
            .with_context(|| format!("--http-addr (HTTP_ADDR): cannot listen on {address}"))?;
        let metrics = match settings.metrics.metrics_addr {
            None => None,
            Some(address) => Some(
                TcpListener::bind(address)
                    .await
                    .with_context(|| format!("--metrics-addr (METRICS_ADDR): cannot listen on {address}"))?,
            ),
        };
        Ok(Self { api, metrics })
    }

    /// Returns the address of the API.
    ///
    /// # Errors
    /// When the system does not tell the address.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        self.api.local_addr().context("the listener has no address")
    }
}

/// Returns the URL with which links begin: the public URL of the settings. If that is the default, its port is
/// replaced by the port that the server really listens on.
pub fn public_url(settings: &Settings, listening: SocketAddr) -> String {
    let port = listening.port();
    let url = settings.http.public_url.as_str();
    let scheme = settings.connections.tls().map_or("http", |_| "https");
    if url == "http://localhost:8080" {
        format!("{scheme}://localhost:{port}")
    } else {
        url.to_owned()
    }
}

/// Logs a warning if other machines can reach this server, but links in its mails can be opened on this machine
/// only.
pub fn warn_of_links(settings: &HttpSettings) {
    if !settings.http_addr.ip().is_loopback() && settings.public_url.is_local() {
        warn!(
            public_url = settings.public_url.as_str(),
            "links in mails can be opened on this machine only: set PUBLIC_URL to the URL under which people reach this server"
        );
    }
}

/// A listener whose requests are answered from now on. Until [`Serving::open`] the answers say that the server starts.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    front: Front,
    stopping: CancellationToken,
    capacity: Capacity,
    places: Arc<Places>,
    answering: Arc<Answering>,
    accepting: JoinHandle<()>,
    /// Where the metrics are shown once the server runs.
    scrapes: Option<TcpListener>,
}

impl Serving {
    /// Begins to answer requests. SIGTERM and Ctrl-C end the process at once until [`Serving::run`] is called.
    ///
    /// # Errors
    /// When the listener has no address, or the certificate of the settings cannot be used.
    pub async fn begin(settings: &Settings, listeners: Listeners) -> anyhow::Result<Self> {
        let address = listeners.address()?;
        let (front, stopping) = (Front::default(), CancellationToken::new());
        let tls = match settings.connections.tls() {
            Some(files) => Some(Tls::from_files(&files, stopping.clone()).await?),
            None => None,
        };
        let capacity = Capacity::of_this_process(settings);
        let places = Places::new(capacity.connections);
        let answering = Arc::new(Answering::new(
            front.router(),
            tls,
            patience(&settings.connections),
            AnswerInOurWords(Arc::new(SystemIds::new())),
            stopping.clone(),
        ));
        let mut doorkeeper = Doorkeeper::new(Arc::clone(&answering), Arc::clone(&places));
        let accepting = tokio::spawn(async move { doorkeeper.accept(listeners.api).await });
        info!(%address, "starting: until the server can work, only health checks are answered");
        Ok(Self {
            address,
            front,
            stopping,
            capacity,
            places,
            answering,
            accepting,
            scrapes: listeners.metrics,
        })
    }

    /// Returns how many connections the server can have.
    pub fn capacity(&self) -> Capacity {
        self.capacity
    }

    /// Returns the token that is cancelled when the server begins to stop.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Lets the server answer every request from now on, including those for the extra `pages`.
    pub fn open(&self, settings: &Settings, server: &RunningServer, pages: Router) {
        let metrics = server.metrics.as_ref();
        let scrapes = metrics.map(ShownMetrics::at_the_api).unwrap_or_default();
        let routes = if settings.engine.plays(Role::Http) {
            router_with(server.http.clone(), scrapes.merge(pages))
        } else {
            let health = server.http.health.clone();
            operations(health, self.stopping()).merge(limited(server.http.clone(), scrapes))
        };
        let routes = traces::mount(server.traces.as_ref(), routes);
        self.front.open(match metrics {
            Some(metrics) => metrics.count(routes),
            None => routes,
        });
    }

    /// Serves until SIGTERM or Ctrl-C. Then finishes the requests that are still running. A second signal ends the
    /// process at once.
    ///
    /// # Errors
    /// When the task that accepts connections has panicked.
    pub async fn run(self, settings: &Settings, server: RunningServer) -> anyhow::Result<()> {
        let _scraping = match (self.scrapes, &server.metrics) {
            (Some(listener), Some(metrics)) => Some(show(metrics, listener, &settings.connections)?),
            _ => None,
        };
        listen_for_signals(self.stopping);
        info!("payments go to the sandbox gateway: no money moves");
        warn_of_links(&settings.http);
        info!(
            connections = self.capacity.connections,
            descriptors = self.capacity.descriptors,
            "at most this many connections are open at once"
        );
        info!(address = %self.address, "listening");
        self.accepting
            .await
            .context("the task that accepts connections has panicked")?;

        let patience = settings.http.shutdown;
        let began = Instant::now();
        info!(
            patience_seconds = patience.as_secs(),
            "stopping: waiting for running requests"
        );
        let connections_closed = timeout(patience, self.places.all_free()).await.is_ok();
        self.answering.over.cancel();
        let left = patience.saturating_sub(began.elapsed()).max(Duration::from_secs(1));
        let engine_drained = server.stop(left).await;
        if connections_closed && engine_drained {
            info!("stopped");
        } else {
            warn!(
                "stopped before every request was finished; the next start works off the deadlines of those requests"
            );
        }
        Ok(())
    }
}

/// Answers scrapes, also while the server stops, until the returned handle is dropped.
fn show(
    metrics: &ShownMetrics,
    listener: TcpListener,
    settings: &ConnectionSettings,
) -> anyhow::Result<AbortOnDropHandle<()>> {
    metrics.announce(
        listener
            .local_addr()
            .context("the listener of the metrics has no address")?,
    );
    let answering = Arc::new(Answering::new(
        metrics.route(),
        None,
        patience(settings),
        AnswerInOurWords(Arc::new(SystemIds::new())),
        CancellationToken::new(),
    ));
    let mut doorkeeper = Doorkeeper::new(answering, Places::new(SCRAPERS));
    let accepting = async move { doorkeeper.accept(listener).await };
    Ok(AbortOnDropHandle::new(tokio::spawn(accepting)))
}

fn patience(settings: &ConnectionSettings) -> Patience {
    Patience {
        head: settings.head,
        next_request: settings.keep_alive,
        reading: READING,
    }
}
