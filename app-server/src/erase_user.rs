//! The command `erase-user`: makes every store forget a person.

use anyhow::bail;

use crate::config::{EraseUser, Settings};
use crate::sign_in::sign_in_alone;
use crate::storage::{IfDown, Storage};

/// Erases the user with the given address, together with passkeys, linked identities and sessions. Purchases keep
/// the id of the user, which then leads to nobody. Without an account, erases the address of a guest.
///
/// # Errors
/// When nobody has an account under the address and no guest has given it, or the storage cannot be used.
pub async fn erase_user(settings: &Settings, wanted: &EraseUser) -> anyhow::Result<String> {
    let storage = Storage::open(settings, IfDown::Fail).await?;
    let sign_in = sign_in_alone(settings, &storage)?;
    let Some(user) = sign_in.accounts.find(&wanted.email).await? else {
        let erased = sign_in.accounts.forget_address(&wanted.email).await?;
        storage.close().await;
        if erased == 0 {
            bail!("nobody has an account under that address, and no guest has given it");
        }
        return Ok("Erased the address, which guests have given. Nobody has an account under it.".to_owned());
    };
    sign_in.accounts.erase(user.id).await?;
    storage.close().await;
    Ok(format!(
        "Erased user {}. Purchases keep this id and nothing else of the person.",
        user.id
    ))
}
