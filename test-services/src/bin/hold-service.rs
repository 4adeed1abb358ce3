//! Starts a private service, says where it is and waits to be killed: for the test of what is left of it then.
//!
//! It also ends when its input does, so that it does not outlive a test that fails.

use std::io::{self, Read, Write};

use anyhow::{Result, bail};
use test_services::{OwnedPostgres, OwnedRedis, SmallDisk, issuer};

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
        _ => bail!("say postgres, redis, issuer or disk"),
    }
}

fn hold(url: &str) -> Result<()> {
    writeln!(io::stdout(), "{url}")?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
