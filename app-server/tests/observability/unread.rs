//! The program that reads the server's log hangs, and reads nothing any more.

use std::process::{Child, Command, Stdio};

use anyhow::ensure;
use box_office_tests::client::{Ask, Connection, Target, path};
use test_services::Port;
use tokio::time::timeout;

use crate::support::Installation;
use crate::support::waiting::{PATIENCE, Patience};

/// Their lines take more room than a pipe has, which is 64 KiB.
const REQUESTS: usize = 2_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_log_nobody_reads_answers_and_ends() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let port = Port::free()?;
    let address = port.address().to_string();
    let mut server = Unread::start(&Installation::embedded(folder.path()), &address)?;
    let url: Target = format!("http://{address}").parse()?;
    let patience = Patience::new();
    while let Err(error) = is_alive(&mut Connection::new(url.clone())).await {
        patience.pause(|| error.to_string()).await?;
    }
    let mut connection = Connection::new(url);
    for _ in 0..REQUESTS {
        timeout(PATIENCE, is_alive(&mut connection)).await??;
    }
    let stopped = Command::new("kill")
        .args(["-TERM", &server.0.id().to_string()])
        .status()?;
    ensure!(stopped.success());
    let patience = Patience::new();
    while server.0.try_wait()?.is_none() {
        patience.pause(|| "the server does not end".to_owned()).await?;
    }
    Ok(())
}

async fn is_alive(connection: &mut Connection) -> anyhow::Result<()> {
    let answer = connection.ask(Ask::get(path("/health".to_owned()))).await?;
    ensure!(answer.status == 200, "{}", answer.status);
    Ok(())
}

/// A server whose log goes into a pipe. Is killed when this value is dropped.
struct Unread(Child);

impl Unread {
    fn start(installation: &Installation, address: &str) -> anyhow::Result<Self> {
        let variables = installation.variables.iter().map(|(name, value)| (name, value));
        let server = Command::new(env!("CARGO_BIN_EXE_app-server"))
            .env_clear()
            .envs(variables)
            .env("HTTP_ADDR", address)
            .arg("serve")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        Ok(Self(server))
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
