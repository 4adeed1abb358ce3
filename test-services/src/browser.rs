//! Walks of somebody at a browser: Chromium, driven from Node.js.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::issuer;
use crate::node::{self, NodeProgram};
use crate::own_process::blocking;
use crate::packages;

const WALK: NodeProgram = NodeProgram {
    name: "browser",
    files: &[
        ("package.json", include_str!("../browser/package.json")),
        ("package-lock.json", include_str!("../browser/package-lock.json")),
        ("walk.mjs", include_str!("../browser/walk.mjs")),
    ],
};

/// The command that walks through signing in and buying in Chromium, but for the server it is to start
/// (`--server PATH`) and the settings of that server, which it takes from its environment.
///
/// # Errors
/// When Chromium, Node.js or a package of npm cannot be had.
pub async fn browser_walk() -> Result<Command> {
    blocking(|| {
        let node = node::node()?;
        let chromium = packages::found_or_installed("Chromium", &["chromium"], chromium)?;
        let mut command = Command::new(node);
        command.arg(WALK.installed()?.join("walk.mjs"));
        command.arg("--issuer").arg(issuer::program()?);
        command.arg("--chromium").arg(chromium);
        Ok(command)
    })
    .await
}

fn chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(packages::on_path)
}
