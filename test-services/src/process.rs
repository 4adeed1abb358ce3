//! Services as processes on this machine. Each is started in a temporary folder on a free port, and ends when this
//! process ends.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use crate::ports::Port;
use crate::watchdog::Watchdog;

const BETWEEN_PROBES: Duration = Duration::from_millis(20);
const TO_STOP: Duration = Duration::from_secs(30);
const LINES_OF_LOG: usize = 15;

/// How a service is started and stopped, and how one finds out whether it answers.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    /// The name by which people know the service.
    pub(crate) service: &'static str,
    /// The program and its arguments.
    pub(crate) command: Vec<OsString>,
    pub(crate) run_as: Option<User>,
    pub(crate) address: SocketAddr,
    /// Succeeds if a service of this kind answers at the address.
    pub(crate) probe: fn(SocketAddr) -> io::Result<()>,
    /// The signal that stops the service in order: it finishes or undoes what is under way.
    pub(crate) stop: Signal,
    /// The signal that ends the service at once and still lets it release what outlives a process, such as shared
    /// memory.
    pub(crate) stop_at_once: Signal,
    pub(crate) to_come_up: Duration,
}

/// A prepared service that can be started.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) recipe: Recipe,
    pub(crate) folder: TempDir,
    /// The ports of the service. No other test process takes them while the service exists.
    pub(crate) ports: Vec<Port>,
    /// The name and version of the service; `None` if a client can ask the service for them.
    pub(crate) known_as: Option<String>,
}

/// A user account of this machine, under which a service runs. PostgreSQL refuses to run as root.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// Returns the account under which a service runs instead of root; `None` if this process does not run as root.
    pub(crate) fn instead_of_root() -> Result<Option<Self>> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        let accounts = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| Self::named(name, &accounts))
            .map(Some)
            .context("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")
    }

    fn named(name: &str, accounts: &str) -> Option<Self> {
        accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            if fields.next()? != name {
                return None;
            }
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            Some(Self { uid, gid })
        })
    }

    /// Makes the command run as this user, without the groups of root.
    pub(crate) fn applied(user: Option<Self>, command: &mut Command) -> &mut Command {
        match user {
            Some(User { uid, gid }) => command.uid(uid).gid(gid),
            None => command,
        }
    }
}

/// Makes a temporary folder that belongs to `user`. Its name is short, because it becomes a part of the path of a
/// socket, which has a limited length.
pub(crate) fn folder(name: &str, user: Option<User>) -> Result<TempDir> {
    let folder = tempfile::Builder::new()
        .prefix(&format!("box-office-{name}-"))
        .tempdir()
        .context("cannot create a temporary folder")?;
    if let Some(User { uid, gid }) = user {
        chown(folder.path(), Some(uid), Some(gid)).with_context(|| {
            format!(
                "cannot give {} to the user under which the service runs",
                folder.path().display()
            )
        })?;
    }
    Ok(folder)
}

/// Runs a command and waits for its end. Fails with its output if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        bail!(
            "{program} ended with {}\n{}{}",
            output.status,
            last_lines(&String::from_utf8_lossy(&output.stdout)),
            last_lines(&String::from_utf8_lossy(&output.stderr)),
        );
    }
    Ok(())
}

/// A service process, with its folder and its ports. It keeps both while it is stopped.
#[derive(Debug)]
pub(crate) struct Process {
    recipe: Recipe,
    folder: PathBuf,
    child: Option<Child>,
    watchdog: Watchdog,
    _ports: Vec<Port>,
}

impl Process {
    /// Starts a prepared service and waits until it answers.
    pub(crate) fn start(plan: Plan) -> Result<Self> {
        let mut process = Self {
            watchdog: Watchdog::over(plan.folder.path(), plan.recipe.stop_at_once)?,
            folder: plan.folder.keep(),
            recipe: plan.recipe,
            child: None,
            _ports: plan.ports,
        };
        process.start_again()?;
        Ok(process)
    }

    fn is_up(&mut self) -> bool {
        matches!(self.child.as_mut().map(Child::try_wait), Some(Ok(None)))
    }

