//! Tests that one-time tokens in the file survive a restart, and that expired tokens are deleted from the file.

use adapters_sqlite::SqliteStore;
use chrono::{DateTime, TimeDelta};
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;
use ticketing_ports::Timestamp;
use ticketing_ports::people::one_time_tokens::{OneTimeToken, OneTimeTokenStore as _, TokenPurpose};
use ticketing_ports::vocabulary::secrets::SecretDigest;

#[tokio::test]
async fn a_token_of_one_process_is_taken_by_the_next() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("box-office.db");
    let first = SqliteStore::open(&path).await.unwrap();
    first.put(token(1)).await.unwrap();
    first.close().await;
    let second = SqliteStore::open(&path).await.unwrap();
    let taken = second.take(TokenPurpose::MagicLink, digest(1), now()).await.unwrap();
    assert_eq!(taken, Some(token(1)));
    second.close().await;
    let third = SqliteStore::open(&path).await.unwrap();
    let again = third.take(TokenPurpose::MagicLink, digest(1), now()).await.unwrap();
    assert_eq!(again, None);
}

#[tokio::test]
async fn expired_tokens_leave_the_file_when_another_is_taken_or_counted() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("box-office.db");
    let late = now() + TimeDelta::minutes(15);
    for taking in [true, false] {
        let store = SqliteStore::open(&path).await.unwrap();
        store.put(token(1)).await.unwrap();
        store.put(token(2)).await.unwrap();
        if taking {
            let unknown = store.take(TokenPurpose::MagicLink, digest(3), late).await.unwrap();
            assert_eq!(unknown, None);
        } else {
            let live = store
                .live_for(TokenPurpose::WebSocketTicket, "grace", late)
                .await
                .unwrap();
            assert_eq!(live, 0);
        }
        store.close().await;
        let url = format!("sqlite://{}", path.display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM one_time_tokens")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(rows, 0);
    }
}

fn now() -> Timestamp {
    DateTime::from_timestamp(1_800_000_000, 0).expect("this number of seconds is a date that the type can hold")
}

fn digest(number: u8) -> SecretDigest {
    SecretDigest::from_bytes([number; 32])
}

fn token(number: u8) -> OneTimeToken {
    OneTimeToken {
        digest: digest(number),
        purpose: TokenPurpose::MagicLink,
        subject: "ada@example.com".to_owned(),
        payload: b"ada@example.com".to_vec(),
        expires_at: now() + TimeDelta::minutes(15),
    }
}
