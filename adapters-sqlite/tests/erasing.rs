//! Tests that the file keeps nothing of a person after that person is erased.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

use adapters_sqlite::SqliteStore;
use chrono::DateTime;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use tempfile::TempDir;
use ticketing_ports::people::buyers::BuyerStore as _;
use ticketing_ports::people::erase::{Erase as _, Person};
use ticketing_ports::people::identities::{Identity, IdentityStore as _};
use ticketing_ports::people::one_time_tokens::{OneTimeToken, OneTimeTokenStore as _, TokenPurpose};
use ticketing_ports::people::passkeys::{Passkey, PasskeyStore as _};
use ticketing_ports::people::users::{User, UserStore as _};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::ids::{ReservationId, UserId};
use ticketing_ports::vocabulary::roles::Role;
use ticketing_ports::vocabulary::secrets::SecretDigest;
use uuid::Uuid;

/// The names of columns that may identify a person.
const TELLING: [&str; 3] = ["user_id", "email", "subject"];
/// The one table with ids of people that erasing does not empty, since its rows are deleted after a day in any case.
const NOT_PERSONAL: &str = "idempotency_records";

#[tokio::test]
async fn no_table_names_an_erased_person() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("box-office.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let person = Person {
        id: UserId::new(Uuid::from_u128(0xADA)),
        email: Some(EmailAddress::parse("ada@example.com").unwrap()),
    };
    fill(&store, &person).await;
    store.close().await;
    for (table, rows) in tables_of_people(&path).await {
        assert_eq!(rows, 1, "{table}: this test has to fill it, and erasing to empty it");
    }

    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.erase(&person).await.unwrap(), 6);
    assert_eq!(store.erase(&person).await.unwrap(), 0);
    store.close().await;
    for (table, rows) in tables_of_people(&path).await {
        assert_eq!(rows, 0, "{table} still has the person");
    }
}

async fn fill(store: &SqliteStore, person: &Person) {
    let (id, at) = (person.id, DateTime::UNIX_EPOCH);
    let email = person.email.clone().unwrap();
    let token = OneTimeToken {
        digest: SecretDigest::from_bytes([1; 32]),
        purpose: TokenPurpose::MagicLink,
        subject: email.as_str().to_owned(),
        payload: Vec::new(),
        expires_at: at,
    };
    store.put(token).await.unwrap();
    let bought_with = email.clone();
    let user = User {
        id,
        email,
        role: Role::Customer,
        created_at: at,
    };
    store.create(user).await.unwrap();
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
    store.add(passkey, 10).await.unwrap();
    let identity = Identity {
        issuer: "https://id.example.com".to_owned(),
        subject: "countess".to_owned(),
        user_id: id,
        linked_at: at,
    };
    store.link(identity).await.unwrap();
    store.person_of(&bought_with, id).await.unwrap();
    let order = ReservationId::new(id.uuid());
    store.give_address(order, &bought_with).await.unwrap();
}

/// Returns the tables with a column that may identify a person, and how many rows each table has.
async fn tables_of_people(path: &std::path::Path) -> Vec<(String, i64)> {
    let url = format!("sqlite://{}", path.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let names: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let mut tables = Vec::new();
    for name in names {
        let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?)")
            .bind(&name)
            .fetch_all(&mut connection)
            .await
            .unwrap();
        if name == NOT_PERSONAL
            || !TELLING
                .iter()
                .any(|telling| columns.iter().any(|column| column == telling))
        {
            continue;
        }
        let count = AssertSqlSafe(format!("SELECT COUNT(*) FROM \"{name}\""));
        let rows = sqlx::query_scalar(count).fetch_one(&mut connection).await.unwrap();
        tables.push((name, rows));
    }
    assert!(tables.len() >= 4, "{tables:?}");
    tables
}
