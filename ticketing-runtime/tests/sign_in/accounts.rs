//! How an operator makes sure that an account exists, and what debug output never shows of accounts.

use ticketing_ports::vocabulary::roles::Role;
use ticketing_runtime::Ensured;

use crate::door::{Door, ada};

#[tokio::test]
async fn ensuring_a_user_changes_nobodys_role() {
    let door = Door::new();
    let created = door.sign_in.accounts.ensure(&ada(), Role::Admin).await.unwrap();
    assert!(matches!(&created, Ensured::Created(user) if user.role == Role::Admin));
    let again = door.sign_in.accounts.ensure(&ada(), Role::Customer).await.unwrap();
    assert_eq!(again, Ensured::Existing(created.into_user()));
}

#[tokio::test]
async fn debug_output_shows_neither_secrets_nor_addresses() {
    let door = Door::new();
    let ada = door.signed_in().await;
    let ensured = door
        .sign_in
        .accounts
        .ensure(&ada.user.email, Role::Customer)
        .await
        .unwrap();
    let printed = format!("{:?} {ada:?} {ensured:?}", door.sign_in);
    assert!(!printed.contains("example.com\""), "{printed}");
    assert!(!printed.contains("ada@"), "{printed}");
    assert!(!printed.contains(&ada.secret.expose()), "{printed}");
}
