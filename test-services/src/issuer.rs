//! A real issuer of OpenID Connect: `oidc-provider` on Node.js, with a form that lets in whoever says an address.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use sha2::{Digest as _, Sha256};

use crate::own_process::{OwnProcess, blocking};
use crate::ports::Port;
use crate::process::{self, Plan, Recipe};
use crate::{cache, packages, probe};

const OLDEST_NODE: (u32, u32) = (20, 19);
const CLIENT_ID: &str = "box-office";
const CLIENT_SECRET: &str = "only-the-test-issuer-knows-this";

const FILES: [(&str, &str); 3] = [
    ("package.json", include_str!("../issuer/package.json")),
    ("package-lock.json", include_str!("../issuer/package-lock.json")),
    ("server.mjs", include_str!("../issuer/server.mjs")),
];

/// An issuer of one test's own; it is gone when the last clone is.
#[derive(Debug, Clone)]
pub struct Issuer {
    url: String,
    _process: OwnProcess,
}

/// Starts an issuer on a free port. Its one client may send browsers back to these addresses.
///
/// The form it shows a browser has the fields `email` and `email_verified` (`true`, `false` or `absent`), and a button
/// `cancel`. The claims about the address are told at its userinfo endpoint.
///
/// # Errors
/// When Node.js or `oidc-provider` cannot be had, or it does not come up.
pub async fn issuer(redirect_uris: &[&str]) -> Result<Issuer> {
    let redirect_uris = redirect_uris.iter().map(|&uri| uri.to_owned()).collect::<Vec<_>>();
    let (address, process) = blocking(move || OwnProcess::carry_out(plan(&redirect_uris)?)).await?;
    Ok(Issuer {
        url: format!("http://{address}"),
        _process: process,
    })
}

impl Issuer {
    /// Its issuer identifier, to the letter.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn client_id(&self) -> &'static str {
        CLIENT_ID
    }

    pub fn client_secret(&self) -> &'static str {
        CLIENT_SECRET
    }
}

fn plan(redirect_uris: &[String]) -> Result<Plan> {
    let node = packages::found_or_installed("Node.js", &["nodejs", "npm"], || packages::on_path("node"))?;
    check_version(&node)?;
    let server = cache::kept(&name(), install)?.join("server.mjs");
    let port = Port::free()?;
    let options = [
        ("--port", port.number().to_string()),
        ("--client-id", CLIENT_ID.to_owned()),
    ];
    let secret = [("--client-secret", CLIENT_SECRET.to_owned())];
    let redirects = redirect_uris.iter().map(|uri| ("--redirect-uri", uri.clone()));
    let mut command: Vec<OsString> = vec![node.into(), server.into()];
    for (option, value) in options.into_iter().chain(secret).chain(redirects) {
        command.extend([option.into(), value.into()]);
    }
    let recipe = Recipe {
        service: "the OpenID Connect issuer",
        command,
        run_as: None,
        address: port.address(),
        probe: probe::openid,
        stop: Signal::TERM,
        stop_at_once: Signal::KILL,
        to_come_up: Duration::from_secs(60),
    };
    Ok(Plan {
        recipe,
        folder: process::folder("issuer", None)?,
        ports: vec![port],
        known_as: None,
    })
}

/// Changes with every file, so that an old cache is no trap.
fn name() -> String {
    let mut digest = Sha256::new();
    for (_, content) in FILES {
        digest.update(content);
    }
    let hex: String = digest
        .finalize()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("issuer-{hex}")
}

fn install(folder: &Path) -> Result<()> {
    let npm = packages::found_or_installed("npm", &["npm"], || packages::on_path("npm"))?;
    for (name, content) in FILES {
        fs::write(folder.join(name), content).with_context(|| format!("cannot write {name}"))?;
    }
    let mut command = Command::new(npm);
    command
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(folder);
    process::run(&mut command).context("cannot fetch oidc-provider")
}

fn check_version(node: &PathBuf) -> Result<()> {
    let output = Command::new(node)
        .arg("--version")
        .output()
        .with_context(|| format!("cannot start {}", node.display()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match version_of_node(&text) {
        Some(version) if version >= OLDEST_NODE => Ok(()),
        _ => bail!(
            "Node.js {}.{} or newer is needed, {} is {:?}",
            OLDEST_NODE.0,
            OLDEST_NODE.1,
            node.display(),
            text.trim()
        ),
    }
}

/// Reads the first two numbers of a line such as `v22.11.0`.
fn version_of_node(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix('v')?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_node_is_its_first_two_numbers() {
        assert_eq!(version_of_node("v20.20.2\n"), Some((20, 20)));
        assert_eq!(version_of_node("v24.0.0-nightly"), Some((24, 0)));
        assert_eq!(version_of_node("node: not found"), None);
    }
}
