//! Redis: one server that tests share, and private ones for tests that stop or kill theirs.

mod server;

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use redis::{Client, Connection, ConnectionLike};
use tokio::sync::OnceCell;

use crate::finding::{self, Found, Source};
use crate::kind::Kind;
use crate::own_process::{OwnProcess, blocking};
use crate::service::Service;
use crate::url;
use server::Durability;

const TO_CONNECT: Duration = Duration::from_secs(30);
/// A test reserves its database for this many seconds. If the test is killed, another test may take the database
/// after that time.
const LEASE_SECONDS: u32 = 3_600;

static SHARED: OnceCell<Result<Redis, String>> = OnceCell::const_new();
static PREFIXES: AtomicU32 = AtomicU32::new(0);

/// The server that the tests of this process share. Each test uses a prefix or a database of its own.
#[derive(Debug, Clone)]
pub struct Redis {
    found: Arc<Found>,
}

/// Finds or starts the shared server. All calls in one process return the same one.
///
/// # Errors
/// Fails if the server that an environment variable names does not answer, or if no server is found and none can be
/// started.
pub async fn redis() -> Result<Redis> {
    finding::once(&SHARED, find()).await
}

async fn find() -> Result<Redis> {
    let found = finding::find(&SERVICE).await?;
    Ok(Redis { found: Arc::new(found) })
}

pub(crate) static SERVICE: Service = Service {
    kind: Kind::Redis,
    plan: || server::plan(Durability::InMemory),
    plan_durable: || server::plan(Durability::InMemory),
    ask: |url| Box::pin(ask(url)),
};

async fn ask(url: &str) -> Result<String> {
    let url = url.to_owned();
    blocking(move || {
        let information: String = redis::cmd("INFO").arg("server").query(&mut connect(&url)?)?;
        let version = information.lines().find_map(|line| line.strip_prefix("redis_version:"));
        Ok(format!(
            "Redis {}",
            version.context("the server does not report its version")?
        ))
    })
    .await
}

fn connect(url: &str) -> Result<Connection> {
    let client = Client::open(url).context("the URL is not a valid URL of a Redis server")?;
    let connection = client
        .get_connection_with_timeout(TO_CONNECT)
        .context("cannot connect to Redis")?;
    connection.set_read_timeout(Some(TO_CONNECT))?;
    connection.set_write_timeout(Some(TO_CONNECT))?;
    Ok(connection)
}

impl Redis {
    /// Returns the URL of the server with its first database. All tests share that database, so a test uses a prefix,
    /// or a database of its own.
    pub fn url(&self) -> &str {
        &self.found.address
    }

    /// Returns a prefix for keys that no other test uses or has used.
    pub fn fresh_prefix(&self, name_hint: &str) -> String {
        let number = PREFIXES.fetch_add(1, Ordering::Relaxed);
        let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), number);
        format!("{name_hint}:{}:{number}:{random:016x}:", std::process::id())
    }

    /// Returns an empty database that one test alone uses until the value is dropped.
    ///
    /// # Errors
    /// Fails if the server does not answer, or other tests use all its databases.
    pub async fn fresh_database(&self) -> Result<RedisDatabase> {
        let url = self.found.address.clone();
        blocking(move || RedisDatabase::take(&url)).await
    }

    pub fn source(&self) -> Source {
        self.found.source
    }

    /// The name and version of the service.
    pub fn version(&self) -> &str {
        &self.found.name
    }
}

/// A database that one test alone uses. It is empty at first, and is emptied and given back when the value is dropped.
#[derive(Debug)]
pub struct RedisDatabase {
    url: String,
    claims_url: String,
    claim: String,
}

impl RedisDatabase {
    /// Takes the first free database. A key in the database that the URL of the server names marks each one that is
    /// taken.
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
            let url = url::with_path(server, &number.to_string())?;
            redis::cmd("FLUSHDB").exec(&mut connect(&url)?)?;
            return Ok(Self {
                url,
                claims_url: server.to_owned(),
                claim,
            });
        }
        bail!("other tests use all {databases} databases of the server")
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
        // If this fails, the mark of the database expires, and the next test that takes the database empties it.
        let _ = self.give_back();
    }
}

/// A server that one test alone uses, and may stop and kill. Acknowledged writes survive, because every write waits for
/// the disk.
#[derive(Debug, Clone)]
pub struct OwnedRedis {
    url: String,
    process: OwnProcess,
}

impl OwnedRedis {
    /// Starts a server without data on a free port. It ends when the last clone is dropped.
    ///
    /// # Errors
    /// Fails if Redis is not installed or does not start.
    pub async fn start() -> Result<Self> {
        let (address, process) = OwnProcess::start(|| server::plan(Durability::Kept)).await?;
        let url = Kind::Redis.url(address);
        Ok(Self { url, process })
    }

    /// Returns the address of the service. It is the same after every start.
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
