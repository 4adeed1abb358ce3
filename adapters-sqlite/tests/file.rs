//! Who may open which file, and what is in it after a crash.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use adapters_sqlite::{OpenError, SqliteStore};
use chrono::DateTime;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;
use ticketing_ports::event_store::{Append, Commit, EventStore};
use ticketing_ports::ids::{CommitId, EventId, ReservationId};
use ticketing_ports::streams::{Metadata, NewEvent, Position, Version};
use uuid::Uuid;

const FILE_OF_THE_CHILD: &str = "ADAPTERS_SQLITE_TEST_FILE";

#[tokio::test]
async fn a_file_is_open_once() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("box-office.db");
    let store = SqliteStore::open(&file).await.unwrap();
    store.ping().await.unwrap();
    let error = SqliteStore::open(&file).await.unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .ends_with("box-office.db is used by another process; stop it first, or choose another file")
    );

    store.commit(commit(1)).await.unwrap();
    store.close().await;
    let again = SqliteStore::open(&file).await.unwrap();
    assert_eq!(again.head().await.unwrap(), Position(1));
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_is_open_once_also_under_another_name() {
    let directory = TempDir::new().unwrap();
    let (file, alias) = (
        directory.path().join("box-office.db"),
        directory.path().join("alias.db"),
    );
    SqliteStore::open(&file).await.unwrap().close().await;
    std::os::unix::fs::symlink(&file, &alias).unwrap();
    let _store = SqliteStore::open(&file).await.unwrap();
    let error = SqliteStore::open(&alias).await.unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
}

#[tokio::test]
async fn closing_leaves_one_file_and_its_lock() {
    let directory = TempDir::new().unwrap();
    let store = SqliteStore::open(directory.path().join("box-office.db")).await.unwrap();
    store.commit(commit(1)).await.unwrap();
    store.close().await;
    let files: BTreeSet<_> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(
        files,
        BTreeSet::from(["box-office.db".into(), "box-office.db.lock".into()])
    );
}

#[tokio::test]
async fn a_missing_directory_is_not_created() {
    let directory = TempDir::new().unwrap();
    let error = SqliteStore::open(directory.path().join("nowhere/box-office.db"))
        .await
        .unwrap_err();
    assert!(matches!(error, OpenError::NoSuchDirectory { .. }), "{error:?}");
}

#[tokio::test]
async fn a_file_of_another_kind_is_left_alone() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("letter.txt");
    let letter = "Dear Ada, ".repeat(1000);
    fs::write(&file, &letter).unwrap();
    let error = SqliteStore::open(&file).await.unwrap_err();
    assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), letter);
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_left_alone() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("box-office.db");
    SqliteStore::open(&file).await.unwrap().close().await;
    let mut connection = SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', TRUE, X'00', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let error = SqliteStore::open(&file).await.unwrap_err();
    assert!(matches!(error, OpenError::NewerSchema { .. }), "{error:?}");
}

/// Not a test of its own: what the child of the next test does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_commits_until_it_is_killed() {
    let Ok(file) = env::var(FILE_OF_THE_CHILD) else {
        return;
    };
    let store = SqliteStore::open(file).await.unwrap();
    println!("\nopen");
    let writers = (0..8_u128).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for turn in 0.. {
                let number = turn * 8 + writer;
                store.commit(commit(number)).await.unwrap();
                println!("answered {number}");
            }
        })
    });
    futures::future::join_all(writers).await;
}

#[tokio::test]
async fn what_was_answered_outlives_kill_9() {
    for answers in [1, 100, 700] {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("box-office.db");
        let answered = kill_after(answers, &file).await;
        let store = SqliteStore::open(&file).await.unwrap();
        for number in answered {
            let found = store.find_commit(commit(number).id).await.unwrap();
            assert!(found.is_some(), "commit {number} was answered and is gone");
        }
        let log = store.read_all(Position::START, usize::MAX).await.unwrap();
        assert!(
            log.iter().map(|event| event.position.0).eq(1..=log.len() as u64),
            "the log has gaps"
        );
    }
}

/// Lets a child write until it was answered so many times, and returns what was answered.
async fn kill_after(answers: usize, file: &Path) -> BTreeSet<u128> {
    let mut child = spawn_child(file);
    let mut lines = BufReader::new(child.stdout.take().expect("the output is piped"))
        .lines()
        .map_while(Result::ok);
    assert!(lines.any(|line| line == "open"), "the child did not start");
    let error = SqliteStore::open(file).await.expect_err("the child has the file open");
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    let mut numbers = lines.filter_map(|line| line.strip_prefix("answered ")?.parse().ok());
    let mut answered: BTreeSet<u128> = numbers.by_ref().take(answers).collect();
    child.kill().expect("the child runs");
    // What was printed before the end counts as well.
    answered.extend(numbers);
    child.wait().expect("the child was killed");
    assert!(answered.len() >= answers, "the child stopped by itself");
    answered
}

fn spawn_child(file: &Path) -> Child {
    Command::new(env::current_exe().expect("a test knows its program"))
        .args(["--exact", "child_that_commits_until_it_is_killed", "--nocapture"])
        .env(FILE_OF_THE_CHILD, file)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program can be started again")
}

fn commit(number: u128) -> Commit {
    Commit {
        id: CommitId::new(Uuid::from_u128(number)),
        lane: EventId::new(Uuid::nil()).into(),
        at: DateTime::UNIX_EPOCH,
        appends: vec![Append {
            stream: ReservationId::new(Uuid::from_u128(number)).into(),
            expected: Version::NONE,
            events: vec![NewEvent {
                event_type: "held".into(),
                event_version: 1,
                data: b"{}".to_vec(),
                metadata: Metadata::default(),
            }],
        }],
        deadlines: Vec::new(),
        idempotency: Vec::new(),
        landmarks: Vec::new(),
    }
}
