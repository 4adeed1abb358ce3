//! Roles: who is given which, by whom.

use ticketing_domain::sign_in::{Refusal, check_role_change};
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::{Actor, Role};

use super::audit::{self, Event};
use super::{SignIn, SignInFailure};

impl SignIn {
    /// Gives the user of an address a role, on behalf of an administrator, and returns the user with it. The sessions of the
    /// user end, unless it had the role already.
    ///
    /// # Errors
    /// When whoever asks may not, nobody has the address, or a store fails; repeating it finishes the job.
    pub async fn give_role(&self, by: Actor, email: &EmailAddress, role: Role) -> Result<User, SignInFailure> {
        // Before anything is looked up: only an administrator learns who has an account.
        if by.role != Role::Admin {
            return Err(Refusal::NotAnAdministrator.into());
        }
        let Some(user) = self.find_user(email).await? else {
            return Err(Refusal::NoSuchUser.into());
        };
        check_role_change(by, user.id)?;
        if user.role != role {
            self.change_role(user.id, role, Some(by.user_id)).await?;
        }
        Ok(User { role, ..user })
    }

    /// Gives a user a role and ends its sessions at once. Returns whether there is such a user.
    ///
    /// # Errors
    /// When a store fails; repeating it finishes the job.
    pub async fn set_role(&self, user: UserId, role: Role) -> Result<bool, StoreError> {
        self.change_role(user, role, None).await
    }

    /// `by` is nothing for an operator at the machine.
    async fn change_role(&self, user: UserId, role: Role, by: Option<UserId>) -> Result<bool, StoreError> {
        let changed = self.inner.ports.users.set_role(user, role).await?;
        self.inner.recent.forget_all_of(user);
        audit::record(Event::RoleChanged { role, by }, user);
        self.logout_all(user).await?;
        Ok(changed)
    }
}
