//! How many connections this process can have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::{Settings, StorageUrl};

/// Descriptors that are not for connections of clients: files, timers, the bus, Redis, mail, and what is opened for a
/// moment.
const FOR_EVERYTHING_ELSE: u64 = 64;

/// How many connections this process can have, and how many descriptors it can open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    pub connections: u32,
    pub descriptors: u64,
}

/// Raises the limit of open descriptors as far as the settings need it and the system allows it.
pub fn raise_descriptors(settings: &Settings) -> Capacity {
    let wanted = u64::from(settings.connections.max_connections);
    let others = others(settings);
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    let now = limit.current.unwrap_or(u64::MAX);
    let raised = now.max((wanted + others).min(most));
    let raised_limit = Rlimit {
        current: Some(raised),
        maximum: limit.maximum,
    };
    let descriptors = if raised > now && setrlimit(Resource::Nofile, raised_limit).is_ok() {
        raised
    } else {
        now
    };
    Capacity {
        connections: connections(wanted, others, descriptors),
        descriptors,
    }
}

/// Returns how many connections fit: all descriptors but those for everything else, and at least half of them.
fn connections(wanted: u64, others: u64, descriptors: u64) -> u32 {
    let fit = descriptors.saturating_sub(others).max(descriptors / 2).max(1);
    u32::try_from(wanted.min(fit)).unwrap_or(u32::MAX)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_stay_below_the_descriptors_and_get_at_least_half_of_them() {
        assert_eq!(connections(60_000, 64, 1_048_576), 60_000);
        assert_eq!(connections(60_000, 64, 256), 192);
        assert_eq!(connections(60_000, 64, 80), 40);
        assert_eq!(connections(10, 64, 256), 10);
    }
}
