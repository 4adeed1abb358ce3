//! Asks a process how it is.

use box_office_tests::client::{Ask, Connection, path};
use serde_json::Value;

use super::Server;
use super::waiting::Patience;

/// Asks `/health/ready` until the status and the body are as demanded, and returns the body. One answer proves little
/// on a busy machine, because each check has only a second.
pub(crate) async fn readiness(url: &str, demanded: impl Fn(u16, &Value) -> bool) -> anyhow::Result<Value> {
    let patience = Patience::new();
    loop {
        let mut connection = Connection::new(url.replace("localhost", "127.0.0.1").parse()?);
        let answer = connection.ask(Ask::get(path("/health/ready".to_owned()))).await?;
        let (status, ready) = (answer.status.as_u16(), serde_json::from_slice(&answer.body)?);
        if demanded(status, &ready) {
            return Ok(ready);
        }
        patience.pause(|| format!("{status}: {ready}")).await?;
    }
}

/// Waits until a server is ready. Returns what it says then.
pub(crate) async fn until_ready(server: &Server) -> anyhow::Result<Value> {
    let ready = readiness(&server.local_url(), |status, _| status == 200).await;
    ready.map_err(|error| error.context(server.log()))
}
