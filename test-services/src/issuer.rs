//! A real issuer of OpenID Connect (`oidc-provider` on Node.js). Its form signs in anybody who enters an e-mail
//! address.

use std::ffi::OsString;
use std::time::Duration;

use anyhow::Result;
use rustix::process::Signal;

use crate::node::{self, NodeProgram};
use crate::own_process::{OwnProcess, blocking};
use crate::ports::Port;
use crate::probe;
use crate::process::{self, Plan, Recipe};

const CLIENT_ID: &str = "box-office";
const CLIENT_SECRET: &str = "only-the-test-issuer-knows-this";

const PROGRAM: NodeProgram = NodeProgram {
    name: "issuer",
    files: &[
        ("package.json", include_str!("../issuer/package.json")),
        ("package-lock.json", include_str!("../issuer/package-lock.json")),
        ("server.mjs", include_str!("../issuer/server.mjs")),
    ],
};

/// An issuer that one test alone uses. It ends when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Issuer {
    url: String,
    _process: OwnProcess,
}

/// Starts an issuer on a free port. `redirect_uris` are the addresses to which its one client may redirect a browser.
///
/// Its form in the browser has the fields `email` and `email_verified` (`true`, `false` or `absent`), and a button
/// `cancel`. Its userinfo endpoint returns the claims about the address.
///
/// # Errors
/// Fails if Node.js or `oidc-provider` is missing and cannot be installed, or the issuer does not start.
pub async fn issuer(redirect_uris: &[&str]) -> Result<Issuer> {
    let redirect_uris = redirect_uris.iter().map(|&uri| uri.to_owned()).collect::<Vec<_>>();
    let (address, process) = blocking(move || OwnProcess::carry_out(plan(&redirect_uris)?)).await?;
    Ok(Issuer {
        url: format!("http://{address}"),
        _process: process,
    })
}

impl Issuer {
    /// Returns the issuer identifier, exactly as the issuer writes it.
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
    let node = node::node()?;
    let server = PROGRAM.installed()?.join("server.mjs");
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
