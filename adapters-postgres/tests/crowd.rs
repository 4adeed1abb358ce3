//! Tests of many requests that look up users at the same time.

mod support;

use std::sync::Arc;
use std::time::Duration;

use adapters_postgres::{Database, PostgresUserStore, Purpose};
use futures::future::join_all;
use sqlx::{PgPool, Postgres, Transaction};
use ticketing_ports::Timestamp;
use ticketing_ports::people::users::{User, UserStore as _};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::Role;
use tokio::task::JoinHandle;
use uuid::Uuid;

const CROWD: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn everybody_in_a_crowd_gets_the_user_they_asked_for() {
    let (_, users) = store().await;
    for number in 0..CROWD {
        users.create(user(number)).await.unwrap();
    }
    let asked = (0..4 * CROWD).map(|number| number % (2 * CROWD));
    let found = join_all(asked.clone().map(|number| users.find(user(number).id))).await;
    for (number, found) in asked.zip(found) {
        let expected = (number < CROWD).then(|| user(number));
        assert_eq!(found.unwrap(), expected, "user {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asked_first_may_give_up_and_the_others_are_answered() {
    let (database, users) = store().await;
    users.create(user(1)).await.unwrap();
    let locked = lock(database.pool()).await;
    let first = ask(&users, 1);
    until_somebody_waits(database.pool()).await;
    let others: Vec<_> = (0..CROWD).map(|_| ask(&users, 1)).collect();
    first.abort();
    locked.commit().await.unwrap();
    for other in others {
        assert_eq!(other.await.unwrap().unwrap(), Some(user(1)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_after_a_change_is_not_answered_with_what_was_before() {
    let (database, users) = store().await;
    users.create(user(1)).await.unwrap();
    let mut locked = lock(database.pool()).await;
    let before = ask(&users, 1);
    until_somebody_waits(database.pool()).await;
    sqlx::query("UPDATE users SET role = 'admin'")
        .execute(&mut *locked)
        .await
        .unwrap();
    locked.commit().await.unwrap();
    assert_eq!(users.find(user(1).id).await.unwrap().unwrap().role, Role::Admin);
    before.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_is_told_when_its_connection_breaks_and_served_afterwards() {
    let (database, users) = store().await;
    users.create(user(1)).await.unwrap();
    let locked = lock(database.pool()).await;
    let crowd: Vec<_> = (0..CROWD).map(|_| ask(&users, 1)).collect();
    let waiting = until_somebody_waits(database.pool()).await;
    sqlx::query("SELECT pg_terminate_backend(pid) FROM unnest($1) AS pid")
        .bind(waiting)
        .execute(database.pool())
        .await
        .unwrap();
    locked.commit().await.unwrap();
    let mut told = 0;
    for asked in crowd {
        match asked.await.unwrap() {
            Err(StoreError::Unavailable(_)) => told += 1,
            found => assert_eq!(found.unwrap(), Some(user(1))),
        }
    }
    assert!(told > 0, "nobody was told that the connection broke");
    assert_eq!(users.find(user(1).id).await.unwrap(), Some(user(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_read_troubles_nobody_else() {
    let (database, users) = store().await;
    users.create(user(1)).await.unwrap();
    users.create(user(2)).await.unwrap();
    sqlx::query("UPDATE users SET role = 'emperor' WHERE user_id = $1")
        .bind(user(1).id.uuid())
        .execute(database.pool())
        .await
        .unwrap();
    let locked = lock(database.pool()).await;
    let first = ask(&users, 3);
    until_somebody_waits(database.pool()).await;
    let (broken, whole) = (ask(&users, 1), ask(&users, 2));
    locked.commit().await.unwrap();
    assert_eq!(first.await.unwrap().unwrap(), None);
    let broken = broken.await.unwrap();
    assert!(matches!(broken, Err(StoreError::Inconsistent { .. })), "{broken:?}");
    assert_eq!(whole.await.unwrap().unwrap(), Some(user(2)));
}

async fn store() -> (Database, Arc<PostgresUserStore>) {
    let database = support::fresh(Purpose::Auth).await;
    let users = Arc::new(PostgresUserStore::new(&database));
    (database, users)
}

fn ask(users: &Arc<PostgresUserStore>, number: usize) -> JoinHandle<Result<Option<User>, StoreError>> {
    let users = Arc::clone(users);
    tokio::spawn(async move { users.find(user(number).id).await })
}

/// Locks the table of users, so that no statement can read it until the returned transaction ends.
async fn lock(pool: &PgPool) -> Transaction<'static, Postgres> {
    let mut locked = pool.begin().await.expect("the database begins a transaction");
    sqlx::query("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *locked)
        .await
        .expect("the table can be locked");
    locked
}

/// Waits until a statement waits for the lock on the table of users. Returns the ids of the server processes of all
/// statements that wait for that lock.
async fn until_somebody_waits(pool: &PgPool) -> Vec<i32> {
    loop {
        let waiting = sqlx::query_scalar(
            "SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
             WHERE NOT granted AND relation = 'users'::regclass::oid AND datname = current_database()",
        );
        let waiting: Vec<i32> = waiting.fetch_all(pool).await.expect("the view `pg_locks` can be read");
        if !waiting.is_empty() {
            return waiting;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn user(number: usize) -> User {
    User {
        id: UserId::new(Uuid::from_u128(number as u128)),
        email: EmailAddress::parse(&format!("person{number}@example.com")).expect("the text is a valid email address"),
        role: Role::Customer,
        created_at: Timestamp::UNIX_EPOCH,
    }
}
