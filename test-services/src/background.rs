//! Services that outlive the process that starts them, for a developer's hands and for a whole run of tests.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Signal, kill_process};

use crate::finding::{self, Source};
use crate::kind::Kind;
use crate::own_process::blocking;
use crate::state::{Entry, State};
use crate::{postgres, process, url};

const TO_STOP: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// The databases of the server, each after the variable that names it.
const DATABASES: [(&str, &str); 4] = [
    ("DATABASE_URL_EVENTS", "ticketing_events"),
    ("DATABASE_URL_PROJECTIONS", "ticketing_projections"),
    ("DATABASE_URL_ANALYTICS", "ticketing_analytics"),
    ("DATABASE_URL_AUTH", "ticketing_auth"),
];

/// A service that is given or was started, and what it says of itself.
#[derive(Debug)]
pub struct Part {
    pub kind: Kind,
    pub source: Source,
    /// A URL, or the `host:port` of a broker.
    pub address: String,
    /// Its name and version, or why it does not answer.
    pub answer: Result<String>,
}

impl Part {
    /// The variable by which tests find it.
    pub fn variable_for_tests(&self) -> (&'static str, String) {
        (self.kind.variable(), self.address.clone())
    }

    /// The variables by which the server finds it.
    ///
    /// # Errors
    /// When its address is not a URL of its kind.
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

    /// Writes down in another folder what it started, so that it does not meet the workspace's.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            state: State::in_folder(folder.to_owned()),
            durable: false,
        }
    }

    /// Lets the commits of the PostgreSQL that it starts wait for the disk. What is up already stays as it is.
    #[must_use]
    pub fn durable(self) -> Self {
        Self { durable: true, ..self }
    }

    /// Starts a service unless a variable gives it or it runs already, and waits until it answers. In PostgreSQL it
    /// creates the server's databases.
    ///
    /// # Errors
    /// When the service does not answer where a variable says, or cannot be started.
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
                self.look(kind).await?.context("what was started is not written down")?
            }
        };
        if kind == Kind::Postgres {
            for (_, database) in DATABASES {
                postgres::ensure_database(&part.address, database).await?;
            }
        }
        Ok(part)
    }

    /// What is given or was started, and whether it answers.
    ///
    /// # Errors
    /// When what was written down cannot be read.
    pub async fn look(&self, kind: Kind) -> Result<Option<Part>> {
        let (address, source, known_as) = if let Some(address) = finding::given(kind)? {
            (address, Source::Variable(kind.variable()), None)
        } else if let Some(entry) = self.state.read()?.into_iter().find(|entry| entry.kind == kind) {
            (entry.address, Source::Background, entry.known_as)
        } else {
            return Ok(None);
        };
        let answer = kind.ask(&address).await.map(|name| known_as.unwrap_or(name));
        Ok(Some(Part {
            kind,
            source,
            address,
            answer,
        }))
    }

    /// Stops what was started, removes its data, and says what that was. What a variable gives is left alone.
    ///
    /// # Errors
    /// When a service does not stop; it stays written down.
    pub fn down(&self) -> Result<Vec<Kind>> {
        let _lock = self.state.lock()?;
        let entries = self.state.read()?;
        for (done, entry) in entries.iter().enumerate() {
            discard(entry)?;
            self.state.write(&entries[done + 1..])?;
        }
        Ok(entries.into_iter().map(|entry| entry.kind).collect())
    }

    /// Starts a service in place of one that no longer answers. The caller holds the lock.
    fn start(&self, kind: Kind) -> Result<()> {
        let mut entries = self.state.read()?;
        if let Some(place) = entries.iter().position(|entry| entry.kind == kind) {
            discard(&entries[place])?;
            entries.remove(place);
            self.state.write(&entries)?;
        }
        let plan = if self.durable { kind.plan_durable() } else { kind.plan() }?;
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

/// Ends a service that was written down and removes its folder; either may be gone already.
fn discard(entry: &Entry) -> Result<()> {
    if let Some(pid) = process::pid_in(&entry.folder)? {
        let signal = entry.kind.stop_at_once();
        let began = Instant::now();
        // One that is gone since it was looked at is as good as ended.
        let _ = kill_process(pid, signal);
        while process::pid_in(&entry.folder)?.is_some() {
            if began.elapsed() > TO_STOP {
                let _ = kill_process(pid, Signal::KILL);
            }
            if began.elapsed() > 2 * TO_STOP {
                bail!("{}, process {}, does not stop", entry.kind, pid.as_raw_pid());
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
