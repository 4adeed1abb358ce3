//! Starts Redis's own program.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use rustix::process::Signal;

use crate::ports::Port;
use crate::process::{self, Process, Recipe};
use crate::{packages, probe};

/// Tests that take a whole database each do not run out of these.
const DATABASES: u16 = 512;

/// What a crash may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Every write waits for the disk.
    Kept,
    /// Nothing is written to disk.
    InMemory,
}

pub(crate) fn url(address: SocketAddr) -> String {
    format!("redis://{address}/")
}

pub(crate) fn start(port: Port, durability: Durability) -> Result<Process> {
    let program = program()?;
    let folder = process::folder("redis", None)?;
    let recipe = recipe(&program, folder.path(), port.address(), durability);
    Process::start(recipe, folder, vec![port])
}

pub(crate) fn recipe(program: &Path, folder: &Path, address: SocketAddr, durability: Durability) -> Recipe {
    let mut command: Vec<OsString> = vec![program.into(), "--dir".into(), folder.into()];
    let databases = DATABASES.to_string();
    let port = address.port().to_string();
    let mut settings = vec![
        "--port",
        &port,
        "--bind",
        "127.0.0.1",
        "--databases",
        &databases,
        "--save",
        "",
    ];
    settings.extend(match durability {
        Durability::Kept => ["--appendonly", "yes", "--appendfsync", "always"],
        Durability::InMemory => ["--appendonly", "no", "--appendfsync", "no"],
    });
    command.extend(settings.into_iter().map(OsString::from));
    Recipe {
        name: "Redis",
        command,
        run_as: None,
        address,
        probe: probe::redis,
        stop: Signal::TERM,
        stop_at_once: Signal::KILL,
        to_come_up: Duration::from_secs(30),
    }
}

/// Finds `redis-server`; installs the package where that is possible.
pub(crate) fn program() -> Result<PathBuf> {
    packages::found_or_installed("Redis", &["redis-server"], || packages::on_path("redis-server"))
}
