//! A broker with the Kafka API: the one that tests share, and private ones for tests that break it.

mod jars;
mod server;

use std::net::ToSocketAddrs;
use std::ops::Deref;

use anyhow::{Context, Result};
use tokio::sync::OnceCell;

use crate::own_process::{OwnProcess, blocking};
use crate::ports::Port;
use crate::probe;
use crate::source::{self, Found, Source};

/// The brokers to begin with, as `host:port`, several separated by commas.
pub const VARIABLE: &str = "TEST_REDPANDA_BROKERS";

static SHARED: OnceCell<Result<Broker, String>> = OnceCell::const_new();

/// What the tests of this process share. Each test takes topics and groups with names of its own.
#[derive(Debug, Clone)]
pub enum Broker {
    Real(RealBroker),
    /// There is neither a broker nor the means to start one: the client library's mock cluster has to do.
    /// Never in CI, where this is an error.
    Mock,
}

/// A broker that speaks over a socket.
#[derive(Debug, Clone)]
pub struct RealBroker {
    bootstrap: String,
    source: Source,
    version: String,
    _process: Option<OwnProcess>,
}

/// Finds the shared broker, or starts it; every call of a process gives the same one.
///
/// # Errors
/// When the one given does not answer; in CI also when none can be started.
pub async fn broker() -> Result<Broker> {
    source::once(&SHARED, find()).await
}

async fn find() -> Result<Broker> {
    if let Some(Found { address, source }) = source::given(VARIABLE)? {
        let brokers = address.clone();
        blocking(move || answers(&brokers))
            .await
            .with_context(|| format!("the Kafka-API broker ({source})"))?;
        return Ok(real("a Kafka-API broker", "", address, source, None));
    }
    match start().await {
        Ok((bootstrap, process)) => Ok(real(
            "Apache Kafka",
            jars::KAFKA,
            bootstrap,
            Source::OwnProcess,
            Some(process),
        )),
        Err(reason) if source::is_ci() => Err(reason),
        Err(reason) => {
            source::tell(&format!("only the client library's mock of a broker, for {reason:#}"));
            Ok(Broker::Mock)
        }
    }
}

fn real(name: &str, version: &str, bootstrap: String, source: Source, process: Option<OwnProcess>) -> Broker {
    source::announce(name, version, source);
    Broker::Real(RealBroker {
        bootstrap,
        source,
        version: format!("{name} {version}").trim_end().to_owned(),
        _process: process,
    })
}

async fn start() -> Result<(String, OwnProcess)> {
    let port = Port::free()?;
    let bootstrap = port.address().to_string();
    let process = OwnProcess::start(move || server::start(port)).await?;
    Ok((bootstrap, process))
}

/// Succeeds when one of the brokers does; the others are the client's to find.
fn answers(brokers: &str) -> Result<()> {
    let mut refusal = anyhow::anyhow!("no broker is named");
    for broker in brokers.split(',') {
        let addresses = broker.trim().to_socket_addrs();
        for address in addresses.with_context(|| format!("{broker} is not the address of a broker"))? {
            match probe::kafka(address) {
                Ok(()) => return Ok(()),
                Err(error) => refusal = error.into(),
            }
        }
    }
    Err(refusal)
}

impl RealBroker {
    /// The brokers to begin with, for `bootstrap.servers`.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    pub fn source(&self) -> Source {
        self.source
    }

    /// Its name and version.
    pub fn version(&self) -> &str {
        &self.version
    }
}

/// A broker for one test to stop and to kill: one node of Apache Kafka. Topics are not created by themselves.
#[derive(Debug, Clone)]
pub struct OwnedBroker {
    bootstrap: String,
    process: OwnProcess,
}

impl OwnedBroker {
    /// Starts a broker on a free port, with a log of its own; it is gone when the last clone is.
    ///
    /// # Errors
    /// When Java or Apache Kafka cannot be had, or it does not come up.
    pub async fn start() -> Result<Self> {
        let (bootstrap, process) = start().await?;
        Ok(Self { bootstrap, process })
    }

    /// The same after every start.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }
}

impl Deref for OwnedBroker {
    type Target = OwnProcess;

    fn deref(&self) -> &OwnProcess {
        &self.process
    }
}
