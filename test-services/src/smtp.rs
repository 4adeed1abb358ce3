//! A real SMTP server (aiosmtpd on Python) that keeps the mails that it receives, so that a test can read them.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;
use serde::Deserialize;
use tempfile::TempDir;

use crate::own_process::{OwnProcess, blocking};
use crate::ports::Port;
use crate::process::{self, Plan, Recipe};
use crate::{packages, probe};

/// The system Python, because the packages of Debian belong to it.
const PYTHON: &str = "/usr/bin/python3";
const HOST: &str = "localhost";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    None,
    /// The server refuses mail until the connection is encrypted.
    StartTls,
    Implicit,
}

/// A mail server that one test alone uses. It ends when the last clone is dropped. It answers 550 to mailboxes whose
/// name begins with `refused`, and 451 to those that begin with `later`.
#[derive(Debug, Clone)]
pub struct SmtpSink {
    port: u16,
    certificate: String,
    kept: std::sync::Arc<TempDir>,
    _process: OwnProcess,
}

/// A mail as the server received it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ReceivedMail {
    pub from: String,
    pub to: Vec<String>,
    pub subject: String,
    pub message_id: Option<String>,
    pub text: Option<String>,
    pub html: Option<String>,
    pub encrypted: bool,
}

/// Starts a mail server on a free port.
///
/// # Errors
/// Fails if Python or aiosmtpd is missing and cannot be installed, or the server does not start.
pub async fn smtp_sink(tls: SmtpTls) -> Result<SmtpSink> {
    blocking(move || start(tls)).await
}

impl SmtpSink {
    /// The address as `HOST:PORT`. The certificate is for that host.
    pub fn address(&self) -> String {
        format!("{HOST}:{}", self.port)
    }

    /// The certificate that a client must trust, as PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Returns the mails that were received so far, the oldest first.
    ///
    /// # Errors
    /// Fails if a mail cannot be read.
    pub fn received(&self) -> Result<Vec<ReceivedMail>> {
        let entries = fs::read_dir(self.kept.path()).context("cannot list the mails")?;
        let mut names: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        names.retain(|name| name.extension().is_some_and(|extension| extension == "json"));
        names.sort();
        let read = |name: &PathBuf| -> Result<ReceivedMail> {
            let text = fs::read(name).context("cannot read a mail")?;
            serde_json::from_slice(&text)
                .context("a stored mail does not have the format in which the mail server stores mails")
        };
        names.iter().map(read).collect()
    }
}

fn start(tls: SmtpTls) -> Result<SmtpSink> {
    packages::found_or_installed("aiosmtpd", &["python3", "python3-aiosmtpd"], has_aiosmtpd)?;
    let folder = process::folder("smtp", None)?;
    let kept = process::folder("mails", None)?;
    let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).context("cannot make a certificate")?;
    let certificate = made.cert.pem();
    let file = |name: &str, content: &str| -> Result<PathBuf> {
        let path = folder.path().join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {name}"))?;
        Ok(path)
    };
    let program = file("sink.py", include_str!("../smtp/sink.py"))?;
    let certificate_file = file("certificate.pem", &certificate)?;
    let key = file("key.pem", &made.signing_key.serialize_pem())?;
    let port = Port::free()?;
    let mode = match tls {
        SmtpTls::None => "none",
        SmtpTls::StartTls => "starttls",
        SmtpTls::Implicit => "implicit",
    };
    let recipe = Recipe {
        service: "the mail server",
        command: vec![
            PYTHON.into(),
            program.into(),
            "--port".into(),
            port.number().to_string().into(),
            "--folder".into(),
            kept.path().into(),
            "--tls".into(),
            mode.into(),
            "--certificate".into(),
            certificate_file.into(),
            "--key".into(),
            key.into(),
        ],
        run_as: None,
        address: port.address(),
        probe: if tls == SmtpTls::Implicit {
            probe::anybody
        } else {
            probe::smtp
        },
        stop: Signal::TERM,
        stop_at_once: Signal::KILL,
        to_come_up: Duration::from_secs(90),
    };
    let number = port.number();
    let (_, process) = OwnProcess::carry_out(Plan {
        recipe,
        folder,
        ports: vec![port],
        known_as: None,
    })?;
    Ok(SmtpSink {
        port: number,
        certificate,
        kept: std::sync::Arc::new(kept),
        _process: process,
    })
}

fn has_aiosmtpd() -> Option<()> {
    let mut command = std::process::Command::new(PYTHON);
    process::run(command.args(["-c", "import aiosmtpd"])).ok()
}
