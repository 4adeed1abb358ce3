//! Services in containers, if an engine such as Docker answers.
//!
//! A missing engine or image is not an error: within seconds this process starts the service without a container
//! instead. The `docker` command removes a container after the process that uses it has ended.

use std::hash::{BuildHasher, RandomState};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use futures::{Stream, TryStreamExt};
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as EngineError;
use testcontainers::bollard::query_parameters::CreateImageOptionsBuilder;
use testcontainers::core::client::docker_client_instance;
use testcontainers::core::{ContainerPort, IntoContainerPort};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::OnceCell;
use tokio::time::{sleep, timeout};

use crate::kind::Kind;
use crate::own_process::blocking;
use crate::ports::Port;
use crate::process::last_lines;
use crate::say::tell;
use crate::service::Service;
use crate::watchdog::Watchdog;
use crate::{packages, process};

const TO_ANSWER: Duration = Duration::from_secs(3);
/// How long the registry may report no progress before it counts as unreachable.
const TO_GO_ON_FETCHING: Duration = Duration::from_secs(10);
/// How long fetching an image may take. It is enough for a slow connection.
const TO_FETCH: Duration = Duration::from_secs(180);
const TO_START: Duration = Duration::from_secs(60);
const TO_COME_UP: Duration = Duration::from_secs(60);
const BETWEEN_PROBES: Duration = Duration::from_millis(100);
/// The host on which an engine of this machine opens ports, unless this process runs in a container itself.
const HERE: &str = "127.0.0.1";

/// The runtime on which the client of the container engine runs. The runtime of a test would end with that test.
static RUNTIME: LazyLock<std::io::Result<Runtime>> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build());

/// The path of the command that removes containers; `None` if there is no engine. It is looked up once for all
/// services.
static ENGINE: OnceCell<Option<PathBuf>> = OnceCell::const_new();

/// A service in a container. The container is removed when the value is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) address: String,
    _watchdog: Watchdog,
    _port: Option<Port>,
}

/// Starts a service in a container; `None` if there is no engine.
pub(crate) async fn start(service: &'static Service) -> Result<Option<Container>> {
    let Some(docker) = ENGINE.get_or_init(engine).await else {
        return Ok(None);
    };
    let runtime = RUNTIME
        .as_ref()
        .context("cannot make a runtime for the engine's client")?;
    runtime
        .spawn(run(service, docker))
        .await
        .context("the task panicked")?
        .map(Some)
}

async fn engine() -> Option<PathBuf> {
    let docker = packages::on_path("docker").or_else(|| packages::on_path("podman"))?;
    let asked = async { docker_client_instance().await.ok()?.ping().await.ok() };
    let runtime = RUNTIME.as_ref().ok()?;
    let answer = runtime.spawn(timeout(TO_ANSWER, asked)).await.ok()?.ok()?;
    answer.map(|_| docker)
}

async fn run(service: &'static Service, docker: &'static Path) -> Result<Container> {
    let kind = service.kind;
    let (image, tag) = image(kind);
    fetch(&docker_client_instance().await?, image, tag).await?;

    let mut started = Started::at(HERE, kind, docker).await?;
    let host = started.host().await?;
    if host != HERE && matches!(kind, Kind::Broker) {
        // Under which host clients reach a container is known only once one has started. A broker must be told that
        // host, so it is started a second time.
        drop(started);
        started = Started::at(&host, kind, docker).await?;
    }

    let port = started.container.get_host_port_ipv4(started.inside).await;
    if port.is_err() {
        goes_on(&started.container).await?;
    }
    let port = port?;
    let address = kind.url(format_args!("{host}:{port}"));
    wait_until_it_answers(service, &address, &started.container).await?;
    Ok(Container {
        address,
        _watchdog: started.watchdog,
        _port: matches!(kind, Kind::Broker).then_some(started.port),
    })
}

/// A container whose service may still be starting. Dropping the value removes the container.
struct Started {
    /// No destructor removes the container: the watchdog does, even if this process ends without running destructors.
    container: ManuallyDrop<ContainerAsync<GenericImage>>,
    inside: ContainerPort,
    watchdog: Watchdog,
    port: Port,
}

impl Started {
    async fn at(host: &str, kind: Kind, docker: &'static Path) -> Result<Self> {
        let port = Port::free()?;
        let (request, inside) = request(kind, host, port.number());
        let name = fresh_name();
        // The watchdog starts before the container, so that no container is left behind at whatever moment this process
        // dies.
        let watchdog = Watchdog::that_removes_container(docker, &name)?;
        let container = timeout(TO_START, request.with_container_name(&name).start()).await;
        let container = ManuallyDrop::new(container.context("starting its container takes too long")??);
        if let Err(reason) = blocking(move || seen_by_command(docker, &name)).await {
            ManuallyDrop::into_inner(container).rm().await?;
            return Err(reason);
        }
        Ok(Self {
            container,
            inside,
            watchdog,
            port,
        })
    }

