//! What a person at a terminal reads and does.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::support::office::Person;
use crate::support::readiness::readiness;
use crate::support::services::shared;
use crate::support::waiting::Patience;
use crate::support::{Installation, Server};
use crate::{Process, get};

/// A running `demo`, and what it has printed up to the last line of its instructions.
struct Demo {
    process: std::process::Child,
    told: String,
}

impl Demo {
    fn start(installation: &Installation) -> anyhow::Result<Self> {
        let variables = installation.variables.iter().map(|(name, value)| (name, value));
        let mut process = Command::new(env!("CARGO_BIN_EXE_app-server"))
            .env_clear()
            .envs(variables)
            .args(["demo", "--http-addr", "localhost:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = BufReader::new(process.stdout.take().context("the output is not piped")?);
        let mut told = String::new();
        for line in output.lines() {
            told += &line?;
            told.push('\n');
            if told.contains("no money moves") {
                break;
            }
        }
        Ok(Self { process, told })
    }

    /// Returns the three lines that the user is to paste into a terminal.
    fn lines(&self) -> String {
        let lines = self.told.lines().skip_while(|line| !line.starts_with(": \"${SESSION_"));
        lines.take(3).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn the_three_lines_of_the_demonstration_work_as_often_as_they_are_pasted() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let demo = Demo::start(&Installation::embedded(folder.path())).expect("the demonstration starts");
    let lines = demo.lines();
    let pasted = Command::new("sh").args(["-c", &format!("{lines}\n{lines}\n")]).output();
    let output = pasted.expect("this machine has a shell");
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(told.matches("\"status\":\"held\"").count(), 2, "{told}\n{lines}");
    assert_eq!(told.matches("\"status\":\"completed\"").count(), 2, "{told}\n{lines}");
}

#[test]
fn the_demonstration_says_where_it_keeps_everything_and_that_it_goes_on_there() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let installation = Installation::embedded(folder.path());
    let file = folder
        .path()
        .canonicalize()
        .expect("the folder exists")
        .join("box-office.db");
    for sentence in [
        format!(
            "Everything is kept in the file {}; the next demonstration goes on there.",
            file.display()
        ),
        format!(
            "It goes on with what an earlier demonstration left in the file {}.",
            file.display()
        ),
    ] {
        let demo = Demo::start(&installation).expect("the demonstration starts");
        assert!(demo.told.contains(&sentence), "{sentence} is not in {}", demo.told);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_for_others_whose_links_lead_to_this_machine_says_so_and_that_no_money_moves() {
    let story = async {
        let folder = tempfile::tempdir()?;
        let installation = Installation::embedded(folder.path());
        for (public_url, warned) in [(None, true), (Some("https://tickets.example.com"), false)] {
            let mut arguments = vec!["serve", "--http-addr", "0.0.0.0:0"];
            arguments.extend(public_url.map(|url| ["--public-url", url]).into_iter().flatten());
            let mut process = Process::start(&installation, &arguments)?;
            let url = process.url()?.replace("0.0.0.0", "127.0.0.1");
            ensure!(get(&url, "/health").await?.0 == 200, "the server does not answer");
            let log = process.log();
            ensure!(log.contains("set PUBLIC_URL") == warned, "{log}");
            ensure!(log.contains("no money moves"), "{log}");
            process.stop()?;
        }
        anyhow::Ok(())
    };
    story
        .await
        .expect("the log warns of links that only this machine can open");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_makes_somebody_an_event_owner_by_a_command() {
    let story = async {
        let folder = tempfile::tempdir()?;
        let installation = Installation::embedded(folder.path());
        let role = |address: &str, role: &str| installation.run(&["users", "role", "--email", address, "--role", role]);
        Server::start(&installation, 1)?.stop()?;
        ensure!(role("customer1@example.com", "event_owner")?.contains("has the role event_owner now"));
        // Giving the same role again still signs the user out, in case an earlier command died before it had done
        // that.
        ensure!(role("customer1@example.com", "event_owner")?.contains("is signed out everywhere"));
        let unknown = role("nobody@example.com", "admin").expect_err("nobody has an account with this address");
        ensure!(unknown.to_string().contains("nobody has an account under that address"));
        ensure!(
            role("customer1@example.com", "owner").is_err(),
            "a role that does not exist was given"
        );
        anyhow::Ok(())
    };
    story.await.expect("the command gives the role");
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_command_gives_a_role_while_servers_run_is_signed_out_and_has_it() {
    let story = async {
        let installation = shared().await?;
        let server = Server::start(&installation, 1)?;
        let mut olga = Person::customer(&server, 0)?;
        olga.get("/api/auth/me").await?.expect(200)?;
        installation.run(&[
            "users",
            "role",
            "--email",
            "customer1@example.com",
            "--role",
            "event_owner",
        ])?;
        let patience = Patience::new();
        // The server caches a session for a second, so the ended session may still be accepted for that long.
        while olga.get("/api/auth/me").await?.status != 401 {
            patience.pause(|| "the session has not ended").await?;
        }
        anyhow::Ok(())
    };
    story.await.expect("the command gives the role");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_services_starts_without_a_warning_of_the_kafka_client_about_its_settings() {
    let story = async {
        let mut process = Process::start(&shared().await?, &["serve"])?;
        let url = process.url()?;
        // The server is ready once the relay has written to the bus and the read models have read it.
        let ready = readiness(&url, |status, _| status == 200).await;
        ready.map_err(|error| error.context(process.log()))?;
        process.stop()?;
        let log = process.log();
        let warned = log
            .lines()
            .find(|line| line.contains("CONFWARN") || line.contains("gapless"));
        ensure!(warned.is_none(), "{warned:?}");
        anyhow::Ok(())
    };
    story.await.expect("the log has no warning of the client");
}
