//! The commands of README.md.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use crate::support::Installation;
use crate::{Process, get};

const README: &str = include_str!("../../../README.md");

/// Returns the lines of the first block of code under a heading, without comments.
fn code_under(heading: &str) -> anyhow::Result<Vec<String>> {
    let sections = README.split("\n## ");
    let section = sections.filter_map(|section| section.strip_prefix(heading)).next();
    let code = section.and_then(|section| section.split("```").nth(1));
    let lines = code.with_context(|| format!("no code stands under {heading}"))?.lines();
    Ok(lines.map(|line| without_comment(line).to_owned()).collect())
}

fn without_comment(line: &str) -> &str {
    line.split_once("  #").map_or(line, |(code, _)| code).trim()
}

/// Plays the block of code, with a temporary folder instead of `/var/lib/box-office` and a free port.
#[tokio::test(flavor = "multi_thread")]
async fn the_readme_makes_an_administrator_who_can_sign_in_to_the_server_that_it_starts() {
    let story = async {
        let folder = tempfile::tempdir()?;
        let here = folder.path().display().to_string();
        let lines = code_under("Run it for real")?;
        let lines: Vec<_> = lines
            .iter()
            .map(|line| line.replace("/var/lib/box-office", &here))
            .collect();
        let installs = "cargo install --locked --path app-server";
        ensure!(lines.iter().any(|line| line == installs), "nothing installs the server");
        let makes_folder = |line: &String| line.starts_with("sudo install -d") && line.ends_with(&here);
        ensure!(lines.iter().any(makes_folder), "nothing makes the folder of the data");

        let mut installation = Installation::default();
        let exports = lines.iter().filter_map(|line| line.strip_prefix("export "));
        for setting in exports.flat_map(str::split_whitespace) {
            let (name, value) = setting.split_once('=').context("a variable has a value")?;
            installation = installation.with(name, value);
        }
        let commands = lines.iter().filter_map(|line| line.strip_prefix("app-server"));
        let commands: Vec<Vec<_>> = commands.map(|command| command.split_whitespace().collect()).collect();
        let [bootstrap, serve] = &commands[..] else {
            bail!("the readme runs {commands:?}");
        };
        let told = installation.run(bootstrap)?;
        let link = told
            .split_whitespace()
            .find(|word| word.starts_with("https://tickets.example.com/"));
        let token = link.and_then(|link| link.split_once("#token="));
        let (_, token) = token.with_context(|| format!("no link is in {told}"))?;

        let mut process = Process::start(&installation, serve)?;
        let url = process.url()?;
        let (status, session) = get(&url, &format!("/api/auth/magic-link/verify?token={token}")).await?;
        ensure!(
            status == 200 && session["user"]["role"] == "admin",
            "{status}: {session}"
        );
        process.stop()
    };
    story.await.expect("the commands of the readme work");
}

#[test]
fn every_command_that_the_readme_names_is_one_of_the_server() {
    let lines = README.lines().map(without_comment);
    let named = lines.flat_map(|line| line.split("app-server ").skip(1));
    let words = named.map(|rest| {
        rest.split(|c: char| !c.is_ascii_lowercase() && c != '-')
            .next()
            .unwrap_or_default()
    });
    let commands: BTreeSet<_> = words
        .filter(|word| !word.is_empty() && !word.starts_with('-'))
        .collect();
    assert!(commands.len() > 5, "most of the commands were not found: {commands:?}");
    for command in commands {
        let mut process = Command::new(env!("CARGO_BIN_EXE_app-server"));
        let output = process
            .args([command, "--help"])
            .output()
            .expect("the server can be started");
        assert!(output.status.success(), "app-server {command} is not a command");
    }
}
