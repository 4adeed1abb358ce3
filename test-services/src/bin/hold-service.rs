//! Starts a private service or finds a shared one, prints its address, and waits to be killed. The tests of this crate
//! use it to see what a killed process leaves behind, and where services are found.
//!
//! The program also ends when its input ends, so that it does not outlive a test that fails.

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
        _ => {
            bail!("name postgres, redis, issuer, disk, shared-postgres, shared-redis or shared-broker as the argument")
        }
    }
}

fn hold(url: &str) -> Result<()> {
    writeln!(io::stdout(), "{url}")?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
