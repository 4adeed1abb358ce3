//! Gives an installation databases, Redis keys and topics that no other test uses.

use std::sync::atomic::{AtomicU32, Ordering};

use adapters_redpanda::BusOptions;
use anyhow::bail;
use test_services::Broker;

use super::Installation;

/// The addresses of the services that an installation uses.
pub(crate) struct Places {
    pub(crate) databases: [String; 4],
    pub(crate) redis: String,
    pub(crate) brokers: String,
}

const DATABASES: [&str; 4] = ["events", "projections", "analytics", "auth"];

/// Returns an installation on the services that all tests of this process share.
pub(crate) async fn shared() -> anyhow::Result<Installation> {
    let broker = test_services::broker().await?;
    let installation = installed(&Places {
        databases: fresh_databases().await?,
        redis: test_services::redis().await?.url().to_owned(),
        brokers: broker.bootstrap().to_owned(),
    })?;
    // Clients cannot make topics at the mock broker, so the test makes them in the broker directly.
    if let Broker::Mock(mock) = broker {
        let prefix = installation.variable("REDPANDA_TOPIC_PREFIX")?.to_owned();
        let options = BusOptions {
            prefix,
            ..BusOptions::default()
        };
        mock.make_topics(&options.topics(), 2)?;
    }
    Ok(installation)
}

/// Makes the four databases of an installation on the server that all tests of this process share, and returns their
/// addresses.
pub(crate) async fn fresh_databases() -> anyhow::Result<[String; 4]> {
    let postgres = test_services::postgres().await?;
    let mut databases = Vec::new();
    for purpose in DATABASES {
        databases.push(postgres.fresh_database(purpose).await?);
    }
    let Ok(databases) = databases.try_into() else {
        bail!("an installation needs four databases");
    };
    Ok(databases)
}

pub(crate) async fn brokers() -> anyhow::Result<String> {
    Ok(test_services::broker().await?.bootstrap().to_owned())
}

/// Migrates the databases at these addresses, and chooses prefixes for Redis keys and topics that no other
/// installation uses.
pub(crate) fn installed(places: &Places) -> anyhow::Result<Installation> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let own = format!("t{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let [events, projections, analytics, auth] = &places.databases;
    let installation = Installation::default()
        .with("DATABASE_URL_EVENTS", events)
        .with("DATABASE_URL_PROJECTIONS", projections)
        .with("DATABASE_URL_ANALYTICS", analytics)
        .with("DATABASE_URL_AUTH", auth)
        .with("REDIS_URL", &places.redis)
        .with("REDIS_KEY_PREFIX", &format!("{own}:"))
        .with("REDPANDA_BROKERS", &places.brokers)
        .with("REDPANDA_TOPIC_PREFIX", &own)
        .with("REDPANDA_PARTITIONS", "2");
    installation.run(&["migrate"])?;
    Ok(installation)
}
