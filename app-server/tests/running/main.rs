//! The ways to run a server, and what the server says if it cannot run.

#[path = "../support/mod.rs"]
mod support;

mod by_hand;
mod damaged;
mod readme;
mod roles;

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use box_office_tests::client::{self, Ask, Connection};
use serde_json::Value;
use support::Installation;
use tempfile::TempDir;

/// How long a server may take to listen or to end, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that runs `app-server` with any command, and its log. The process is killed when this value is dropped.
struct Process {
    child: Child,
    folder: TempDir,
}

impl Process {
    fn start(installation: &Installation, arguments: &[&str]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let variables = installation.variables.iter().map(|(name, value)| (name, value));
        let child = Command::new(env!("CARGO_BIN_EXE_app-server"))
            .env_clear()
            .envs(variables)
            .env("HTTP_ADDR", "127.0.0.1:0")
            .args(arguments)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("log"))?)
            .spawn()?;
        Ok(Self { child, folder })
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until the server listens, and returns its URL.
    fn url(&mut self) -> anyhow::Result<String> {
        let patience = Instant::now() + PATIENCE;
        loop {
            let log = self.log();
            let told = log
                .split_once("listening")
                .and_then(|(_, rest)| rest.split_once("address="));
            if let Some(address) = told.and_then(|(_, rest)| rest.split_whitespace().next()) {
                return Ok(format!("http://{address}"));
            }
            let ended = self.child.try_wait()?;
            ensure!(
                ended.is_none() && Instant::now() < patience,
                "the process does not listen ({ended:?}):\n{log}"
            );
            std::thread::yield_now();
        }
    }

    /// Waits until the process ends by itself. Returns the line in which it says why, and its exit code.
    fn end(&mut self) -> anyhow::Result<(String, Option<i32>)> {
        let patience = Instant::now() + PATIENCE;
        loop {
            if let Some(ended) = self.child.try_wait()? {
                let log = self.log();
                let why = log.lines().find(|line| line.starts_with("app-server: "));
                return Ok((
                    why.context("the process gave no reason for ending")?.to_owned(),
                    ended.code(),
                ));
            }
            ensure!(Instant::now() < patience, "the process does not end:\n{}", self.log());
            std::thread::yield_now();
        }
    }

    /// Stops the server as an operator does, with SIGTERM.
    fn stop(&mut self) -> anyhow::Result<()> {
        let id = self.child.id().to_string();
        ensure!(Command::new("kill").args(["-TERM", &id]).status()?.success());
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

async fn get(url: &str, path: &str) -> anyhow::Result<(u16, Value)> {
    let mut connection = Connection::new(url.parse()?);
    let answer = connection.ask(Ask::get(client::path(path.to_owned()))).await?;
    Ok((
        answer.status.as_u16(),
        serde_json::from_slice(&answer.body).unwrap_or_default(),
    ))
}
