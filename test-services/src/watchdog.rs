//! Ends the services of a process and removes their folders when the process ends, in whatever way it ends.
//!
//! A shell reads a pipe that only this process holds open. When this process ends, even by SIGKILL, the kernel closes
//! the pipe. Then the shell ends the service that was named last and removes its folder. The shell has its own process
//! group, so that Ctrl-C in a terminal does not end it too early.

use std::ffi::OsStr;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use rustix::process::Signal;

/// Reads lines from the pipe: each is the id of the service process that runs now, or is empty if none runs. When the
/// pipe closes, ends that process and removes the folder.
const END_PROCESS: &str = r#"
folder=$1 signal=$2
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
    kill "-$signal" "$pid"
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        kill -0 "$pid" || break
        sleep 0.1
    done
    kill -s KILL "$pid"
fi
for _ in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf -- "$folder" && break
    sleep 0.2
done
"#;

const REMOVE_CONTAINER: &str = r#"
while read -r _; do :; done
"$1" rm --force --volumes "$2"
"#;

/// A program that uses the file system may need a moment to end. After that the file system is detached, even if files
/// are still open.
const UNMOUNT: &str = r#"
while read -r _; do :; done
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    umount "$1" && break
    sleep 0.1
done
mountpoint -q "$1" && umount -l "$1"
rmdir "$1"
"#;

#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Child,
}

impl Watchdog {
    /// Starts a watchdog over a service whose data are in `folder`. When this process ends, the watchdog sends
    /// `signal` to the service, which ends at once but still cleans up, and removes the folder.
    pub(crate) fn over(folder: &Path, signal: Signal) -> Result<Self> {
        Self::start(END_PROCESS, &[folder.as_os_str(), signal.as_raw().to_string().as_ref()])
    }

    /// Starts a watchdog that removes a container when this process ends. `name` is the name that the container will
    /// get.
    pub(crate) fn that_removes_container(docker: &Path, name: &str) -> Result<Self> {
        Self::start(REMOVE_CONTAINER, &[docker.as_os_str(), name.as_ref()])
    }

    pub(crate) fn that_unmounts(folder: &Path) -> Result<Self> {
        Self::start(UNMOUNT, &[folder.as_os_str()])
    }

    fn start(script: &str, arguments: &[&OsStr]) -> Result<Self> {
        let shell = Command::new("sh")
            .args(["-c", script, "watchdog"])
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("cannot start sh")?;
        Ok(Self { shell })
    }

    /// Returns a pipe on which a starting process writes its own id. The watchdog learns the id from the pipe, even
    /// if this process ends before it has learned the id itself.
    pub(crate) fn pipe(&self) -> Result<Stdio> {
        let pipe = self.shell.stdin.as_ref().context("the watchdog has ended")?;
        let pipe = pipe.as_fd().try_clone_to_owned()?;
        Ok(pipe.into())
    }

    pub(crate) fn nothing_runs(&mut self) -> Result<()> {
        let pipe = self.shell.stdin.as_mut().context("the watchdog has ended")?;
        pipe.write_all(b"\n").context("the watchdog has ended")
    }
}

/// Waits until the watchdog has ended the service and removed its folder.
impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
