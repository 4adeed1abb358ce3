//! Runs `app-server` with any command as a process of its own.

use std::fs::File;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use super::Installation;
use super::waiting::{PATIENCE, Patience};

/// A process that runs `app-server` with any command, and its log. The process is killed when this value is dropped.
pub(crate) struct Process {
    child: Child,
    folder: TempDir,
}

impl Process {
    pub(crate) fn start(installation: &Installation, arguments: &[&str]) -> anyhow::Result<Self> {
        Self::run(Command::new(env!("CARGO_BIN_EXE_app-server")), installation, arguments)
    }

    /// Starts a server that may open only `descriptors` files and connections.
    pub(crate) fn start_with_descriptors(descriptors: u32, installation: &Installation) -> anyhow::Result<Self> {
        let mut shell = Command::new("/bin/sh");
        let limited = format!(r#"ulimit -n {descriptors}; exec "$0" "$@""#);
        shell.args(["-c", &limited, env!("CARGO_BIN_EXE_app-server")]);
        Self::run(shell, installation, &["serve"])
    }

    fn run(mut command: Command, installation: &Installation, arguments: &[&str]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let variables = installation.variables.iter().map(|(name, value)| (name, value));
        let child = command
            .env_clear()
            .env(super::MANY_HOLDS.0, super::MANY_HOLDS.1)
            .envs(variables)
            .env("HTTP_ADDR", "127.0.0.1:0")
            .args(arguments)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("log"))?)
            .spawn()?;
        Ok(Self { child, folder })
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until the server listens, and returns its URL.
    pub(crate) fn url(&mut self) -> anyhow::Result<String> {
        let patience = Patience::new();
        loop {
            let log = self.log();
            let told = log
                .split_once("listening")
                .and_then(|(_, rest)| rest.split_once("address="));
            if let Some(address) = told.and_then(|(_, rest)| rest.split_whitespace().next()) {
                return Ok(format!("http://{address}"));
            }
            let ended = self.child.try_wait()?;
            ensure!(ended.is_none(), "the process has ended ({ended:?}):\n{log}");
            patience.block(|| format!("the process does not listen:\n{log}"))?;
        }
    }

    /// Waits until the process ends by itself. Returns the line in which it says why, and its exit code.
    pub(crate) fn end(&mut self) -> anyhow::Result<(String, Option<i32>)> {
        let ended = self.ends_within(PATIENCE)?;
        let log = self.log();
        let why = log.lines().find(|line| line.starts_with("app-server: "));
        Ok((
            why.context("the process gave no reason for ending")?.to_owned(),
            ended.code(),
        ))
    }

    /// Returns the id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) -> anyhow::Result<()> {
        let id = self.id().to_string();
        ensure!(
            Command::new("kill")
                .args([&format!("-{name}"), &id])
                .status()?
                .success()
        );
        Ok(())
    }

    /// Waits until the log has a text.
    pub(crate) fn says(&self, text: &str) -> anyhow::Result<()> {
        let patience = Patience::new();
        while !self.log().contains(text) {
            patience.block(|| format!("the log never says {text:?}:\n{}", self.log()))?;
        }
        Ok(())
    }

    /// Waits until the process has ended, for at most `patience`.
    pub(crate) fn ends_within(&mut self, patience: Duration) -> anyhow::Result<ExitStatus> {
        let patience = Patience::of(patience);
        loop {
            if let Some(ended) = self.child.try_wait()? {
                return Ok(ended);
            }
            patience.block(|| format!("the process does not end:\n{}", self.log()))?;
        }
    }

    /// Stops the server as an operator does, with SIGTERM.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        self.signal("TERM")?;
        let ended = self.child.wait()?;
        ensure!(ended.success(), "{ended}\n{}", self.log());
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
