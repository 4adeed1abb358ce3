//! The first administrator.

use anyhow::bail;
use ticketing_ports::vocabulary::roles::Role;

use crate::config::{BootstrapAdmin, Settings};
use crate::serve::warn_of_links;
use crate::sign_in::sign_in_alone;
use crate::storage::Storage;

/// Makes sure that the address belongs to an administrator and returns a link that signs it in once.
///
/// # Errors
/// When the address belongs to somebody who is no administrator and was not to be promoted.
pub async fn bootstrap_admin(settings: &Settings, wanted: &BootstrapAdmin) -> anyhow::Result<String> {
    let storage = Storage::open(settings).await?;
    let sign_in = sign_in_alone(settings, &storage)?;
    let user = sign_in.ensure_user(&wanted.email, Role::Admin).await?.into_user();
    if user.role != Role::Admin {
        if !wanted.promote {
            bail!(
                "that address has an account as {}; say --promote to make it an administrator",
                user.role.as_str()
            );
        }
        sign_in.set_role(user.id, Role::Admin).await?;
    }
    warn_of_links(&settings.http);
    let link = sign_in.issue_link(&wanted.email).await?;
    storage.close().await;
    Ok(link)
}
