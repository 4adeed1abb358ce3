//! Redis: the one that tests share, and private ones for tests that break it.

mod server;

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use redis::{Client, Connection, ConnectionLike, IntoConnectionInfo};
use tokio::sync::OnceCell;

use crate::own_process::{OwnProcess, blocking};
use crate::ports::Port;
use crate::source::{self, Found, Source};
use server::Durability;

/// The URL of a server whose databases, but for the one it names, we may empty.
pub const VARIABLE: &str = "TEST_REDIS_URL";

const TO_CONNECT: Duration = Duration::from_secs(10);
/// A database that a killed test left behind is given to others after this.
const LEASE_SECONDS: u32 = 3_600;

static SHARED: OnceCell<Result<Redis, String>> = OnceCell::const_new();
static PREFIXES: AtomicU32 = AtomicU32::new(0);

/// The server that the tests of this process share. Each test takes a key space of its own.
#[derive(Debug, Clone)]
pub struct Redis {
    url: String,
    source: Source,
    version: String,
    _process: Option<OwnProcess>,
}

/// Finds the shared server, or starts it; every call of a process gives the same one.
///
/// # Errors
/// When none is given, none can be started, or the one given does not answer.
pub async fn redis() -> Result<Redis> {
    source::once(&SHARED, find()).await
}

async fn find() -> Result<Redis> {
    let (url, source, process) = match source::given(VARIABLE)? {
        Some(Found { address, source }) => (address, source, None),
        None => {
            let (url, process) = start(Durability::InMemory).await?;
            (url, Source::OwnProcess, Some(process))
        }
    };
    let asked = url.clone();
    let version = blocking(move || version(&asked))
        .await
        .with_context(|| format!("Redis ({source})"))?;
    source::announce("Redis", &version, source);
    Ok(Redis {
        url,
        source,
        version,
        _process: process,
    })
}

async fn start(durability: Durability) -> Result<(String, OwnProcess)> {
    let port = Port::free()?;
    let url = server::url(port.address());
    let process = OwnProcess::start(move || server::start(port, durability)).await?;
    Ok((url, process))
}

fn version(url: &str) -> Result<String> {
    let information: String = redis::cmd("INFO").arg("server").query(&mut connect(url)?)?;
    let version = information.lines().find_map(|line| line.strip_prefix("redis_version:"));
    Ok(version.context("it does not say its version")?.to_owned())
}

fn connect(url: &str) -> Result<Connection> {
    let client = Client::open(url).context("the URL is not one of Redis")?;
    let connection = client
        .get_connection_with_timeout(TO_CONNECT)
        .context("no connection")?;
    connection.set_read_timeout(Some(TO_CONNECT))?;
    connection.set_write_timeout(Some(TO_CONNECT))?;
    Ok(connection)
}

impl Redis {
    /// The URL of the server with its first database, which all tests see: take a prefix or a database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A beginning for keys that nobody else uses, now or earlier.
    pub fn fresh_prefix(&self, name_hint: &str) -> String {
        let number = PREFIXES.fetch_add(1, Ordering::Relaxed);
        let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), number);
        format!("{name_hint}:{}:{number}:{random:016x}:", std::process::id())
    }

    /// An empty database for one test alone, until the value is dropped.
    ///
    /// # Errors
    /// When the server does not answer, or other tests have all its databases.
    pub async fn fresh_database(&self) -> Result<RedisDatabase> {
        let url = self.url.clone();
        blocking(move || RedisDatabase::take(&url)).await
    }

    pub fn source(&self) -> Source {
        self.source
    }

    pub fn version(&self) -> &str {
        &self.version
    }
}

/// A database that was empty when it was taken. It is emptied and given back when it is dropped.
#[derive(Debug)]
pub struct RedisDatabase {
    url: String,
    claims_url: String,
    claim: String,
}

impl RedisDatabase {
    /// Claims the first free number by a key in the database that the server's URL names.
    fn take(server: &str) -> Result<Self> {
        let mut claims = connect(server)?;
        let own = claims.get_db();
        let (_, databases): (String, i64) = redis::cmd("CONFIG")
            .arg("GET")
            .arg("databases")
            .query(&mut claims)
            .context("the server does not say how many databases it has")?;
        for number in (0..databases).filter(|number| *number != own) {
            let claim = format!("box-office-tests:database:{number}");
            let mut set = redis::cmd("SET");
            set.arg(&claim)
                .arg(std::process::id())
                .arg("NX")
                .arg("EX")
                .arg(LEASE_SECONDS);
            if set.query::<Option<String>>(&mut claims)?.is_none() {
                continue;
            }
            let url = with_database(server, number)?;
            redis::cmd("FLUSHDB").exec(&mut connect(&url)?)?;
            return Ok(Self {
                url,
                claims_url: server.to_owned(),
                claim,
            });
        }
        bail!("other tests have all {databases} databases of the server")
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    fn give_back(&self) -> Result<()> {
        redis::cmd("FLUSHDB").exec(&mut connect(&self.url)?)?;
        redis::cmd("DEL")
            .arg(&self.claim)
            .exec(&mut connect(&self.claims_url)?)?;
        Ok(())
    }
}

impl Drop for RedisDatabase {
    fn drop(&mut self) {
        // Where this fails the claim runs out by itself, and whoever takes the database next empties it.
        let _ = self.give_back();
    }
}

/// The URL with its database, the path, replaced.
fn with_database(url: &str, number: i64) -> Result<String> {
    let (scheme, rest) = url.split_once("://").context("the URL is not one of Redis")?;
    let (rest, query) = rest
        .split_once('?')
        .map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let authority = rest.split('/').next().unwrap_or_default();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let url = format!("{scheme}://{authority}/{number}{query}");
    url.as_str()
        .into_connection_info()
        .context("the URL is not one of Redis")?;
    Ok(url)
}

/// A server for one test to stop and to kill. What was acknowledged stays: every write waits for the disk.
#[derive(Debug, Clone)]
pub struct OwnedRedis {
    url: String,
    process: OwnProcess,
}

impl OwnedRedis {
    /// Starts a server on a free port, with data of its own; it is gone when the last clone is.
    ///
    /// # Errors
    /// When Redis is not installed or does not come up.
    pub async fn start() -> Result<Self> {
        let (url, process) = start(Durability::Kept).await?;
        Ok(Self { url, process })
    }

    /// The same after every start.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Deref for OwnedRedis {
    type Target = OwnProcess;

    fn deref(&self) -> &OwnProcess {
        &self.process
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_replaces_the_path_and_keeps_the_rest_of_the_url() {
        for (url, expected) in [
            ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379/7"),
            ("redis://127.0.0.1:6379/", "redis://127.0.0.1:6379/7"),
            ("redis://:word@cache/3", "redis://:word@cache/7"),
            ("redis://cache/3?protocol=resp3", "redis://cache/7?protocol=resp3"),
        ] {
            assert_eq!(with_database(url, 7).unwrap(), expected);
        }
        assert!(with_database("cache:6379", 7).is_err());
    }
}
