//! Starts a private service, or finds one that tests share, says where it is and waits to be killed: for the tests of
//! what is left of it then, and of where services are looked for.
//!
//! It also ends when its input does, so that it does not outlive a test that fails.

use std::io::{self, Read, Write};

use anyhow::{Result, bail};
use test_services::{OwnedPostgres, OwnedRedis, SmallDisk, broker, issuer, postgres, redis};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("postgres") => {
            let server = OwnedPostgres::start().await?;
            hold(server.url())
        }
        Some("redis") => {
            let server = OwnedRedis::start().await?;
            hold(server.url())
        }
        Some("issuer") => {
            let issuer = issuer(&[]).await?;
            hold(issuer.url())
        }
        Some("disk") => match SmallDisk::mount(1)? {
            Some(disk) => hold(&disk.path().display().to_string()),
            None => hold("no disk can be mounted"),
        },
        Some("shared-postgres") => hold(postgres().await?.url()),
        Some("shared-redis") => hold(redis().await?.url()),
        Some("shared-broker") => hold(broker().await?.bootstrap()),
        _ => bail!("say postgres, redis, issuer or disk, or shared-postgres, shared-redis or shared-broker"),
    }
}

fn hold(url: &str) -> Result<()> {
    writeln!(io::stdout(), "{url}")?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
