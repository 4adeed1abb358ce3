//! The load tool: customers who go on whatever happens, and remember what they were told.

use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use super::Server;

/// Customers under way, with a journal of every answer.
pub(crate) struct Load {
    process: Child,
    /// Customers begin nothing more when it is closed.
    input: Option<ChildStdin>,
    pub(crate) journal: PathBuf,
}

impl Load {
    /// Lets customers hold, pay and cancel for so long: on that event, or on a large one of their own.
    pub(crate) fn start(server: &Server, journal: &Path, seconds: u32, event: Option<&str>) -> anyhow::Result<Self> {
        let log = std::fs::File::create(journal.with_extension("log"))?;
        let mut process = tool()?
            .args(who(server))
            .arg("--journal")
            .arg(journal)
            .args(["--customers", "40", "--seconds", &seconds.to_string(), "--skip-check"])
            .arg("--until-input-ends")
            .args(event.iter().flat_map(|event| ["--event", event]))
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Self {
            input: process.stdin.take(),
            process,
            journal: journal.to_owned(),
        })
    }

    /// Waits until so many more answers are in the journal: the load is in full swing, or is so again.
    pub(crate) fn wait_for_answers(&mut self, more: usize) -> anyhow::Result<()> {
        let wanted = self.answers() + more;
        self.wait_until("nobody is answered any more", |load| load.answers() >= wanted)
    }

    fn wait_until(&mut self, otherwise: &'static str, done: impl Fn(&Self) -> bool) -> anyhow::Result<()> {
        let patience = Instant::now() + Duration::from_secs(60);
        while !done(self) {
            ensure!(Instant::now() < patience, otherwise);
            if let Some(ended) = self.process.try_wait()? {
                bail!("the load ended early: {ended}\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Waits until so many more customers were turned away, or wait for an answer in vain.
    pub(crate) fn wait_for_doubts(&mut self, more: usize) -> anyhow::Result<()> {
        let wanted = self.doubts() + more;
        self.wait_until("nobody is turned away", |load| load.doubts() >= wanted)
    }

    /// Waits until so many more customers have got what they asked for.
    pub(crate) fn wait_for_sales(&mut self, more: usize) -> anyhow::Result<()> {
        let sold = |load: &Self| load.answers() - load.doubts();
        let wanted = sold(self) + more;
        self.wait_until("nothing is sold any more", |load| sold(load) >= wanted)
    }

    pub(crate) fn answers(&self) -> usize {
        self.journaled().lines().count()
    }

    fn doubts(&self) -> usize {
        let in_doubt = |line: &&str| line.contains("_in_doubt");
        self.journaled().lines().filter(in_doubt).count()
    }

    fn journaled(&self) -> String {
        std::fs::read_to_string(&self.journal).unwrap_or_default()
    }

    /// Lets nobody begin anything any more, and waits until everybody has an answer.
    pub(crate) fn enough(&mut self) -> anyhow::Result<()> {
        self.input = None;
        self.finish()
    }

    pub(crate) fn finish(&mut self) -> anyhow::Result<()> {
        let ended = self.process.wait()?;
        ensure!(ended.success(), "the load failed: {ended}\n{}", self.log());
        Ok(())
    }

    /// Demands of a load that has ended that everybody was answered, and nobody with a failure of the server's own:
    /// who could not be served was told so, and in time.
    pub(crate) fn everybody_was_told(&self) -> anyhow::Result<()> {
        let log = self.log();
        let blames = ["INTERNAL", "TIMEOUT"].map(|code| format!("refused {code}"));
        ensure!(!blames.iter().any(|blame| log.contains(blame)), "{log}");
        ensure!(
            log.contains("refused UNAVAILABLE"),
            "nobody was told to come back: {log}"
        );
        ensure!(log.contains("transport errors: 0"), "somebody had no answer: {log}");
        Ok(())
    }

    /// Waits until the customers have noticed that the server is gone.
    pub(crate) fn outlive_the_server(&mut self) -> anyhow::Result<()> {
        self.process.wait()?;
        Ok(())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.journal.with_extension("log")).unwrap_or_default()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Reads everything back from the server and compares it with what the customers were told.
pub(crate) fn check_books(server: &Server, journal: &Path) -> anyhow::Result<String> {
    let output = tool()?
        .args(who(server))
        .arg("--journal")
        .arg(journal)
        .args(["--check-only", "--settle-seconds", "60"])
        .output()?;
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    ensure!(output.status.success(), "the books are wrong: {told}");
    Ok(told)
}

fn who(server: &Server) -> Vec<String> {
    [
        "--url",
        &server.url.replace("localhost", "127.0.0.1"),
        "--admin-session",
        &server.admin_session,
        "--sessions-file",
        &server.sessions_file().display().to_string(),
    ]
    .map(str::to_owned)
    .into()
}

/// The tool as a command. It is built once; after `cargo test --workspace` it is there already.
fn tool() -> anyhow::Result<Command> {
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let output = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--locked",
                "-p",
                "box-office-tests",
                "--bin",
                "load",
            ])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    });
    if let Err(why) = built {
        bail!("the load tool cannot be built: {why}");
    }
    let beside = Path::new(env!("CARGO_BIN_EXE_app-server")).with_file_name("load");
    ensure!(beside.exists(), "{} is missing", beside.display());
    Ok(Command::new(beside))
}

/// A folder for journals.
pub(crate) fn journals() -> anyhow::Result<tempfile::TempDir> {
    tempfile::tempdir().context("a temporary folder")
}
