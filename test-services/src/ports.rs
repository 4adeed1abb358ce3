//! Free ports of this machine, for the services that this process starts.
//!
//! The ports lie below the range that the kernel uses for outgoing connections, so that the port of a stopped service
//! is still free when the service starts again. A lock file keeps other test processes from using it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context, Result, bail};
use rustix::process::geteuid;

const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// A free port of this machine, for a program that a test starts. No other process that uses this crate takes the port
/// while this value lives.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _claim: File,
}

impl Port {
    /// Finds a free port.
    ///
    /// # Errors
    /// Fails if no port is free.
    pub fn free() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("box-office-test-ports-{}", geteuid().as_raw()));
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let start = u16::try_from(RandomState::new().hash_one(0_u8) % u64::from(COUNT)).unwrap_or_default();
        for step in 0..COUNT {
            let number = FIRST + (start + step) % COUNT;
            let path = folder.join(number.to_string());
            let claim = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)
                .with_context(|| format!("cannot open {}", path.display()))?;
            match claim.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => continue,
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("cannot lock {}", path.display()));
                }
            }
            if TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Ok(Self { number, _claim: claim });
            }
        }
        bail!("no port from {FIRST} to {} is free", FIRST + COUNT - 1)
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    /// Returns the address of the port on this machine.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_claimed_is_not_given_twice() {
        let claimed: Vec<Port> = (0..50).map(|_| Port::free().unwrap()).collect();
        let mut numbers: Vec<u16> = claimed.iter().map(Port::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 50);
    }
}
