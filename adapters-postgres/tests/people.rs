//! The suites of users, their passkeys and identities, run on a real PostgreSQL.

mod support;

use std::sync::Arc;

use adapters_postgres::{PostgresUserStore, Purpose};
use ticketing_ports::identities::IdentityStore;
use ticketing_ports::passkeys::PasskeyStore;
use ticketing_ports::users::UserStore;

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

async fn user_store() -> Arc<dyn UserStore> {
    Arc::new(PostgresUserStore::new(&fresh(Purpose::Auth).await))
}

async fn passkey_store() -> Arc<dyn PasskeyStore> {
    Arc::new(PostgresUserStore::new(&fresh(Purpose::Auth).await))
}

async fn identity_store() -> Arc<dyn IdentityStore> {
    Arc::new(PostgresUserStore::new(&fresh(Purpose::Auth).await))
}
