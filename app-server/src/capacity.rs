//! Finds out how many live connections this process can have: as many as the settings allow, but never more than the
//! server can have connections at all, and than its file descriptors and its memory allow.

use std::fmt;
use std::fs;

use rustix::process::{Resource, getrlimit};

/// What a live connection takes: half of this was measured, the other half is for its buffers in the kernel.
const BYTES_EACH: u64 = 24 * 1024;
/// The share of connections, of descriptors and of memory that live connections may take. The rest is for other requests.
const SHARE: (u64, u64) = (9, 10);

/// How many live connections there may be, and what limits them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    pub connections: usize,
    pub limited_by: LimitedBy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitedBy {
    Settings,
    Connections,
    Descriptors,
    Memory,
}

impl fmt::Display for LimitedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Settings => "WS_MAX_CONNECTIONS",
            Self::Connections => "MAX_CONNECTIONS",
            Self::Descriptors => "the limit of open files (ulimit -Hn)",
            Self::Memory => "the memory that is left",
        })
    }
}

/// Returns how many live connections this process can have, if the settings allow `wanted`, and `connections` in all.
/// The server raises its own limit of descriptors up to the hard limit, if it has to.
pub fn live_connections(wanted: u32, connections: u32) -> Capacity {
    least(
        wanted.into(),
        connections.into(),
        getrlimit(Resource::Nofile).maximum,
        memory_left().map(|bytes| bytes / BYTES_EACH),
    )
}

fn least(wanted: u64, connections: u64, descriptors: Option<u64>, by_memory: Option<u64>) -> Capacity {
    let share = |of: Option<u64>| of.map_or(u64::MAX, |of| of / SHARE.1 * SHARE.0);
    let limits = [
        (wanted, LimitedBy::Settings),
        (share(Some(connections)), LimitedBy::Connections),
        (share(descriptors), LimitedBy::Descriptors),
        (share(by_memory), LimitedBy::Memory),
    ];
    let least = limits.into_iter().min_by_key(|(most, _)| *most);
    let (most, limited_by) = least.unwrap_or((wanted, LimitedBy::Settings));
    Capacity {
        connections: usize::try_from(most).unwrap_or(usize::MAX),
        limited_by,
    }
}

/// Returns how many bytes this process may still take, as Linux says: of the machine, or of its control group if that
/// has less. `None` if neither says it.
fn memory_left() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().as_deref().and_then(available);
    let group = |file: &str| {
        fs::read_to_string(format!("/sys/fs/cgroup/{file}"))
            .ok()?
            .trim()
            .parse()
            .ok()
    };
    let group = group("memory.max").zip(group("memory.current"));
    let group = group.map(|(most, taken): (u64, u64)| most.saturating_sub(taken));
    machine.into_iter().chain(group).min()
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_of_settings_descriptors_and_memory_counts_and_is_named() {
        let case = |wanted, descriptors, memory| {
            let Capacity {
                connections,
                limited_by,
            } = least(wanted, 80_000, descriptors, memory);
            (connections, limited_by)
        };
        assert_eq!(case(50_000, None, None), (50_000, LimitedBy::Settings));
        assert_eq!(case(90_000, None, None), (72_000, LimitedBy::Connections));
        assert_eq!(case(50_000, Some(20_000), None), (18_000, LimitedBy::Descriptors));
        assert_eq!(case(50_000, Some(20_000), Some(400)), (360, LimitedBy::Memory));
        assert_eq!(case(10, Some(1_024), Some(400_000)), (10, LimitedBy::Settings));
    }

    #[test]
    fn the_memory_that_is_left_is_read_as_linux_writes_it() {
        let text = "MemTotal:       16384000 kB\nMemFree:          100 kB\nMemAvailable:    2048 kB\n";
        assert_eq!(available(text), Some(2 * 1024 * 1024));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
    }
}