    /// Returns the host on which the engine opens ports. It is never `localhost`, because that may be an IPv6 address
    /// whose port belongs to another container.
    async fn host(&self) -> Result<String> {
        let host = self.container.get_host().await?.to_string();
        Ok(if host == "localhost" { HERE.to_owned() } else { host })
    }
}

/// Lets the engine fetch the image unless the engine has it already. The images are public, so no login is needed.
async fn fetch(engine: &Docker, image: &str, tag: &str) -> Result<()> {
    if engine.inspect_image(&format!("{image}:{tag}")).await.is_ok() {
        return Ok(());
    }
    tell(&format!("the engine fetches {image}:{tag}"));
    let options = CreateImageOptionsBuilder::new().from_image(image).tag(tag).build();
    let fetched = timeout(TO_FETCH, follow(engine.create_image(Some(options), None, None))).await;
    fetched
        .unwrap_or_else(|_| Err(anyhow!("the image has not arrived after {TO_FETCH:?}")))
        .with_context(|| format!("the engine has no image {image}:{tag} and cannot fetch it"))
}

async fn follow<P>(progress: impl Stream<Item = Result<P, EngineError>>) -> Result<()> {
    let mut progress = pin!(progress);
    loop {
        let step = timeout(TO_GO_ON_FETCHING, progress.try_next()).await;
        let step = step.with_context(|| format!("the registry says nothing for {TO_GO_ON_FETCHING:?}"))?;
        if step?.is_none() {
            return Ok(());
        }
    }
}

/// Fails if the `docker` command does not see the container. The command and the client library may use different
/// engines, and then the command could not remove the container.
fn seen_by_command(docker: &Path, name: &str) -> Result<()> {
    process::run(
        Command::new(docker)
            .args(["container", "inspect", name])
            .stdout(Stdio::null()),
    )
    .with_context(|| format!("{} does not see the container that was started", docker.display()))
}

async fn wait_until_it_answers(
    service: &Service,
    address: &str,
    container: &ContainerAsync<GenericImage>,
) -> Result<()> {
    let began = Instant::now();
    while let Err(reason) = (service.ask)(address).await {
        goes_on(container).await?;
        if began.elapsed() > TO_COME_UP {
            bail!("the container of the service did not answer within {TO_COME_UP:?}: {reason:#}");
        }
        sleep(BETWEEN_PROBES).await;
    }
    Ok(())
}

/// Fails with the last lines of its log if the container has ended.
async fn goes_on(container: &ContainerAsync<GenericImage>) -> Result<()> {
    if container.is_running().await? {
        return Ok(());
    }
    let mut log = container.stdout_to_vec().await?;
    log.extend(container.stderr_to_vec().await?);
    bail!(
        "the container of the service exited while the service started; its output:\n{}",
        last_lines(&String::from_utf8_lossy(&log))
    )
}

fn fresh_name() -> String {
    let random = RandomState::new().hash_one(0_u8);
    format!("box-office-test-{}-{random:016x}", std::process::id())
}

fn image(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Postgres => ("postgres", "16-alpine"),
        Kind::Redis => ("redis", "7-alpine"),
        Kind::Broker => ("redpandadata/redpanda", "v24.3.1"),
    }
}

/// Returns the request for a container with a service of this kind, and the port of the service inside the container.
/// A broker tells clients its address outside of the container, so that address is chosen beforehand.
fn request(kind: Kind, host: &str, port: u16) -> (ContainerRequest<GenericImage>, ContainerPort) {
    let (name, tag) = image(kind);
    let image = GenericImage::new(name, tag);
    match kind {
        Kind::Postgres => {
            let image = image.with_exposed_port(5432.tcp());
            let request = image.with_env_var("POSTGRES_HOST_AUTH_METHOD", "trust");
            let command = ["postgres", "-c", "max_connections=200", "-c", "fsync=off"];
            (request.with_cmd(command), 5432.tcp())
        }
        Kind::Redis => {
            let image = image.with_exposed_port(6379.tcp());
            let command = ["redis-server", "--databases", "512", "--save", ""];
            (image.with_cmd(command), 6379.tcp())
        }
        Kind::Broker => {
            let advertised = format!("--advertise-kafka-addr={host}:{port}");
            let command = [
                "redpanda",
                "start",
                "--mode=dev-container",
                "--smp=1",
                "--memory=1G",
                "--kafka-addr=0.0.0.0:9092",
                &advertised,
            ];
            (image.with_mapped_port(port, 9092.tcp()).with_cmd(command), 9092.tcp())
        }
    }
}
