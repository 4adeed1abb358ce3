//! Finding programs on this machine, and installing them if the machine has apt-get and this process may use it.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use anyhow::{Context, Result, bail};
use rustix::process::geteuid;

/// Only one installation runs at a time, because a second apt-get would fail at once on the lock of the first.
static INSTALLING: Mutex<()> = Mutex::new(());

pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// Returns the path of a program. If it is not found, installs its packages and looks again.
pub(crate) fn found_or_installed<T>(what: &str, packages: &[&str], look: fn() -> Option<T>) -> Result<T> {
    let _one = INSTALLING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(found) = look() {
        return Ok(found);
    }
    install(packages).with_context(|| {
        format!(
            "{what} is not installed here (Debian and Ubuntu: apt-get install {})",
            packages.join(" ")
        )
    })?;
    look().with_context(|| format!("{what} was not found even after installing {}", packages.join(" ")))
}

fn install(packages: &[&str]) -> Result<()> {
    if !geteuid().is_root() {
        bail!("only root may install packages");
    }
    if on_path("apt-get").is_none() {
        bail!("this machine has no apt-get to install packages with");
    }
    apt_get(&["update", "-qq"])?;
    apt_get(&[&["install", "-y", "-qq", "--no-install-recommends"], packages].concat())
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    // If another process is installing packages, apt-get waits up to 120 seconds until that has ended.
    let output = Command::new("apt-get")
        .args(["-o", "DPkg::Lock::Timeout=120"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output()
        .context("cannot start apt-get")?;
    if !output.status.success() {
        bail!(
            "apt-get {} ended with {}: {}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}
