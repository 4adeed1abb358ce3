//! Brokers with the API of Apache Kafka: one that tests share, and private ones for tests that stop or kill theirs.

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
use crate::say::tell;
use crate::service::Service;

static SHARED: OnceCell<Result<Broker, String>> = OnceCell::const_new();

/// The broker that the tests of this process share. Each test uses topics and groups with names of its own.
#[derive(Debug, Clone)]
pub enum Broker {
    Real(RealBroker),
    /// The mock cluster of the client library `rdkafka`, used because no broker was found and none can be started. In
    /// CI this is an error instead.
    Mock(MockBroker),
}

/// The mock cluster of `rdkafka`, in this process. A client cannot make topics there, so this type makes them.
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

/// A broker that is reached over a socket.
#[derive(Debug, Clone)]
pub struct RealBroker {
    found: Arc<Found>,
}

/// Finds or starts the shared broker. All calls in one process return the same one.
///
/// # Errors
/// Fails if the broker that an environment variable names does not answer. In CI it also fails if no broker is found
/// and none can be started.
pub async fn broker() -> Result<Broker> {
    finding::once(&SHARED, find()).await
}

async fn find() -> Result<Broker> {
    match finding::find(&SERVICE).await {
        Ok(found) => Ok(Broker::Real(RealBroker { found: Arc::new(found) })),
        Err(NotFound::NothingToStart(_, reason)) if !is_ci() => {
            tell(&format!("only rdkafka's mock cluster as the broker, for: {reason:#}"));
            Ok(Broker::Mock(MockBroker::start()?))
        }
        Err(reason) => Err(reason.into()),
    }
}

/// Returns whether the tests run in CI. Nobody reads the messages there, so a missing service is an error.
fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty())
}

pub(crate) static SERVICE: Service = Service {
    kind: Kind::Broker,
    plan: server::plan,
    plan_durable: server::plan,
    ask: |brokers| Box::pin(ask(brokers)),
};

async fn ask(brokers: &str) -> Result<String> {
    let brokers = brokers.to_owned();
    blocking(move || answers(&brokers)).await?;
    Ok("a Kafka-API broker".to_owned())
}

/// Succeeds if one of the brokers answers. One is enough, because a client learns from it where the others are.
fn answers(brokers: &str) -> Result<()> {
    let mut refusal = anyhow::anyhow!("the list of brokers is empty");
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
    /// Returns the addresses by which a Kafka client finds the broker, as in its setting `bootstrap.servers`.
    pub fn bootstrap(&self) -> &str {
        match self {
            Self::Real(broker) => broker.bootstrap(),
            Self::Mock(broker) => broker.bootstrap(),
        }
    }
}

impl MockBroker {
    /// Starts a cluster of one broker in a thread of its own. The thread ends when the last clone is dropped.
    ///
    /// # Errors
    /// Fails if the client library cannot make the cluster.
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

    /// Makes topics. Topics of a real broker are made over its API instead.
    ///
    /// # Errors
    /// Fails if one of the topics exists already.
    pub fn make_topics(&self, names: &[String], partitions: u32) -> Result<()> {
        for name in names {
            let (say_made, made) = mpsc::channel();
            let wanted = NewTopic {
                name: name.clone(),
                partitions: partitions
                    .try_into()
                    .context("the number of partitions is out of range")?,
                made: say_made,
            };
            let ended = "the thread of the mock cluster has ended";
            self.topics.send(wanted).context(ended)?;
            let outcome = made.recv().context(ended)?;
            outcome.with_context(|| format!("the mock cluster does not make the topic {name}"))?;
        }
        Ok(())
    }

    /// Returns the addresses by which a Kafka client finds the broker, as in its setting `bootstrap.servers`.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }
}

impl RealBroker {
    /// Returns the addresses by which a Kafka client finds the broker, as in its setting `bootstrap.servers`.
    pub fn bootstrap(&self) -> &str {
        &self.found.address
    }

    pub fn source(&self) -> Source {
        self.found.source
    }

    /// The name and version of the service.
    pub fn version(&self) -> &str {
        &self.found.name
    }
}

/// A broker that one test alone uses, and may stop and kill: one node of Apache Kafka. It does not create topics
/// automatically.
#[derive(Debug, Clone)]
pub struct OwnedBroker {
    bootstrap: String,
    process: OwnProcess,
}

impl OwnedBroker {
    /// Starts a broker with an empty log on a free port. It ends when the last clone is dropped.
    ///
    /// # Errors
    /// Fails if Java or Apache Kafka is missing and cannot be installed, or the broker does not start.
    pub async fn start() -> Result<Self> {
        let (address, process) = OwnProcess::start(server::plan).await.context(
            "a broker that is stopped and killed has to be Apache Kafka as a process of this machine; rdkafka's mock cluster \
             keeps nothing and does not come back",
        )?;
        let bootstrap = Kind::Broker.url(address);
        Ok(Self { bootstrap, process })
    }

    /// Returns the address of the service. It is the same after every start.
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
