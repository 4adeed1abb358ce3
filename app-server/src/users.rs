//! What an operator does about people.

use anyhow::bail;

use crate::config::{Settings, Users, UsersRole};
use crate::sign_in::sign_in_alone;
use crate::storage::Storage;

/// Does it, and returns a line about it.
///
/// # Errors
/// When nobody has the address, or the storage cannot be used.
pub async fn users(settings: &Settings, wanted: &Users) -> anyhow::Result<String> {
    let Users::Role(UsersRole { email, role }) = wanted;
    let storage = Storage::open(settings).await?;
    let sign_in = sign_in_alone(settings, &storage)?;
    let Some(user) = sign_in.find_user(email).await? else {
        bail!("nobody has an account under that address; its owner signs in once before");
    };
    let role = *role;
    let line = if user.role == role {
        format!("User {} is {} already.", user.id, role.as_str())
    } else {
        sign_in.set_role(user.id, role).await?;
        format!("User {} is {} now, and signed out everywhere.", user.id, role.as_str())
    };
    storage.close().await;
    Ok(line)
}
