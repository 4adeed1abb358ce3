//! Tests which files are refused when they are opened, and what a file contains after a crash.

mod support;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use adapters_sqlite::{OpenError, SqliteStore};
use sqlx::{Connection, SqliteConnection};
use support::commit;
use tempfile::TempDir;
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::identity::Incarnation;
use ticketing_ports::log::streams::Position;
use ticketing_ports::people::users::UserStore;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use uuid::Uuid;

const FILE_OF_THE_CHILD: &str = "ADAPTERS_SQLITE_TEST_FILE";
const FILE_TO_OPEN: &str = "ADAPTERS_SQLITE_FILE_TO_OPEN";

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
            .ends_with("box-office.db is used by another process; stop that process first, or choose another file")
    );

    store.commit(commit(1)).await.unwrap();
    store.close().await;
    let again = SqliteStore::open(&file).await.unwrap();
    assert_eq!(again.head().await.unwrap(), Position(1));
}

#[tokio::test]
async fn the_same_file_by_two_paths_is_refused_in_this_process_and_in_another() {
    let directory = TempDir::new().unwrap();
    let elsewhere = TempDir::new_in(directory.path()).unwrap();
    let file = directory.path().join("box-office.db");
    let (link, symlink) = (elsewhere.path().join("linked.db"), directory.path().join("alias.db"));
    SqliteStore::open(&file).await.unwrap().close().await;
    fs::hard_link(&file, &link).unwrap();
    std::os::unix::fs::symlink(&file, &symlink).unwrap();
    for first in [&file, &link, &symlink] {
        let store = SqliteStore::open(first).await.unwrap();
        for second in [&file, &link, &symlink] {
            let error = SqliteStore::open(second).await.unwrap_err();
            assert!(
                matches!(error, OpenError::InUse { .. }),
                "{first:?}, {second:?}: {error:?}"
            );
            assert_eq!(told_to_another_process(second), "in use", "{first:?}, {second:?}");
        }
        store.close().await;
    }
    assert_eq!(told_to_another_process(&link), "open");
}

#[tokio::test]
async fn removing_what_lies_beside_the_database_lets_nobody_else_in() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("box-office.db");
    let store = SqliteStore::open(&file).await.unwrap();
    for entry in fs::read_dir(&directory).unwrap() {
        let name = entry.unwrap().file_name();
        if !["box-office.db", "box-office.db-wal", "box-office.db-shm"].contains(&name.to_str().unwrap()) {
            fs::remove_file(directory.path().join(name)).unwrap();
        }
    }
    let error = SqliteStore::open(&file).await.unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    assert_eq!(told_to_another_process(&file), "in use");
    store.commit(commit(1)).await.unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn who_is_refused_does_not_take_the_owners_own_locks_away() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("box-office.db");
    let _store = SqliteStore::open(&file).await.unwrap();
    let before = posix_locks_on(&file);
    assert_ne!(before, Vec::<String>::new());
    SqliteStore::open(&file).await.unwrap_err();
    assert_eq!(posix_locks_on(&file), before);
}

/// Returns the POSIX locks that SQLite has on the file, as Linux lists them in `/proc/locks`.
#[cfg(target_os = "linux")]
fn posix_locks_on(file: &Path) -> Vec<String> {
    use std::os::unix::fs::MetadataExt as _;

    let number = format!(":{} ", fs::metadata(file).expect("the file exists").ino());
    let locks = fs::read_to_string("/proc/locks").expect("the list of locks that Linux provides can be read");
    let here = locks
        .lines()
        .filter(|line| line.contains(" POSIX ") && line.contains(&number));
    here.filter_map(|line| Some(line.split_once(": ")?.1.to_owned()))
        .collect()
}

