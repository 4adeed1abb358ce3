//! The command `users`, with which an operator gives somebody a role.

use anyhow::bail;

use crate::config::{Settings, Users, UsersRole};
use crate::sign_in::sign_in_alone;
use crate::storage::{IfDown, Storage};

/// Gives a user a role, ends the user's sessions, and returns a line about it to print.
///
/// # Errors
/// When nobody has an account under the address, or the storage cannot be used.
pub async fn users(settings: &Settings, wanted: &Users) -> anyhow::Result<String> {
    let Users::Role(UsersRole { email, role }) = wanted;
    let storage = Storage::open(settings, IfDown::Fail).await?;
    let sign_in = sign_in_alone(settings, &storage)?;
    let Some(user) = sign_in.accounts.find(email).await? else {
        bail!("nobody has an account under that address; its owner has to sign in once first");
    };
    let role = *role;
    // The role is given again even if the user has it already, because that also ends the user's sessions: an earlier
    // run of this command may have died after it gave the role and before it ended them.
    let exists = sign_in.accounts.set_role(user.id, role).await?;
    storage.close().await;
    if !exists {
        bail!("the account was erased meanwhile");
    }
    let role = role.as_str();
    Ok(format!(
        "User {} has the role {role} now, and is signed out everywhere.",
        user.id
    ))
}
