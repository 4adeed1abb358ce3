//! Tests in a browser: Chromium, driven from Node.js.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::issuer::{Issuer, issuer};
use crate::node::{self, NodeProgram};
use crate::own_process::blocking;
use crate::packages;
use crate::ports::Port;

const WALK: NodeProgram = NodeProgram {
    name: "browser",
    files: &[
        ("package.json", include_str!("../browser/package.json")),
        ("package-lock.json", include_str!("../browser/package-lock.json")),
        ("walk.mjs", include_str!("../browser/walk.mjs")),
    ],
};

/// A test in Chromium that signs in and buys tickets, with the issuer and the port that it uses.
#[derive(Debug)]
pub struct BrowserWalk {
    command: Command,
    _issuer: Issuer,
    _port: Port,
}

/// Prepares a test in Chromium. The test itself starts the program `server` with `variables` as a demonstration server.
///
/// # Errors
/// Fails if Chromium, Node.js, the issuer or an npm package is missing and cannot be installed.
pub async fn browser_walk(
    server: impl AsRef<OsStr>,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<BrowserWalk> {
    let port = Port::free()?;
    let url = format!("http://localhost:{}", port.number());
    let issuer = issuer(&[&format!("{url}/api/auth/oauth/oidc/callback")]).await?;
    let (node, walk, chromium) = blocking(|| {
        let chromium = packages::found_or_installed("Chromium", &["chromium"], chromium)?;
        Ok((node::node()?, WALK.installed()?.join("walk.mjs"), chromium))
    })
    .await?;
    let mut command = Command::new(node);
    command.arg(walk).arg("--server").arg(server);
    command.arg("--chromium").arg(chromium);
    command.envs(variables).envs([
        ("HTTP_ADDR", port.address().to_string().as_str()),
        ("PUBLIC_URL", &url),
        ("OAUTH_OIDC_ISSUER", issuer.url()),
        ("OAUTH_OIDC_CLIENT_ID", issuer.client_id()),
        ("OAUTH_OIDC_CLIENT_SECRET", issuer.client_secret()),
        ("OAUTH_OIDC_TRUST_EMAIL", "true"),
    ]);
    Ok(BrowserWalk {
        command,
        _issuer: issuer,
        _port: port,
    })
}

impl BrowserWalk {
    /// Runs the test to its end and returns its output, which has a line `NAME: done` for each part.
    ///
    /// # Errors
    /// Fails with the output of the test if one of its parts fails.
    pub async fn go(mut self) -> Result<String> {
        blocking(move || {
            let output = self.command.output().context("cannot start Node.js")?;
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            if !output.status.success() {
                bail!("{said}{}", String::from_utf8_lossy(&output.stderr));
            }
            Ok(said)
        })
        .await
    }
}

fn chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(packages::on_path)
}