/// Not a test by itself: other tests start this function in a child process. If the environment variable that those
/// tests set is missing, it returns at once.
#[tokio::test]
async fn child_that_opens_a_file_once() {
    let Ok(file) = env::var(FILE_TO_OPEN) else {
        return;
    };
    match SqliteStore::open(file).await {
        Ok(store) => {
            store.close().await;
            println!("\ntold: open");
        }
        Err(OpenError::InUse { .. }) => println!("\ntold: in use"),
        Err(error) => println!("\ntold: {error:?}"),
    }
}

/// Starts a child process that opens the file, and returns what that process prints about it.
fn told_to_another_process(file: &Path) -> String {
    let output = Command::new(env::current_exe().expect("the path of this test program is known"))
        .args(["--exact", "child_that_opens_a_file_once", "--nocapture"])
        .env(FILE_TO_OPEN, file)
        .output()
        .expect("this test program can be started as a child process");
    let output = String::from_utf8_lossy(&output.stdout);
    let told = output.lines().find_map(|line| line.strip_prefix("told: "));
    told.expect("the child prints a line that begins with `told: `")
        .to_owned()
}

#[tokio::test]
async fn closing_leaves_one_file_and_how_far_it_has_come() {
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
        BTreeSet::from(["box-office.db".into(), "box-office.db-head".into()])
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

/// Not a test by itself: the next test starts this function in a child process. If the environment variable that the
/// next test sets is missing, it returns at once.
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

#[tokio::test]
async fn a_file_whose_write_ahead_log_was_emptied_or_removed_is_refused_for_the_facts_that_it_has_lost() {
    for remove in [false, true] {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("box-office.db");
        let had = kill_after(20, &file).await.len();
        let wal = directory.path().join("box-office.db-wal");
        if remove {
            fs::remove_file(wal).unwrap();
        } else {
            fs::write(wal, "").unwrap();
        }
        let error = SqliteStore::open(&file).await.unwrap_err();
        assert!(
            matches!(error, OpenError::LostFacts { had: Position(known), .. } if known >= had as u64),
            "{error:?}"
        );
        let beside = directory.path().join("box-office.db-head");
        let how_to_go_on = format!("remove {} to go on without them", beside.display());
        assert!(error.to_string().ends_with(&how_to_go_on), "{error}");

        fs::remove_file(beside).unwrap();
        let store = SqliteStore::open(&file).await.unwrap();
        assert_eq!(store.identity().await.unwrap().incarnation, Incarnation::FIRST);
        store.commit(commit(1)).await.unwrap();
    }
}

#[tokio::test]
async fn an_older_copy_in_the_place_of_a_file_is_refused_and_lives_another_life_once_it_is_let_in() {
    let directory = TempDir::new().unwrap();
    let (file, copy) = (directory.path().join("box-office.db"), directory.path().join("copy.db"));
    let store = SqliteStore::open(&file).await.unwrap();
    store.commit(commit(1)).await.unwrap();
    let before = store.identity().await.unwrap();
    store.close().await;
    fs::copy(&file, &copy).unwrap();
    let store = SqliteStore::open(&file).await.unwrap();
    assert_eq!(store.identity().await.unwrap(), before, "nothing was lost so far");
    store.commit(commit(2)).await.unwrap();
    store.close().await;
    fs::copy(&copy, &file).unwrap();
    let error = SqliteStore::open(&file).await.unwrap_err();
    assert!(
        matches!(
            error,
            OpenError::LostFacts {
                has: Position(1),
                had: Position(2),
                ..
            }
        ),
        "{error:?}"
    );
    fs::remove_file(directory.path().join("box-office.db-head")).unwrap();
    let store = SqliteStore::open(&file).await.unwrap();
    let after = store.identity().await.unwrap();
    assert_eq!((after.log, after.incarnation), (before.log, before.incarnation.next()));
    store.commit(commit(3)).await.unwrap();
    store.close().await;
    let store = SqliteStore::open(&file).await.unwrap();
    assert_eq!(
        store.identity().await.unwrap(),
        after,
        "what is known is not forgotten again"
    );
}

#[tokio::test]
async fn another_path_to_a_file_that_was_not_closed_is_refused_for_its_newest_facts_are_beside_the_first() {
    let directory = TempDir::new().unwrap();
    let (file, link) = (
        directory.path().join("box-office.db"),
        directory.path().join("linked.db"),
    );
    let answered = kill_after(20, &file).await;
    fs::hard_link(&file, &link).unwrap();
    let error = SqliteStore::open(&link).await.unwrap_err();
    assert!(matches!(error, OpenError::OtherPath { .. }), "{error:?}");
    let store = SqliteStore::open(&file).await.unwrap();
    for number in answered {
        let found = store.find_commit(commit(number).id).await.unwrap();
        assert!(found.is_some(), "commit {number} was answered and is gone");
    }
    store.close().await;
    SqliteStore::open(&link).await.unwrap();
}

#[tokio::test]
async fn a_file_with_a_damaged_page_says_so_and_that_trying_again_is_of_no_use() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("box-office.db");
    let store = SqliteStore::open(&file).await.unwrap();
    store.commit(commit(1)).await.unwrap();
    store.close().await;
    damage(&file, "events").await;
    // Opening the file fails, because it looks up the newest fact, which is on the damaged page.
    let error = SqliteStore::open(&file).await.unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .ends_with("box-office.db is damaged; replace it by a backup")
    );
}