    /// Starts the service on the same port and data, unless it runs.
    pub(crate) fn start_again(&mut self) -> Result<()> {
        if self.is_up() {
            return Ok(());
        }
        self.child = None;
        let log = self.log();
        let mut command = Command::new("sh");
        command
            .args(["-c", r#"echo $$; log=$1; shift; exec "$@" >>"$log" 2>&1"#, "start"])
            .arg(&log)
            .args(&self.recipe.command)
            .current_dir(&self.folder)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(self.watchdog.pipe()?)
            .stderr(Stdio::null())
            .process_group(0);
        let child = User::applied(self.recipe.run_as, &mut command)
            .spawn()
            .with_context(|| format!("cannot start {}", self.recipe.service))?;
        let child = self.child.insert(child);
        let ended = |child: &mut Child| child.try_wait().ok().flatten().is_some();
        let up = wait_until_up(&self.recipe, &log, || ended(child));
        if up.is_err() {
            self.kill()?;
        }
        up
    }

    /// Stops the service in order, and waits until it is gone.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.signal(self.recipe.stop)
    }

    /// Sends SIGKILL to the service and to every process that it has started, and waits until they are gone.
    pub(crate) fn kill(&mut self) -> Result<()> {
        let Some(child) = self.child.as_mut() else {
            return Ok(());
        };
        if child.try_wait()?.is_none() {
            // A stopped process starts no more children while they are listed.
            kill_process(Pid::from_child(child), Signal::STOP)
                .with_context(|| format!("cannot stop {}", self.recipe.service))?;
        }
        let offspring = children_of(Pid::from_child(child));
        child
            .kill()
            .with_context(|| format!("cannot kill {}", self.recipe.service))?;
        for process in &offspring {
            // A process that has ended already needs no signal.
            let _ = kill_process(*process, Signal::KILL);
        }
        child.wait()?;
        let began = Instant::now();
        while offspring.iter().any(|process| is_alive(*process)) {
            if began.elapsed() > TO_STOP {
                bail!(
                    "some processes of {} are still alive after SIGKILL",
                    self.recipe.service
                );
            }
            thread::sleep(BETWEEN_PROBES);
        }
        self.forget()
    }

    fn signal(&mut self, signal: Signal) -> Result<()> {
        let Some(child) = self.child.as_mut() else {
            return Ok(());
        };
        if child.try_wait()?.is_none() {
            kill_process(Pid::from_child(child), signal)
                .with_context(|| format!("cannot stop {}", self.recipe.service))?;
        }
        let began = Instant::now();
        while child.try_wait()?.is_none() {
            if began.elapsed() > TO_STOP {
                bail!(
                    "{} did not stop within {TO_STOP:?}\n{}",
                    self.recipe.service,
                    end_of_log(&self.log())
                );
            }
            thread::sleep(BETWEEN_PROBES);
        }
        self.forget()
    }

    fn forget(&mut self) -> Result<()> {
        self.child = None;
        self.watchdog.nothing_runs()
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }
}

/// Ends the service. The watchdog removes the folder.
impl Drop for Process {
    fn drop(&mut self) {
        if self.signal(self.recipe.stop_at_once).is_err() {
            let _ = self.kill();
        }
    }
}

/// Starts a service that outlives this process and its terminal, and waits until it answers. The process id is written
/// to the folder before the service starts.
pub(crate) fn start_in_background(plan: Plan) -> Result<()> {
    let folder = plan.folder.keep();
    let log = folder.join("log");
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"trap "" HUP; echo $$ >pid; exec "$@" >>log 2>&1"#, "start"])
        .args(&plan.recipe.command)
        .current_dir(&folder)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    let mut child = User::applied(plan.recipe.run_as, &mut command)
        .spawn()
        .with_context(|| format!("cannot start {}", plan.recipe.service))?;
    wait_until_up(&plan.recipe, &log, || child.try_wait().ok().flatten().is_some())
}

/// Returns the id of the process that was started in the background with this folder; `None` if it does not run. The
/// process is recognised by the folder among its arguments, because its id may have been given to another process.
pub(crate) fn pid_in(folder: &Path) -> Result<Option<Pid>> {
    let Ok(id) = fs::read_to_string(folder.join("pid")) else {
        return Ok(None);
    };
    let Some(pid) = id.trim().parse().ok().and_then(Pid::from_raw) else {
        return Ok(None);
    };
    let arguments = arguments_of(pid)?;
    let folder = folder.to_str().context("the name of a folder is not valid UTF-8")?;
    Ok(arguments.contains(folder).then_some(pid))
}

/// Returns the arguments of a process. Empty if the process has ended.
fn arguments_of(process: Pid) -> Result<String> {
    let id = process.as_raw_pid().to_string();
    if Path::new("/proc/self/cmdline").exists() {
        let arguments = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        return Ok(String::from_utf8_lossy(&arguments).into_owned());
    }
    let output = Command::new("ps")
        .args(["-ww", "-o", "args=", "-p", &id])
        .output()
        .context("cannot start ps")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Returns the child processes of a process. Empty if the kernel does not list them.
fn children_of(parent: Pid) -> Vec<Pid> {
    let path = format!("/proc/{0}/task/{0}/children", parent.as_raw_pid());
    let text = fs::read_to_string(path).unwrap_or_default();
    let ids = text.split_whitespace().filter_map(|id| id.parse().ok());
    ids.filter_map(Pid::from_raw).collect()
}

/// Returns whether a process is running. A process that has ended but was not collected by its parent (a zombie) is
/// not.
fn is_alive(process: Pid) -> bool {
    let state = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_pid()));
    state.is_ok_and(|text| !text.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")))
}

/// Waits until the service answers. Fails with the last lines of its log if it ends or takes too long.
pub(crate) fn wait_until_up(recipe: &Recipe, log: &Path, mut ended: impl FnMut() -> bool) -> Result<()> {
    let began = Instant::now();
    loop {
        let Err(refusal) = (recipe.probe)(recipe.address) else {
            return Ok(());
        };
        if ended() {
            bail!("{} ended while it started\n{}", recipe.service, end_of_log(log));
        }
        if began.elapsed() > recipe.to_come_up {
            bail!(
                "{} does not answer on {} after {:?}: {refusal}\n{}",
                recipe.service,
                recipe.address,
                recipe.to_come_up,
                end_of_log(log)
            );
        }
        thread::sleep(BETWEEN_PROBES);
    }
}

fn end_of_log(log: &Path) -> String {
    match fs::read(log) {
        Ok(text) => last_lines(&String::from_utf8_lossy(&text)),
        Err(error) => format!("(its log cannot be read: {error})"),
    }
}

pub(crate) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.len().saturating_sub(LINES_OF_LOG);
    lines[start..].iter().fold(String::new(), |mut out, line| {
        let _ = writeln!(out, "  | {line}");
        out
    })
}
