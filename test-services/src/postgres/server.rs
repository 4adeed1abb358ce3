//! Prepares PostgreSQL as a process.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use rustix::process::Signal;

use crate::kind::Kind;
use crate::ports::Port;
use crate::process::{self, Plan, Recipe, User};
use crate::{packages, probe};

/// Which commits a crash of the machine may lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// A crash loses no commit: each waits for the disk.
    Kept,
    /// A crash loses the newest commits, which do not wait for the disk. No test crashes the machine.
    ForgottenByACrash,
}

/// The folders for tables and for the write-ahead log, if these are not in the temporary folder.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    pub(crate) tables: Option<PathBuf>,
    pub(crate) log: Option<PathBuf>,
}

/// Prepares a server with an empty cluster in a temporary folder. Tables and log may be in other places.
pub(crate) fn plan(durability: Durability, places: &Places) -> Result<Plan> {
    let programs = programs()?;
    let user = User::instead_of_root()?;
    let port = Port::free()?;
    let folder = process::folder("postgres", user)?;
    let recipe = recipe(&programs, folder.path(), places, port.address(), user, durability)?;
    Ok(Plan {
        recipe,
        folder,
        ports: vec![port],
        known_as: None,
    })
}

/// Makes an empty cluster in the folder and returns how to start it.
fn recipe(
    programs: &Path,
    folder: &Path,
    places: &Places,
    address: SocketAddr,
    user: Option<User>,
    durability: Durability,
) -> Result<Recipe> {
    let data = places.tables.as_deref().unwrap_or(folder).join("data");
    let mut initdb = Command::new(programs.join("initdb"));
    initdb
        .args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ])
        .args(["--no-sync", "--pgdata"])
        .arg(&data)
        .current_dir(folder);
    if let Some(log) = &places.log {
        // The segments of the log are small, so that a full disk is soon noticed.
        initdb.arg("--wal-segsize=1").arg("--waldir").arg(log.join("log"));
    } else if places.tables.is_some() {
        initdb.arg("--waldir").arg(folder.join("write-ahead-log"));
    }
    process::run(User::applied(user, &mut initdb))?;

    let mut command: Vec<OsString> = vec![programs.join("postgres").into(), "-D".into(), data.into()];
    command.extend(["-p".into(), address.port().to_string().into()]);
    command.extend(["-k".into(), folder.into()]);
    let mut settings = vec![
        "listen_addresses=127.0.0.1",
        "max_connections=1000",
        "shared_buffers=32MB",
        // With this setting the dynamic shared memory is in files in the folder of the data, so that a crash leaves
        // nothing outside that folder.
        "dynamic_shared_memory_type=mmap",
    ];
    if durability == Durability::ForgottenByACrash {
        settings.extend(["fsync=off", "full_page_writes=off"]);
    }
    for setting in settings {
        command.extend(["-c".into(), setting.into()]);
    }
    Ok(Recipe {
        service: Kind::Postgres.name(),
        command,
        run_as: user,
        address,
        probe: probe::postgres,
        stop: Signal::INT,
        stop_at_once: Kind::Postgres.stop_at_once(),
        to_come_up: Duration::from_secs(60),
    })
}

/// Returns the folder of `initdb` and `postgres`. Installs the package first if it is missing and that is possible.
fn programs() -> Result<PathBuf> {
    packages::found_or_installed("PostgreSQL", &["postgresql"], installed)
}

fn installed() -> Option<PathBuf> {
    let on_path = packages::on_path("initdb").and_then(|program| beside_the_server(&program));
    on_path.or_else(|| newest_of_debian(Path::new("/usr/lib/postgresql")))
}

/// Returns the folder of a program, after following links, if `postgres` is in it too.
fn beside_the_server(program: &Path) -> Option<PathBuf> {
    let programs = program.canonicalize().ok()?.parent()?.to_owned();
    programs.join("postgres").is_file().then_some(programs)
}

/// Debian does not put the programs of the server on the path, but into a folder for each major version.
fn newest_of_debian(folder: &Path) -> Option<PathBuf> {
    let versions = std::fs::read_dir(folder).ok()?.flatten().filter_map(|entry| {
        let major: u32 = entry.file_name().to_str()?.parse().ok()?;
        let programs = entry.path().join("bin");
        programs.join("postgres").is_file().then_some((major, programs))
    });
    versions.max().map(|(_, programs)| programs)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_on_the_path_leads_to_where_the_server_is() {
        let folder = tempfile::tempdir().unwrap();
        let programs = folder.path().canonicalize().unwrap();
        for program in ["initdb", "postgres"] {
            std::fs::write(programs.join(program), "").unwrap();
        }
        let elsewhere = tempfile::tempdir().unwrap();
        let link = elsewhere.path().join("initdb");
        symlink(programs.join("initdb"), &link).unwrap();
        assert_eq!(beside_the_server(&link), Some(programs.clone()));

        std::fs::remove_file(programs.join("postgres")).unwrap();
        assert_eq!(beside_the_server(&link), None);
    }

    #[test]
    fn the_newest_version_that_has_a_server_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        for version in ["9", "15", "16", "old"] {
            std::fs::create_dir_all(folder.path().join(version).join("bin")).unwrap();
        }
        for version in ["9", "15"] {
            std::fs::write(folder.path().join(version).join("bin/postgres"), "").unwrap();
        }
        assert_eq!(
            newest_of_debian(folder.path()),
            Some(folder.path().join("15").join("bin"))
        );
    }
}
