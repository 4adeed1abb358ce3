//! The ways to run a server, and what the server says if it cannot run.

#[path = "../support/mod.rs"]
mod support;

mod by_hand;
mod damaged;
mod readme;
mod roles;
mod starting;

use box_office_tests::client::{self, Ask, Connection};
use serde_json::Value;
use support::process::Process;

async fn get(url: &str, path: &str) -> anyhow::Result<(u16, Value)> {
    let mut connection = Connection::new(url.parse()?);
    let answer = connection.ask(Ask::get(client::path(path.to_owned()))).await?;
    Ok((
        answer.status.as_u16(),
        serde_json::from_slice(&answer.body).unwrap_or_default(),
    ))
}