#[tokio::test]
async fn a_damaged_page_that_is_met_later_is_no_outage() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("box-office.db");
    let store = SqliteStore::open(&file).await.unwrap();
    store.commit(commit(1)).await.unwrap();
    store.close().await;
    damage(&file, "sqlite_autoindex_users_1").await;
    let store = SqliteStore::open(&file).await.unwrap();
    let error = store.find(UserId::new(Uuid::nil())).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
    assert!(!error.is_transient());
}

/// Overwrites the first page of a table or an index in the file with nonsense.
async fn damage(file: &Path, table: &'static str) {
    let mut connection = SqliteConnection::connect(file.to_str().expect("the path is valid UTF-8"))
        .await
        .expect("a database made by this test can be read and written");
    let page: i64 = sqlx::query_scalar("SELECT rootpage FROM sqlite_master WHERE name = ?")
        .bind(table)
        .fetch_one(&mut connection)
        .await
        .expect("a database made by this test can be read and written");
    connection
        .close()
        .await
        .expect("a database made by this test can be read and written");
    let at = (u64::try_from(page).expect("page numbers are positive") - 1) * 4096;
    let file = fs::File::options()
        .write(true)
        .open(file)
        .expect("a database made by this test can be read and written");
    std::os::unix::fs::FileExt::write_all_at(&file, &[0xA5; 4096], at)
        .expect("a database made by this test can be read and written");
}

/// Lets a child process commit until at least `answers` commits were answered, kills the process, and returns the
/// numbers of all commits that were answered.
async fn kill_after(answers: usize, file: &Path) -> BTreeSet<u128> {
    let mut child = spawn_child(file);
    let mut lines = BufReader::new(child.stdout.take().expect("the output of the child is piped"))
        .lines()
        .map_while(Result::ok);
    assert!(lines.any(|line| line == "open"), "the child did not start");
    let error = SqliteStore::open(file).await.expect_err("the child has the file open");
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    let mut numbers = lines.filter_map(|line| line.strip_prefix("answered ")?.parse().ok());
    let mut answered: BTreeSet<u128> = numbers.by_ref().take(answers).collect();
    child.kill().expect("the child still runs, so that it can be killed");
    // The answers that the child printed just before it was killed count too.
    answered.extend(numbers);
    child.wait().expect("the killed child can be waited for");
    assert!(answered.len() >= answers, "the child stopped by itself");
    answered
}

fn spawn_child(file: &Path) -> Child {
    Command::new(env::current_exe().expect("the path of this test program is known"))
        .args(["--exact", "child_that_commits_until_it_is_killed", "--nocapture"])
        .env(FILE_OF_THE_CHILD, file)
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test program can be started as a child process")
}
