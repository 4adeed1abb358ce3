//! Runs the conformance suites of the ports on a SQLite file.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use adapters_sqlite::SqliteStore;
use async_trait::async_trait;
use tempfile::TempDir;
use ticketing_ports::people::buyers::BuyerStore;
use ticketing_ports::people::identities::IdentityStore;
use ticketing_ports::people::one_time_tokens::OneTimeTokenStore;
use ticketing_ports::people::passkeys::PasskeyStore;
use ticketing_ports::people::users::UserStore;
use ticketing_testkit::conformance::durability::Durable;
use ticketing_testkit::conformance::snapshots::Snapshots;
use ticketing_testkit::conformance::{Backend, Keeping};

mod event_store {
    ticketing_testkit::event_store_conformance!(super::fresh().await);
}

mod deadlines {
    ticketing_testkit::deadline_store_conformance!(super::fresh().await);
}

mod idempotency {
    ticketing_testkit::idempotency_store_conformance!(super::fresh().await);
}

mod snapshots {
    ticketing_testkit::snapshot_store_conformance!(super::fresh_snapshots().await);
}

mod durability {
    ticketing_testkit::durability_conformance!(super::CrashingFile::new());
}

mod users {
    ticketing_testkit::user_store_conformance!(super::fresh_users().await);
}

mod one_time_tokens {
    ticketing_testkit::one_time_token_store_conformance!(super::fresh_tokens().await);
}

mod passkeys {
    ticketing_testkit::passkey_store_conformance!(super::fresh_passkeys().await);
}

mod identities {
    ticketing_testkit::identity_store_conformance!(super::fresh_identities().await);
}

mod buyers {
    ticketing_testkit::buyer_store_conformance!(super::fresh_buyers().await);
}

async fn fresh() -> Keeping<Backend, TempDir> {
    let (directory, store) = open().await;
    Keeping::new(Backend::of(store), directory)
}

async fn fresh_snapshots() -> Keeping<Snapshots, TempDir> {
    let (directory, store) = open().await;
    Keeping::new(Snapshots::of(store), directory)
}

async fn fresh_users() -> Keeping<Arc<dyn UserStore>, TempDir> {
    let (directory, store) = open().await;
    Keeping::new(Arc::new(store), directory)
}

async fn fresh_tokens() -> Keeping<Arc<dyn OneTimeTokenStore>, TempDir> {
    let (directory, store) = open().await;
    Keeping::new(Arc::new(store), directory)
}

async fn fresh_passkeys() -> Keeping<Arc<dyn PasskeyStore>, TempDir> {
    let (directory, store) = open().await;
    Keeping::new(Arc::new(store), directory)
}

async fn fresh_buyers() -> Keeping<Arc<dyn BuyerStore>, TempDir> {
    let (directory, store) = open().await;
    Keeping::new(Arc::new(store), directory)
}

async fn fresh_identities() -> Keeping<Arc<dyn IdentityStore>, TempDir> {
    let (directory, store) = open().await;
    Keeping::new(Arc::new(store), directory)
}

async fn open() -> (TempDir, SqliteStore) {
    let directory = TempDir::new().expect("a temporary directory can be made");
    let store = SqliteStore::open(directory.path().join("box-office.db"))
        .await
        .expect("the file can be opened");
    (directory, store)
}

/// Stands in for a file after a crash: each `open` copies the files of the store while that store is still open, and
/// opens the copy.
struct CrashingFile {
    directory: TempDir,
    opened: AtomicUsize,
}

impl CrashingFile {
    fn new() -> Self {
        Self {
            directory: TempDir::new().expect("a temporary directory can be made"),
            opened: AtomicUsize::new(0),
        }
    }

    fn file(&self, generation: usize) -> PathBuf {
        self.directory.path().join(format!("{generation}.db"))
    }
}

#[async_trait]
impl Durable for CrashingFile {
    async fn open(&self) -> Backend {
        let generation = self.opened.fetch_add(1, Ordering::SeqCst);
        if generation > 0 {
            for suffix in ["-head", "", "-wal"] {
                let [from, to] = [generation - 1, generation].map(|generation| {
                    let mut file = self.file(generation).into_os_string();
                    file.push(suffix);
                    file
                });
                fs::copy(from, to).expect("each file of the store can be copied");
            }
        }
        Backend::of(
            SqliteStore::open(self.file(generation))
                .await
                .expect("the file can be opened"),
        )
    }
}
