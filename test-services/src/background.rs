//! Starts and stops services that go on after the process that started them has ended, so that a developer or a whole
//! run of tests can use them again and again.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Signal, kill_process};

use crate::finding::{self, Source};
use crate::kind::Kind;
use crate::own_process::blocking;
use crate::service::Service;
use crate::state::{Entry, State};
use crate::{broker, postgres, process, redis, url};

const TO_STOP: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// The databases of the server, each with the environment variable that gives the server its URL.
const DATABASES: [(&str, &str); 4] = [
    ("DATABASE_URL_EVENTS", "ticketing_events"),
    ("DATABASE_URL_PROJECTIONS", "ticketing_projections"),
    ("DATABASE_URL_ANALYTICS", "ticketing_analytics"),
    ("DATABASE_URL_AUTH", "ticketing_auth"),
];

/// A service that exists already, because an environment variable names it or `services up` has started it, and the
/// answer that it gave when it was asked for its version.
#[derive(Debug)]
pub struct Part {
    pub kind: Kind,
    pub source: Source,
    /// The address of the service: a URL, or `host:port` if the service is a broker.
    pub address: String,
    /// The name and version of the service, or why it does not answer.
    pub answer: Result<String>,
}

impl Part {
    /// Returns the environment variable by which tests find the service, and its value.
    pub fn variable_for_tests(&self) -> (&'static str, String) {
        (self.kind.variable(), self.address.clone())
    }

    /// Returns the environment variables by which the server finds the service, and their values.
    ///
    /// # Errors
    /// Fails if the address is not a valid URL.
    pub fn variables_for_the_server(&self) -> Result<Vec<(&'static str, String)>> {
        match self.kind {
            Kind::Postgres => DATABASES
                .iter()
                .map(|(variable, name)| Ok((*variable, url::with_path(&self.address, name)?)))
                .collect(),
            Kind::Redis => Ok(vec![("REDIS_URL", self.address.clone())]),
            Kind::Broker => Ok(vec![("REDPANDA_BROKERS", self.address.clone())]),
        }
    }
}

/// The services of this workspace that run in the background.
#[derive(Debug, Clone)]
pub struct Background {
    state: State,
    durable: bool,
}

impl Background {
    pub fn of_workspace() -> Self {
        Self {
            state: State::of_workspace(),
            durable: false,
        }
    }

    /// Records in `folder` which services run, so that these services are separate from those of the workspace.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            state: State::in_folder(folder.to_owned()),
            durable: false,
        }
    }

    /// Makes [`up`](Self::up) start PostgreSQL so that each commit waits for the disk. A server that runs already is
    /// not changed.
    #[must_use]
    pub fn durable(self) -> Self {
        Self { durable: true, ..self }
    }

    /// Starts a service of this kind and waits until it answers. Starts nothing if an environment variable names such a
    /// service, or if one runs already. For PostgreSQL, also creates the databases that the ticketing server uses.
    ///
    /// # Errors
    /// Fails if the service that an environment variable names does not answer, or the service cannot be started.
    pub async fn up(&self, kind: Kind) -> Result<Part> {
        let state = self.state.clone();
        let _lock = blocking(move || state.lock()).await?;
        let part = match self.look(kind).await? {
            Some(part) if part.answer.is_ok() => part,
            Some(Part {
                source: Source::Variable(name),
                answer: Err(reason),
                ..
            }) => return Err(reason.context(format!("{kind} does not answer where {name} says"))),
            _ => {
                let background = self.clone();
                blocking(move || background.start(kind)).await?;
                self.look(kind)
                    .await?
                    .context("the service was started, but there is no record of it")?
            }
        };
        if kind == Kind::Postgres {
            for (_, database) in DATABASES {
                postgres::ensure_database(&part.address, database).await?;
            }
        }
        Ok(part)
    }

    /// Returns the service that an environment variable names or that was started, and whether it answers; `None` if
    /// there is none.
    ///
    /// # Errors
    /// Fails if the records cannot be read.
    pub async fn look(&self, kind: Kind) -> Result<Option<Part>> {
        let (address, source, known_as) = if let Some(address) = finding::given(kind)? {
            (address, Source::Variable(kind.variable()), None)
        } else if let Some(entry) = self.state.read()?.into_iter().find(|entry| entry.kind == kind) {
            (entry.address, Source::Background, entry.known_as)
        } else {
            return Ok(None);
        };
        let answer = (service_of(kind).ask)(&address)
            .await
            .map(|name| known_as.unwrap_or(name));
        Ok(Some(Part {
            kind,
            source,
            address,
            answer,
        }))
    }

    /// Stops the services that were started, removes their data, and returns their kinds. Services that an
    /// environment variable names are left alone.
    ///
    /// # Errors
    /// Fails if a service does not stop. Its record is kept.
    pub fn down(&self) -> Result<Vec<Kind>> {
        let _lock = self.state.lock()?;
        let entries = self.state.read()?;
        for (done, entry) in entries.iter().enumerate() {
            discard(entry)?;
            self.state.write(&entries[done + 1..])?;
        }
        Ok(entries.into_iter().map(|entry| entry.kind).collect())
    }

    /// Starts a service and records it. First removes the recorded service of this kind, if there is one, because it
    /// no longer answers. The caller holds the lock on the records.
    fn start(&self, kind: Kind) -> Result<()> {
        let mut entries = self.state.read()?;
        if let Some(place) = entries.iter().position(|entry| entry.kind == kind) {
            discard(&entries[place])?;
            entries.remove(place);
            self.state.write(&entries)?;
        }
        let service = service_of(kind);
        let plan = if self.durable {
            service.plan_durable
        } else {
            service.plan
        };
        let plan = plan()?;
        let entry = Entry {
            kind,
            address: kind.url(plan.recipe.address),
            folder: plan.folder.path().to_owned(),
            known_as: plan.known_as.clone(),
        };
        entries.push(entry.clone());
        self.state.write(&entries)?;
        let started = process::start_in_background(plan);
        if started.is_err() {
            discard(&entry)?;
            entries.pop();
            self.state.write(&entries)?;
        }
        started
    }
}

fn service_of(kind: Kind) -> &'static Service {
    match kind {
        Kind::Postgres => &postgres::SERVICE,
        Kind::Redis => &redis::SERVICE,
        Kind::Broker => &broker::SERVICE,
    }
}

/// Ends a recorded service and removes its folder. The process and the folder may each be gone already.
fn discard(entry: &Entry) -> Result<()> {
    if let Some(pid) = process::pid_in(&entry.folder)? {
        let signal = entry.kind.stop_at_once();
        let began = Instant::now();
        // The process may have ended since it was looked up, so a signal that cannot be sent is no error.
        let _ = kill_process(pid, signal);
        while process::pid_in(&entry.folder)?.is_some() {
            if began.elapsed() > TO_STOP {
                let _ = kill_process(pid, Signal::KILL);
            }
            if began.elapsed() > 2 * TO_STOP {
                bail!(
                    "{}, which runs as process {}, does not stop",
                    entry.kind,
                    pid.as_raw_pid()
                );
            }
            thread::sleep(BETWEEN_LOOKS);
        }
    }
    match fs::remove_dir_all(&entry.folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", entry.folder.display()))
        }
        _ => Ok(()),
    }
}
