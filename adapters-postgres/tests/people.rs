//! Runs the conformance suites of users, passkeys, identities and buyers on a real PostgreSQL server.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

mod support;

use std::sync::Arc;

use adapters_postgres::{Database, PostgresUserStore, Purpose};
use chrono::DateTime;
use ticketing_ports::people::buyers::BuyerStore;
use ticketing_ports::people::erase::{Erase as _, Person};
use ticketing_ports::people::identities::{Identity, IdentityStore};
use ticketing_ports::people::passkeys::{Passkey, PasskeyStore};
use ticketing_ports::people::users::{User, UserStore};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::ids::{ReservationId, UserId};
use ticketing_ports::vocabulary::roles::Role;
use uuid::Uuid;

use support::fresh;

mod users {
    ticketing_testkit::user_store_conformance!(super::user_store().await);
}

mod passkeys {
    ticketing_testkit::passkey_store_conformance!(super::passkey_store().await);
}

mod identities {
    ticketing_testkit::identity_store_conformance!(super::identity_store().await);
}

mod buyers {
    ticketing_testkit::buyer_store_conformance!(super::buyer_store().await);
}

async fn user_store() -> Arc<dyn UserStore> {
    Arc::new(PostgresUserStore::new(&fresh(Purpose::Auth).await))
}

async fn passkey_store() -> Arc<dyn PasskeyStore> {
    Arc::new(PostgresUserStore::new(&fresh(Purpose::Auth).await))
}

async fn identity_store() -> Arc<dyn IdentityStore> {
    Arc::new(PostgresUserStore::new(&fresh(Purpose::Auth).await))
}

async fn buyer_store() -> Arc<dyn BuyerStore> {
    Arc::new(PostgresUserStore::new(&fresh(Purpose::Auth).await))
}

#[tokio::test]
async fn no_table_names_an_erased_person() {
    let database = fresh(Purpose::Auth).await;
    let people = PostgresUserStore::new(&database);
    let (id, at) = (UserId::new(Uuid::from_u128(0xADA)), DateTime::UNIX_EPOCH);
    let email = EmailAddress::parse("ada@example.com").unwrap();
    let user = User {
        id,
        email: email.clone(),
        role: Role::Customer,
        created_at: at,
    };
    people.create(user).await.unwrap();
    let passkey = Passkey {
        credential_id: vec![1],
        user_id: id,
        name: "Ada's key".to_owned(),
        credential: vec![1],
        counter: 0,
        created_at: at,
        last_used_at: None,
        suspect: false,
    };
    people.add(passkey, 10).await.unwrap();
    let identity = Identity {
        issuer: "https://id.example.com".to_owned(),
        subject: "countess".to_owned(),
        user_id: id,
        linked_at: at,
    };
    people.link(identity).await.unwrap();
    people.person_of(&email, id).await.unwrap();
    let order = ReservationId::new(Uuid::from_u128(0x0DE));
    people.give_address(order, &email).await.unwrap();
    for (table, rows) in tables(&database).await {
        assert!(
            !rows.is_empty(),
            "{table}: this test has to fill it, and erasing to empty it"
        );
    }

    let person = Person { id, email: Some(email) };
    assert_eq!(people.erase(&person).await.unwrap(), 5);
    for (table, rows) in tables(&database).await {
        assert_eq!(rows, "", "{table} still has the person");
    }
}

/// Returns the name of every table of the schema, with all of its rows as one text.
async fn tables(database: &Database) -> Vec<(String, String)> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT table_name::text
         FROM information_schema.tables
         WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'",
    )
    .fetch_all(database.pool())
    .await
    .unwrap();
    let mut tables = Vec::new();
    for name in names {
        let rows = format!("SELECT coalesce(string_agg(t::text, ' '), '') FROM \"{name}\" AS t");
        let rows = sqlx::query_scalar(sqlx::AssertSqlSafe(rows))
            .fetch_one(database.pool())
            .await;
        tables.push((name, rows.unwrap()));
    }
    tables
}
