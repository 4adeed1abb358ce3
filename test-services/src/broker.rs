//! A broker with the Kafka API: the one that tests share, and private ones for tests that break it.

mod jars;
mod server;

use std::net::ToSocketAddrs;
use std::ops::Deref;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::sync::OnceCell;

use crate::finding::{self, Found, NotFound, Source};
use crate::kind::Kind;
use crate::own_process::{OwnProcess, blocking};
use crate::probe;
use crate::process::Plan;

static SHARED: OnceCell<Result<Broker, String>> = OnceCell::const_new();

/// What the tests of this process share. Each test takes topics and groups with names of its own.
#[derive(Debug, Clone)]
pub enum Broker {
    Real(RealBroker),
    /// There is neither a broker nor the means to start one: the client library's mock cluster has to do.
    /// Never in CI, where this is an error.
    Mock(MockBroker),
}

/// The mock cluster of `rdkafka`, in this process.
#[derive(Debug, Clone)]
pub struct MockBroker {
    bootstrap: String,
}

/// A broker that speaks over a socket.
#[derive(Debug, Clone)]
pub struct RealBroker {
    found: Arc<Found>,
}

/// Finds the shared broker, or starts it; every call of a process gives the same one.
///
/// # Errors
/// When the one given does not answer; in CI also when none can be started.
pub async fn broker() -> Result<Broker> {
    finding::once(&SHARED, find()).await
}

async fn find() -> Result<Broker> {
    match finding::find(Kind::Broker).await {
        Ok(found) => Ok(Broker::Real(RealBroker { found: Arc::new(found) })),
        Err(NotFound::NothingToStart(_, reason)) if !is_ci() => {
            finding::tell(&format!("only rdkafka's mock cluster as the broker, for: {reason:#}"));
            Ok(Broker::Mock(MockBroker::start()?))
        }
        Err(reason) => Err(reason.into()),
    }
}

/// Where nobody looks at the output, what is missing is a failure.
fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty())
}

pub(crate) fn plan() -> Result<Plan> {
    server::plan()
}

pub(crate) async fn ask(brokers: &str) -> Result<String> {
    let brokers = brokers.to_owned();
    blocking(move || answers(&brokers)).await?;
    Ok("a Kafka-API broker".to_owned())
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

impl Broker {
    /// The brokers to begin with, for `bootstrap.servers`.
    pub fn bootstrap(&self) -> &str {
        match self {
            Self::Real(broker) => broker.bootstrap(),
            Self::Mock(broker) => &broker.bootstrap,
        }
    }
}

impl MockBroker {
    /// Lives in a thread of its own, as long as the process does.
    fn start() -> Result<Self> {
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let cluster = rdkafka::mocking::MockCluster::new(1);
            drop(
                tell.send(
                    cluster
                        .as_ref()
                        .map(rdkafka::mocking::MockCluster::bootstrap_servers)
                        .map_err(ToString::to_string),
                ),
            );
            loop {
                std::thread::park();
            }
        });
        let bootstrap = told.recv().context("the thread of the mock cluster has ended")?;
        let bootstrap = bootstrap.map_err(|error| anyhow::anyhow!("the mock cluster cannot be made: {error}"))?;
        Ok(Self { bootstrap })
    }
}

impl RealBroker {
    /// The brokers to begin with, for `bootstrap.servers`.
    pub fn bootstrap(&self) -> &str {
        &self.found.address
    }

    pub fn source(&self) -> Source {
        self.found.source
    }

    /// Its name and version.
    pub fn version(&self) -> &str {
        &self.found.name
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
        let (address, process) = OwnProcess::start(server::plan).await?;
        let bootstrap = Kind::Broker.url(address);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mock_cluster_answers_where_it_says() {
        let broker = Broker::Mock(MockBroker::start().unwrap());
        answers(broker.bootstrap()).unwrap();
    }
}
