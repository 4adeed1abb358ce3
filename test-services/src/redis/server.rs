//! Prepares Redis as a process.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use rustix::process::Signal;

use crate::kind::Kind;
use crate::ports::Port;
use crate::process::{self, Plan, Recipe};
use crate::{packages, probe};

/// How many databases the server has. It is enough for tests that each use a whole database.
const DATABASES: u16 = 512;

/// Which writes a crash may lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// A crash loses no write: each waits for the disk.
    Kept,
    /// A crash loses every write: Redis writes nothing to the disk.
    InMemory,
}

/// Prepares a server without data in a temporary folder.
pub(crate) fn plan(durability: Durability) -> Result<Plan> {
    let program = program()?;
    let port = Port::free()?;
    let folder = process::folder("redis", None)?;
    let recipe = recipe(&program, folder.path(), port.address(), durability);
    Ok(Plan {
        recipe,
        folder,
        ports: vec![port],
        known_as: None,
    })
}

fn recipe(program: &Path, folder: &Path, address: SocketAddr, durability: Durability) -> Recipe {
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
        // By default Redis replaces its arguments by a process title. `services up` recognises the process by its
        // arguments, so this is switched off.
        "--set-proc-title",
        "no",
    ];
    settings.extend(match durability {
        Durability::Kept => ["--appendonly", "yes", "--appendfsync", "always"],
        Durability::InMemory => ["--appendonly", "no", "--appendfsync", "no"],
    });
    command.extend(settings.into_iter().map(OsString::from));
    Recipe {
        service: Kind::Redis.name(),
        command,
        run_as: None,
        address,
        probe: probe::redis,
        stop: Signal::TERM,
        stop_at_once: Kind::Redis.stop_at_once(),
        to_come_up: Duration::from_secs(90),
    }
}

/// Returns the path of `redis-server`. Installs the package first if it is missing and that is possible.
fn program() -> Result<PathBuf> {
    packages::found_or_installed("Redis", &["redis-server"], || packages::on_path("redis-server"))
}
