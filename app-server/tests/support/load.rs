//! Runs the load tool: its customers go on whatever happens, and write down what they were told.

use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use super::Server;
use super::waiting::Patience;

/// How long customers may take to come so far, also after an outage that each of them has to notice.
const PATIENCE: Duration = Duration::from_secs(180);

/// A running load tool, with the journal in which it writes every answer.
pub(crate) struct Load {
    process: Child,
    /// The tool's standard input. Once it is closed, the customers begin nothing new.
    input: Option<ChildStdin>,
    pub(crate) journal: PathBuf,
}

impl Load {
    /// Lets customers hold, pay and cancel for at most `seconds`: on the given event, or else on a large event with two
    /// sections and several ticket types that the tool makes.
    pub(crate) fn start(server: &Server, journal: &Path, seconds: u32, event: Option<&str>) -> anyhow::Result<Self> {
        let log = std::fs::File::create(journal.with_extension("log"))?;
        let mut process = tool()?
            .args(who(server))
            .arg("--journal")
            .arg(journal)
            .args(["--customers", "40", "--seconds", &seconds.to_string(), "--skip-check"])
            .args(["--guests-percent", "30"])
            .arg("--until-input-ends")
            .args(match event {
                Some(event) => ["--event", event],
                None => ["--sections", "2"],
            })
            .args(event.is_none().then_some("--ticket-types"))
            .args(event.is_none().then_some("--fees-and-codes"))
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

    /// Waits until the journal has `more` new answers. Then the load is in full swing, also after an interruption.
    pub(crate) fn wait_for_answers(&mut self, more: usize) -> anyhow::Result<()> {
        let wanted = self.answers() + more;
        self.wait_until("customers get no more answers", |load| load.answers() >= wanted)
    }

    fn wait_until(&mut self, otherwise: &'static str, done: impl Fn(&Self) -> bool) -> anyhow::Result<()> {
        let patience = Patience::of(PATIENCE);
        while !done(self) {
            if let Some(ended) = self.process.try_wait()? {
                bail!("the load tool ended early: {ended}\n{}", self.log());
            }
            patience.block(|| format!("{otherwise}\n{}", self.log()))?;
        }
        Ok(())
    }

    /// Waits until `more` new requests are in doubt: their customers were turned away, or got no answer.
    pub(crate) fn wait_for_doubts(&mut self, more: usize) -> anyhow::Result<()> {
        let wanted = self.doubts() + more;
        self.wait_until("no more requests are in doubt", |load| load.doubts() >= wanted)
    }

    /// Waits until `more` new requests have got what their customers asked for.
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

    /// Makes the customers begin nothing new, and waits until each has got the answer to the last request.
    pub(crate) fn enough(&mut self) -> anyhow::Result<()> {
        self.input = None;
        self.finish()
    }

    pub(crate) fn finish(&mut self) -> anyhow::Result<()> {
        let ended = self.process.wait()?;
        ensure!(ended.success(), "the load tool failed: {ended}\n{}", self.log());
        Ok(())
    }

    /// Demands of a load that has ended that every request was answered and none failed by the server's own fault: a
    /// customer who could not be served was told to come back later.
    pub(crate) fn everybody_was_told(&self) -> anyhow::Result<()> {
        let log = self.log();
        let blames = ["INTERNAL", "TIMEOUT"].map(|code| format!("refused {code}"));
        ensure!(!blames.iter().any(|blame| log.contains(blame)), "{log}");
        ensure!(
            log.contains("refused UNAVAILABLE"),
            "no customer was told to come back later: {log}"
        );
        ensure!(log.contains("transport errors: 0"), "a request got no answer: {log}");
        Ok(())
    }

    /// Waits until the tool ends because its customers have noticed that the server is gone.
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

/// Returns a command that runs the tool. The first call builds the tool, which is quick after `cargo test
/// --workspace`.
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

/// Makes a folder for the journals of a test.
pub(crate) fn journals() -> anyhow::Result<tempfile::TempDir> {
    tempfile::tempdir().context("a temporary folder")
}
