//! The command `bootstrap-admin`: makes the first administrator.

use anyhow::bail;
use ticketing_ports::vocabulary::roles::Role;
use ticketing_runtime::Ensured;

use crate::config::{BootstrapAdmin, Settings};
use crate::serve::warn_of_links;
use crate::sign_in::sign_in_alone;
use crate::storage::{IfDown, Storage};

/// Makes sure that the user with the given address is an administrator, and returns a link that signs this user in
/// once.
///
/// # Errors
/// When the user of the address is no administrator and `--promote` was not given, or a store fails.
pub async fn bootstrap_admin(settings: &Settings, wanted: &BootstrapAdmin) -> anyhow::Result<String> {
    let storage = Storage::open(settings, IfDown::Fail).await?;
    let sign_in = sign_in_alone(settings, &storage)?;
    match sign_in.accounts.ensure(&wanted.email, Role::Admin).await? {
        // With `--promote` the role is given again even to a user who is an administrator already, because that also
        // ends the user's sessions: an earlier run of this command may have died after it gave the role and before it
        // ended them.
        Ensured::Existing(user) if wanted.promote => {
            if !sign_in.accounts.set_role(user.id, Role::Admin).await? {
                bail!("the account was erased meanwhile; run the command again");
            }
        }
        Ensured::Existing(user) if user.role != Role::Admin => bail!(
            "that address has an account with the role {}; say --promote to make it an administrator",
            user.role.as_str()
        ),
        Ensured::Existing(_) | Ensured::Created(_) => {}
    }
    warn_of_links(&settings.http);
    let link = sign_in.ceremonies.issue_link(&wanted.email).await?;
    storage.close().await;
    Ok(link)
}
