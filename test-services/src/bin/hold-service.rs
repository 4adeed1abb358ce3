//! Starts a private service, says where it is and waits to be killed: for the test of what is left of it then.

use std::future;
use std::io::{self, Write};

use anyhow::{Result, bail};
use test_services::{OwnedPostgres, OwnedRedis};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("postgres") => {
            let server = OwnedPostgres::start().await?;
            hold(server.url()).await
        }
        Some("redis") => {
            let server = OwnedRedis::start().await?;
            hold(server.url()).await
        }
        _ => bail!("say postgres or redis"),
    }
}

async fn hold(url: &str) -> Result<()> {
    writeln!(io::stdout(), "{url}")?;
    future::pending().await
}
