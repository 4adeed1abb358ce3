//! Services in containers, where an engine such as Docker answers.
//!
//! No engine, or no image, is not an error: then it is the turn of the next place. Removing a container needs the
//! `docker` command, for by then this process is gone.

use std::mem;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use testcontainers::core::client::docker_client_instance;
use testcontainers::core::{ContainerPort, IntoContainerPort};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerRequest, GenericImage, ImageExt};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::OnceCell;
use tokio::time::{sleep, timeout};

use crate::kind::Kind;
use crate::packages;
use crate::ports::Port;
use crate::watchdog::Watchdog;

const TO_ANSWER: Duration = Duration::from_secs(3);
/// Long enough to fetch an image over a slow line.
const TO_START: Duration = Duration::from_secs(180);
const TO_COME_UP: Duration = Duration::from_secs(60);
const BETWEEN_PROBES: Duration = Duration::from_millis(100);

/// The client of the engine belongs to a runtime; a test's own ends with the test.
static RUNTIME: LazyLock<std::io::Result<Runtime>> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build());

/// The command that removes containers, if there is an engine at all. Asked once for all services.
static ENGINE: OnceCell<Option<PathBuf>> = OnceCell::const_new();

/// A service in a container, which is removed when this is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) address: String,
    _watchdog: Watchdog,
    _port: Option<Port>,
}

/// Starts a service in a container; nothing where there is no engine.
pub(crate) async fn start(kind: Kind) -> Result<Option<Container>> {
    let Some(docker) = ENGINE.get_or_init(engine).await else {
        return Ok(None);
    };
    let runtime = RUNTIME
        .as_ref()
        .context("cannot make a runtime for the engine's client")?;
    runtime.spawn(run(kind, docker)).await.context("it panicked")?.map(Some)
}

async fn engine() -> Option<PathBuf> {
    let docker = packages::on_path("docker").or_else(|| packages::on_path("podman"))?;
    let asked = async { docker_client_instance().await.ok()?.ping().await.ok() };
    let runtime = RUNTIME.as_ref().ok()?;
    let answer = runtime.spawn(timeout(TO_ANSWER, asked)).await.ok()?.ok()?;
    answer.map(|_| docker)
}

async fn run(kind: Kind, docker: &'static Path) -> Result<Container> {
    let port = Port::free()?;
    let (request, inside) = request(kind, port.number());
    let container = timeout(TO_START, request.start())
        .await
        .context("fetching its image and starting it takes too long")??;
    let watchdog = Watchdog::that_removes_container(docker, container.id())?;
    let host = container.get_host().await?;
    let outside = container.get_host_port_ipv4(inside).await?;
    // The watchdog removes it, also where no destructor runs.
    mem::forget(container);

    let address = kind.url(format_args!("{host}:{outside}"));
    let began = Instant::now();
    while let Err(reason) = kind.ask(&address).await {
        if began.elapsed() > TO_COME_UP {
            bail!("its container does not answer after {TO_COME_UP:?}: {reason:#}");
        }
        sleep(BETWEEN_PROBES).await;
    }
    Ok(Container {
        address,
        _watchdog: watchdog,
        _port: matches!(kind, Kind::Broker).then_some(port),
    })
}

/// What to run, and the port inside it. A broker has to tell clients its port outside, so that is chosen beforehand.
fn request(kind: Kind, port: u16) -> (ContainerRequest<GenericImage>, ContainerPort) {
    match kind {
        Kind::Postgres => {
            let image = GenericImage::new("postgres", "16-alpine").with_exposed_port(5432.tcp());
            let request = image.with_env_var("POSTGRES_HOST_AUTH_METHOD", "trust").with_cmd([
                "postgres",
                "-c",
                "max_connections=200",
                "-c",
                "fsync=off",
            ]);
            (request, 5432.tcp())
        }
        Kind::Redis => {
            let image = GenericImage::new("redis", "7-alpine").with_exposed_port(6379.tcp());
            (
                image.with_cmd(["redis-server", "--databases", "512", "--save", ""]),
                6379.tcp(),
            )
        }
        Kind::Broker => {
            let image = GenericImage::new("redpandadata/redpanda", "v24.3.1");
            let advertised = format!("--advertise-kafka-addr=127.0.0.1:{port}");
            let request = image.with_mapped_port(port, 9092.tcp()).with_cmd([
                "redpanda",
                "start",
                "--mode=dev-container",
                "--smp=1",
                "--memory=1G",
                "--kafka-addr=0.0.0.0:9092",
                &advertised,
            ]);
            (request, 9092.tcp())
        }
    }
}
