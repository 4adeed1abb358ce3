//! Tests what a store says after somebody has removed, moved or replaced its files while it was open.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use adapters_sqlite::SqliteStore;
use support::commit;
use tempfile::TempDir;
use ticketing_ports::log::event_store::{CommitError, EventStore};
use ticketing_ports::log::idempotency::{IdempotencyKey, IdempotencyStore};
use ticketing_ports::log::streams::Position;
use ticketing_ports::people::users::UserStore;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::Role;
use uuid::Uuid;

#[tokio::test]
async fn nothing_is_said_to_be_written_to_a_database_that_was_removed() {
    let (_directory, file, store) = open().await;
    fs::remove_file(&file).unwrap();
    all_is_refused(&store).await;
}

#[tokio::test]
async fn nothing_is_said_to_be_written_to_a_write_ahead_log_that_was_removed() {
    let (_directory, file, store) = open().await;
    fs::remove_file(beside(&file, "-wal")).unwrap();
    all_is_refused(&store).await;
}

#[tokio::test]
async fn nothing_is_said_to_be_written_to_a_database_in_whose_place_is_another() {
    let (_directory, file, store) = open().await;
    fs::copy(&file, beside(&file, "-copy")).unwrap();
    fs::rename(beside(&file, "-copy"), &file).unwrap();
    all_is_refused(&store).await;
}

#[tokio::test]
async fn a_database_that_was_moved_away_is_written_again_once_it_is_back() {
    let (_directory, file, store) = open().await;
    let elsewhere = beside(&file, "-moved");
    fs::rename(&file, &elsewhere).unwrap();
    all_is_refused(&store).await;
    fs::rename(&elsewhere, &file).unwrap();
    store.ping().await.unwrap();
    let receipt = store.commit(commit(2)).await.unwrap();
    assert_eq!(receipt.last, Position(2));
}

/// Checks that the store accepts no write, confirms none, and says so when it is pinged.
async fn all_is_refused(store: &SqliteStore) {
    let refused = store.commit(commit(2)).await;
    assert!(matches!(refused, Err(CommitError::Unavailable(_))), "{refused:?}");
    let refused = store.set_role(UserId::new(Uuid::nil()), Role::Admin).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    let not_confirmed = store.find_commit(commit(1).id).await;
    assert!(not_confirmed.is_err(), "{not_confirmed:?}");
    let key = IdempotencyKey {
        user_id: UserId::new(Uuid::nil()),
        key: "a key".into(),
    };
    let not_repeated = store.find_answers(&[key]).await;
    assert!(not_repeated.is_err(), "{not_repeated:?}");
    let fault = store.ping().await.expect_err("the files are gone");
    assert!(
        std::error::Error::source(&fault).is_some_and(|why| why.to_string().contains("was removed, moved or replaced")),
        "{fault:?}"
    );
}

async fn open() -> (TempDir, PathBuf, SqliteStore) {
    let directory = TempDir::new().expect("a directory can be made");
    let file = directory.path().join("box-office.db");
    let store = SqliteStore::open(&file).await.expect("a new file can be opened");
    store.commit(commit(1)).await.expect("an open store takes a commit");
    (directory, file, store)
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(ending);
    path.into()
}
