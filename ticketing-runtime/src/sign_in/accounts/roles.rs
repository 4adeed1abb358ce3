//! Roles of users: who gives which role to whom.

use ticketing_domain::sign_in::{SignInRefusal, check_role_change};
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::{Actor, Role};

use super::Accounts;
use crate::sign_in::SignInFailure;
use crate::sign_in::audit::{self, AuditEntry};

impl Accounts {
    /// Gives the user of an address a role on behalf of an administrator, ends the sessions of the user, and returns the
    /// user with the role. The sessions end also when the user has the role already, because an earlier change may have
    /// failed before it ended them.
    ///
    /// # Errors
    /// When the caller is no administrator or names its own address, nobody has an account under the address, or a store
    /// fails. A repeated call finishes what a failed one began.
    pub async fn give_role(&self, by: Actor, email: &EmailAddress, role: Role) -> Result<User, SignInFailure> {
        // Checked before the address is looked up: only an administrator learns who has an account.
        if by.role != Role::Admin {
            return Err(SignInRefusal::NotAnAdministrator.into());
        }
        let Some(user) = self.find(email).await? else {
            return Err(SignInRefusal::NoSuchUser.into());
        };
        check_role_change(by, user.id)?;
        self.change_role(user.id, role, Some(by.user_id)).await?;
        Ok(User { role, ..user })
    }

    /// Gives a user a role on behalf of an operator at the machine, and ends the sessions of the user, also when the user
    /// has the role already. Returns whether there is such a user.
    ///
    /// # Errors
    /// When a store fails. A repeated call finishes what a failed one began.
    pub async fn set_role(&self, user: UserId, role: Role) -> Result<bool, StoreError> {
        self.change_role(user, role, None).await
    }

    /// `by` is `None` for an operator at the machine.
    async fn change_role(&self, user: UserId, role: Role, by: Option<UserId>) -> Result<bool, StoreError> {
        let changed = self.inner.users.set_role(user, role).await?;
        self.inner.sessions.forget_user(user);
        audit::record(AuditEntry::RoleChanged { role, by }, user);
        self.inner.sessions.end_all_of(user).await?;
        Ok(changed)
    }
}
