//! The command `serve`: listens, answers requests, and stops without dropping a running request.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use adapters_http::{operations, router};
use anyhow::Context as _;
use axum::Router;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::{HttpSettings, Role, Settings};
use crate::wiring::RunningServer;

/// Serves until the process is told to stop by a signal.
///
/// # Errors
/// When the address or the storage cannot be used.
pub async fn serve(settings: &Settings) -> anyhow::Result<()> {
    let listener = listen(&settings.http).await?;
    let public_url = public_url(&settings.http, &listener)?;
    let server = RunningServer::start(settings, &public_url).await?;
    run(settings, listener, server, Router::new()).await
}

pub async fn listen(settings: &HttpSettings) -> anyhow::Result<TcpListener> {
    TcpListener::bind(settings.http_addr)
        .await
        .with_context(|| format!("--http-addr (HTTP_ADDR): cannot listen on {}", settings.http_addr))
}

/// Returns the URL with which links begin: the public URL of the settings. If that is the default, its port is
/// replaced by the port that the server really listens on.
pub fn public_url(settings: &HttpSettings, listener: &TcpListener) -> anyhow::Result<String> {
    let port = listener.local_addr().context("the listener has no address")?.port();
    let url = settings.public_url.as_str();
    Ok(if url == "http://localhost:8080" {
        format!("http://localhost:{port}")
    } else {
        url.to_owned()
    })
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

/// Answers requests, including those for the extra `pages`, until SIGTERM or Ctrl-C. Then finishes the requests that
/// are still running.
///
/// # Errors
/// When the listener fails.
pub async fn run(
    settings: &Settings,
    listener: TcpListener,
    server: RunningServer,
    pages: Router,
) -> anyhow::Result<()> {
    let address = listener.local_addr().context("the listener has no address")?;
    let router = if settings.engine.plays(Role::Http) {
        router(server.http.clone()).merge(pages)
    } else {
        operations(server.http.health.clone())
    };
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            warn!(
                error = &error as &dyn std::error::Error,
                "TCP_NODELAY cannot be set, so small answers on this connection may be delayed"
            );
        }
    });
    let told_to_stop = told_to_stop();
    info!("payments go to the sandbox gateway: no money moves");
    warn_of_links(&settings.http);
    info!(%address, "listening");

    let stopping = CancellationToken::new();
    let told = stopping.clone();
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        told_to_stop.await;
        told.cancel();
    });
    let mut serving = std::pin::pin!(serving.into_future());
    let mut ended = None;
    tokio::select! {
        biased;
        end = &mut serving => ended = Some(end),
        () = stopping.cancelled() => {}
    }
    let patience = settings.http.shutdown;
    let began = Instant::now();
    info!(
        patience_seconds = patience.as_secs(),
        "stopping: waiting for running requests"
    );
    let ended = match ended {
        Some(end) => Some(end),
        None => tokio::time::timeout(patience, serving).await.ok(),
    };
    let connections_closed = ended.is_some();
    let left = patience.saturating_sub(began.elapsed()).max(Duration::from_secs(1));
    let engine_drained = server.stop(left).await;
    ended.transpose().context("the listener failed")?;
    if connections_closed && engine_drained {
        info!("stopped");
    } else {
        warn!("stopped before every request was finished; the next start works off the deadlines of those requests");
    }
    Ok(())
}

/// Listens for SIGTERM and Ctrl-C from now on. The returned future ends when the first of these signals arrives.
fn told_to_stop() -> impl Future<Output = ()> {
    let mut terminate = signal(SignalKind::terminate()).expect("a process can listen to its signals");
    let mut interrupt = signal(SignalKind::interrupt()).expect("a process can listen to its signals");
    async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}
