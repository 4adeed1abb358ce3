//! A broker with the Kafka API: the one that tests share, and private ones for tests that break it.

mod jars;
mod server;

use std::net::ToSocketAddrs;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;

use anyhow::{Context, Result};
use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
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

/// The mock cluster of `rdkafka`, in this process. Nobody can make topics over its API, so they are made here.
#[derive(Debug, Clone)]
pub struct MockBroker {
    bootstrap: String,
    topics: Sender<NewTopic>,
}

#[derive(Debug)]
struct NewTopic {
    name: String,
    partitions: i32,
    made: Sender<Result<(), KafkaError>>,
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
            Self::Mock(broker) => broker.bootstrap(),
        }
    }
}

impl MockBroker {
    /// Starts a cluster of one broker in a thread of its own, which ends with the last clone.
    ///
    /// # Errors
    /// When the client library cannot make it.
    pub fn start() -> Result<Self> {
        let (say_started, started) = mpsc::channel();
        let (topics, wanted) = mpsc::channel::<NewTopic>();
        thread::spawn(move || {
            let cluster = match MockCluster::new(1) {
                Ok(cluster) => cluster,
                Err(error) => return drop(say_started.send(Err(error))),
            };
            drop(say_started.send(Ok(cluster.bootstrap_servers())));
            for NewTopic { name, partitions, made } in wanted {
                drop(made.send(cluster.create_topic(&name, partitions, 1)));
            }
        });
        let bootstrap = started.recv().context("the thread of the mock cluster has ended")?;
        let bootstrap = bootstrap.context("the mock cluster cannot be made")?;
        Ok(Self { bootstrap, topics })
    }

    /// Makes topics; a real broker is asked for that over its API.
    ///
    /// # Errors
    /// When one of them is there already.
    pub fn make_topics(&self, names: &[String], partitions: u32) -> Result<()> {
        for name in names {
            let (say_made, made) = mpsc::channel();
            let wanted = NewTopic {
                name: name.clone(),
                partitions: partitions.try_into().context("so many partitions")?,
                made: say_made,
            };
            let ended = "the thread of the mock cluster has ended";
            self.topics.send(wanted).context(ended)?;
            let outcome = made.recv().context(ended)?;
            outcome.with_context(|| format!("the mock cluster does not make the topic {name}"))?;
        }
        Ok(())
    }

    /// The brokers to begin with, for `bootstrap.servers`.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
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
        let (address, process) = OwnProcess::start(server::plan).await.context(
            "a broker that is stopped and killed has to be Apache Kafka as a process of this machine; rdkafka's mock cluster \
             keeps nothing and does not come back",
        )?;
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
