//! Prepares Apache Kafka as a process: one node that is broker and controller, without ZooKeeper.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use super::jars;
use crate::kind::Kind;
use crate::ports::Port;
use crate::process::{self, Plan, Recipe};
use crate::{packages, probe};

const OLDEST_JAVA: u32 = 17;
/// Kafka requires a cluster id of 22 characters.
const CLUSTER: &str = "Ym94LW9mZmljZS10ZXN0cw";

/// Prepares a broker with an empty log in a temporary folder.
pub(crate) fn plan() -> Result<Plan> {
    let programs = Programs::find()?;
    let controller = Port::free()?;
    let port = Port::free()?;
    let folder = process::folder("kafka", None)?;
    let recipe = recipe(&programs, folder.path(), port.address(), controller.address())?;
    Ok(Plan {
        recipe,
        folder,
        ports: vec![port, controller],
        known_as: Some(format!("Apache Kafka {}", jars::KAFKA)),
    })
}

/// The paths of Java and of the folder with the jars of Kafka.
#[derive(Debug)]
struct Programs {
    java: PathBuf,
    jars: PathBuf,
}

impl Programs {
    /// Finds Java and the jars. If one of them is missing, installs Java or fetches the jars first.
    fn find() -> Result<Self> {
        let java = packages::found_or_installed("Java", &["default-jre-headless"], || packages::on_path("java"))?;
        let output = Command::new(&java)
            .arg("-version")
            .output()
            .with_context(|| format!("cannot start {}", java.display()))?;
        match version_of_java(&String::from_utf8_lossy(&output.stderr)) {
            Some(version) if version >= OLDEST_JAVA => {}
            Some(version) => bail!(
                "Java {OLDEST_JAVA} or newer is needed, but {} has version {version}",
                java.display()
            ),
            None => bail!("{} does not print its version", java.display()),
        }
        Ok(Self {
            java,
            jars: jars::fetched()?,
        })
    }

    fn arguments(&self, class: &str) -> Vec<OsString> {
        let options = [
            "-Xmx512m",
            "-XX:+UseSerialGC",
            // Limits Java to its simplest compiler. Java then starts in half the time, and tests are too short to
            // need faster code.
            "-XX:TieredStopAtLevel=1",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp",
        ];
        let classes = [self.jars.join("*").into(), class.into()];
        options.map(OsString::from).into_iter().chain(classes).collect()
    }
}

/// Writes the settings of a broker to the folder, makes an empty log there, and returns how to start the broker.
fn recipe(programs: &Programs, folder: &Path, address: SocketAddr, controller: SocketAddr) -> Result<Recipe> {
    let settings = folder.join("server.properties");
    fs::write(&settings, properties(folder, address, controller))?;
    let mut format = Command::new(&programs.java);
    format
        .args(programs.arguments("kafka.tools.StorageTool"))
        .args(["format", "--cluster-id", CLUSTER, "--config"])
        .arg(&settings);
    process::run(&mut format)?;

    let mut command = vec![programs.java.clone().into()];
    command.extend(programs.arguments("kafka.Kafka"));
    command.push(settings.into());
    Ok(Recipe {
        service: Kind::Broker.name(),
        command,
        run_as: None,
        address,
        probe: probe::kafka,
        stop: Signal::TERM,
        stop_at_once: Kind::Broker.stop_at_once(),
        to_come_up: Duration::from_secs(90),
    })
}

fn properties(folder: &Path, address: SocketAddr, controller: SocketAddr) -> String {
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{controller}
listeners=PLAINTEXT://{address},CONTROLLER://{controller}
advertised.listeners=PLAINTEXT://{address}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# A broker that was killed is let in again as soon as this has passed.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
",
        folder.join("data").display()
    )
}

/// Reads the first number of a line such as `openjdk version "17.0.15" 2025-04-15`.
fn version_of_java(text: &str) -> Option<u32> {
    let version = text.split('"').nth(1)?;
    version.split(['.', '-', '+']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_java_is_its_first_number() {
        assert_eq!(
            version_of_java("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK"),
            Some(17)
        );
        assert_eq!(version_of_java("openjdk version \"25-ea\" 2025-09-16"), Some(25));
        assert_eq!(version_of_java("java version \"1.8.0_412\""), Some(1));
        assert_eq!(version_of_java("command not found"), None);
    }
}
