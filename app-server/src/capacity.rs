//! Finds out how many connections this process can have, in all and live ones: as many as the settings allow, but never
//! more than its file descriptors and its memory allow.

use std::fmt;
use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::{Settings, StorageUrl};

/// Descriptors that are not for connections of clients: files, timers, the bus, Redis, mail, and what is opened for a
/// moment.
const FOR_EVERYTHING_ELSE: u64 = 64;
/// What a live connection takes: half of this was measured, the other half is for its buffers in the kernel.
const BYTES_EACH: u64 = 24 * 1024;
/// The share of all connections and of memory that live connections may take. The rest is for other requests.
const SHARE: (u64, u64) = (9, 10);

/// How many connections this process can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// At most how many connections are open at once, live ones among them.
    pub connections: u32,
    /// How many descriptors this process can open.
    pub descriptors: u64,
    /// At most how many WebSockets and streams of events are open at once.
    pub live: usize,
    /// What limits the live connections.
    pub live_limited_by: LimitedBy,
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

/// What the settings and the system give.
#[derive(Debug, Clone, Copy)]
struct Given {
    connections: u64,
    live: u64,
    descriptors: u64,
    /// How many of the descriptors are not for connections of clients.
    others: u64,
    /// How many bytes are left. `None` if the system does not say it.
    memory: Option<u64>,
}

impl Capacity {
    /// Raises the limit of open descriptors as far as the settings need it and the system allows it. Returns what this
    /// process can have then.
    pub fn of_this_process(settings: &Settings) -> Self {
        let connections = u64::from(settings.connections.max_connections);
        let others = others(settings);
        Self::of(Given {
            connections,
            live: settings.live.ws_max_connections.into(),
            descriptors: raise_descriptors(connections + others),
            others,
            memory: memory_left(),
        })
    }

    fn of(given: Given) -> Self {
        // All descriptors but those for everything else, and at least half of them.
        let descriptors = given.descriptors;
        let fit = descriptors.saturating_sub(given.others).max(descriptors / 2).max(1);
        let connections = given.connections.min(fit);
        let share = |of: u64| of.saturating_mul(SHARE.0) / SHARE.1;
        let by_connections = if fit < given.connections {
            LimitedBy::Descriptors
        } else {
            LimitedBy::Connections
        };
        let limits = [
            (share(connections), by_connections),
            (
                share(given.memory.map_or(u64::MAX, |bytes| bytes / BYTES_EACH)),
                LimitedBy::Memory,
            ),
        ];
        let first = (given.live, LimitedBy::Settings);
        let (live, live_limited_by) = limits
            .into_iter()
            .fold(first, |least, limit| if limit.0 < least.0 { limit } else { least });
        Self {
            connections: u32::try_from(connections).unwrap_or(u32::MAX),
            descriptors,
            live: usize::try_from(live).unwrap_or(usize::MAX),
            live_limited_by,
        }
    }
}

/// Raises the limit of open descriptors to `wanted`, or as far as the system allows it. Returns the limit.
fn raise_descriptors(wanted: u64) -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    let now = limit.current.unwrap_or(u64::MAX);
    let raised = now.max(wanted.min(most));
    let raised_limit = Rlimit {
        current: Some(raised),
        maximum: limit.maximum,
    };
    if raised > now && setrlimit(Resource::Nofile, raised_limit).is_ok() {
        raised
    } else {
        now
    }
}

fn others(settings: &Settings) -> u64 {
    let storage = &settings.storage;
    let mut pools = Vec::new();
    if matches!(storage.events, StorageUrl::Postgres(_)) {
        pools.push(storage.database_pool_events);
    }
    pools.extend(storage.projections.iter().map(|_| storage.database_pool_projections));
    pools.extend(storage.analytics.iter().map(|_| storage.database_pool_analytics));
    pools.extend(storage.auth.iter().map(|_| storage.database_pool_auth));
    FOR_EVERYTHING_ELSE + pools.into_iter().map(u64::from).sum::<u64>()
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

    const GIVEN: Given = Given {
        connections: 60_000,
        live: 50_000,
        descriptors: 1_048_576,
        others: 64,
        memory: None,
    };

    #[test]
    fn connections_stay_below_the_descriptors_and_get_at_least_half_of_them() {
        let connections = |connections, descriptors| {
            let given = Given {
                connections,
                descriptors,
                ..GIVEN
            };
            Capacity::of(given).connections
        };
        assert_eq!(connections(60_000, 1_048_576), 60_000);
        assert_eq!(connections(60_000, 256), 192);
        assert_eq!(connections(60_000, 80), 40);
        assert_eq!(connections(10, 256), 10);
    }

    #[test]
    fn live_connections_leave_a_tenth_of_all_connections_to_other_requests_whatever_limits_these() {
        let live = |given| {
            let Capacity {
                live, live_limited_by, ..
            } = Capacity::of(given);
            (live, live_limited_by)
        };
        assert_eq!(live(GIVEN), (50_000, LimitedBy::Settings));
        let wanted = Given { live: 90_000, ..GIVEN };
        assert_eq!(live(wanted), (54_000, LimitedBy::Connections));
        let descriptors = Given {
            descriptors: 256,
            ..GIVEN
        };
        assert_eq!(Capacity::of(descriptors).connections, 192);
        assert_eq!(live(descriptors), (172, LimitedBy::Descriptors));
        let memory = Given {
            memory: Some(400 * BYTES_EACH),
            ..GIVEN
        };
        assert_eq!(live(memory), (360, LimitedBy::Memory));
        let few = Given {
            live: 10,
            descriptors: 1_024,
            ..GIVEN
        };
        assert_eq!(live(few), (10, LimitedBy::Settings));
    }

    #[test]
    fn the_memory_that_is_left_is_read_as_linux_writes_it() {
        let text = "MemTotal:       16384000 kB\nMemFree:          100 kB\nMemAvailable:    2048 kB\n";
        assert_eq!(available(text), Some(2 * 1024 * 1024));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
    }
}
