//! Runs a server as a separate process: embedded, or on real services.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod bus;
pub(crate) mod databases;
pub(crate) mod fold;
pub(crate) mod live;
pub(crate) mod load;
pub(crate) mod office;
pub(crate) mod process;
pub(crate) mod readiness;
pub(crate) mod services;
pub(crate) mod waiting;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use waiting::{PATIENCE, Patience};

/// The environment variable that makes a test program act as a server of the build that it names.
pub(crate) const BUILD: &str = "BUILD_OF_THE_SERVER";
/// The environment variable with the arguments of that server, one on each line.
pub(crate) const ARGUMENTS: &str = "ARGUMENTS_OF_THE_SERVER";

/// The environment variables of one installation. Servers that are started with the same variables share all data.
#[derive(Debug, Clone, Default)]
pub(crate) struct Installation {
    pub(crate) variables: Vec<(String, String)>,
    build: Option<&'static str>,
}

/// Few customers play an on-sale, and have more holds than a customer usually may. The limit is there, so that every hold
/// reads what it needs for it, and nobody reaches it.
pub(crate) const MANY_HOLDS: (&str, &str) = ("MAX_LIVE_HOLDS", "100000");

impl Installation {
    pub(crate) fn embedded(folder: &Path) -> Self {
        let url = format!("sqlite:{}", folder.join("box-office.db").display());
        Self::default().with("DATABASE_URL_EVENTS", &url)
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Changes the value of a variable that is set already.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        for (known, old) in &mut self.variables {
            if known == name {
                value.clone_into(old);
            }
        }
    }

    /// Returns the same installation, run by another build of the server. The test program itself acts as that
    /// build: its test `another_build` becomes a server.
    #[must_use]
    pub(crate) fn run_by(mut self, build: &'static str) -> Self {
        self.build = Some(build);
        self
    }

    /// Returns the same installation without a variable.
    #[must_use]
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self
    }

    /// Returns the value of a variable that is set.
    pub(crate) fn variable(&self, name: &str) -> anyhow::Result<&str> {
        let mut variables = self.variables.iter();
        let found = variables.find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.as_str())
            .with_context(|| format!("{name} is not set"))
    }

    /// Runs a command of the server to its end. Returns what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        Ok(self.run_and_log(arguments)?.0)
    }

    /// Runs a command of the server to its end. Returns what it printed and what it logged.
    pub(crate) fn run_and_log(&self, arguments: &[&str]) -> anyhow::Result<(String, String)> {
        let output = self.command(arguments).output()?;
        let logged = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{arguments:?}: {logged}");
        Ok((String::from_utf8_lossy(&output.stdout).into_owned(), logged))
    }

    /// Returns a command that runs the server. The shell ignores the signal XFSZ, so that a file that may not grow
    /// causes an error in the server instead of ending it.
    fn command(&self, arguments: &[&str]) -> Command {
        let variables = self.variables.iter().map(|(name, value)| (name, value));
        if let Some(build) = self.build {
            let mut command = Command::new(std::env::current_exe().expect("the path of the test program is known"));
            command
                .env_clear()
                .env(MANY_HOLDS.0, MANY_HOLDS.1)
                .envs(variables)
                .env(BUILD, build)
                .env(ARGUMENTS, arguments.join("\n"))
                .args(["--exact", "another_build", "--nocapture"]);
            return command;
        }
        let mut command = Command::new("/bin/sh");
        command
            .env_clear()
            .env(MANY_HOLDS.0, MANY_HOLDS.1)
            .envs(variables)
            .args([
                "-c",
                r#"trap "" XFSZ; exec "$0" "$@""#,
                env!("CARGO_BIN_EXE_app-server"),
            ])
            .args(arguments);
        command
    }
}

/// A running server with an event on sale. The process is killed when this value is dropped.
pub(crate) struct Server {
    process: Child,
    folder: TempDir,
    pub(crate) url: String,
    pub(crate) admin_session: String,
    pub(crate) event: String,
}

impl Server {
    /// Starts `app-server demo` on a free port, with `customers` customers signed in.
    pub(crate) fn start(installation: &Installation, customers: usize) -> anyhow::Result<Self> {
        Self::start_at(installation, customers, "127.0.0.1:0")
    }

    /// Starts `app-server demo` on an address, with `customers` customers signed in.
    pub(crate) fn start_at(installation: &Installation, customers: usize, address: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let log = std::fs::File::create(folder.path().join("log"))?;
        let sessions = folder.path().join("sessions");
        let customers = customers.to_string();
        let mut process = installation
            .command(&[
                "demo",
                "--customers",
                &customers,
                "--sessions-file",
                sessions.to_str().context("a path is text")?,
                "--http-addr",
                address,
            ])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let output = process.stdout.take().context("the output is piped")?;
        let (tell, told) = mpsc::channel();
        // Reads the output to its end, because a server would block on a full pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                drop(tell.send(line));
            }
        });
        let mut server = Self {
            process,
            folder,
            url: String::new(),
            admin_session: String::new(),
            event: String::new(),
        };
        while server.url.is_empty() || server.admin_session.is_empty() || server.event.is_empty() {
            let line = told
                .recv_timeout(PATIENCE)
                .map_err(|_| anyhow::anyhow!("the server did not start:\n{}", server.log()))?;
            if let Some(rest) = line.split_once("is open at ").map(|(_, rest)| rest) {
                server.url = rest.split(' ').next().unwrap_or_default().to_owned();
            } else if let Some(session) = line.strip_prefix("ADMIN_SESSION=") {
                server.admin_session = session.to_owned();
            } else if let Some(event) = line.strip_prefix("EVENT=") {
                server.event = event.to_owned();
            }
        }
        let patience = Patience::new();
        while !server.log().contains("listening") {
            patience.block(|| format!("the server does not listen:\n{}", server.log()))?;
        }
        Ok(server)
    }

    /// Returns the id of the server's process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Returns the URL on which the server really listens, which may differ from its public URL.
    pub(crate) fn local_url(&self) -> String {
        let log = self.log();
        let address = log
            .split_once("listening")
            .and_then(|(_, rest)| rest.split_once("address="));
        let address = address.and_then(|(_, rest)| rest.split_whitespace().next());
        address.map_or_else(|| self.url.clone(), |address| format!("http://{address}"))
    }

    pub(crate) fn sessions_file(&self) -> PathBuf {
        self.folder.path().join("sessions")
    }

    pub(crate) fn sessions(&self) -> anyhow::Result<Vec<String>> {
        let text = std::fs::read_to_string(self.sessions_file())?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Stops the server as an operator does, so that it finishes the requests that are under way.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        let id = self.id().to_string();
        ensure!(Command::new("kill").args(["-TERM", &id]).status()?.success());
        let ended = self.process.wait()?;
        ensure!(ended.success(), "{ended}\n{}", self.log());
        Ok(())
    }

    /// Ends the server at once, as if its machine lost power.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Returns the first line of the log that contains something that readers of logs must not learn: the id of a
    /// session, or an e-mail address.
    fn told_too_much(&self) -> Option<String> {
        let sessions = self.sessions().unwrap_or_default();
        let opens = |line: &str| sessions.iter().chain([&self.admin_session]).any(|id| line.contains(id));
        let log = self.log();
        let mut lines = log.lines();
        lines.find(|line| line.contains('@') || opens(line)).map(str::to_owned)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.kill());
        if !std::thread::panicking() && !self.admin_session.is_empty() {
            assert_eq!(
                self.told_too_much(),
                None,
                "the log contains a session id or an e-mail address"
            );
        }
    }
}
