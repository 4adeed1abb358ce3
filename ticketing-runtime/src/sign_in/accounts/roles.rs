//! Gives roles to users, on behalf of administrators and operators.

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
    /// Gives the user of a mail address a role on behalf of an administrator, ends the user's sessions, and returns
    /// the user with the new role. The sessions end even if the user has the role already, because an earlier change
    /// may have failed before it ended them.
    ///
    /// # Errors
    /// When the caller is no administrator or names its own address, when nobody has an account with the address, or
    /// when a store fails. A repeated call finishes what the failed call began.
    pub async fn give_role(&self, by: Actor, email: &EmailAddress, role: Role) -> Result<User, SignInFailure> {
        let given = self.give_role_if_allowed(by, email, role).await;
        if let Err(SignInFailure::Refused(refusal)) = &given {
            audit::role_refused(by.user_id, role, *refusal);
        }
        given
    }

    async fn give_role_if_allowed(&self, by: Actor, email: &EmailAddress, role: Role) -> Result<User, SignInFailure> {
        // The caller's role is checked before the address is looked up, so that only an administrator learns who has
        // an account.
        if by.role != Role::Admin {
            return Err(SignInRefusal::NotAnAdministrator.into());
        }
        let Some(user) = self.find(email).await? else {
            return Err(SignInRefusal::NoSuchUser.into());
        };
        check_role_change(by, user.id)?;
        if self.change_role(user.id, role, Some(by.user_id)).await? {
            Ok(User { role, ..user })
        } else {
            // The account was erased after it was found.
            Err(SignInRefusal::NoSuchUser.into())
        }
    }

    /// Gives a user a role on behalf of an operator at the machine, and ends the user's sessions even if the user has
    /// the role already. Returns whether there is such a user.
    ///
    /// # Errors
    /// When a store fails. A repeated call finishes what the failed call began.
    pub async fn set_role(&self, user: UserId, role: Role) -> Result<bool, StoreError> {
        self.change_role(user, role, None).await
    }

    /// Changes a user's role and ends the user's sessions. Returns whether there is such a user. `by` is the administrator, or `None` for an operator at
    /// the machine.
    async fn change_role(&self, user: UserId, role: Role, by: Option<UserId>) -> Result<bool, StoreError> {
        let exists = self.inner.stores.users.set_role(user, role).await;
        // Also after an error: the store may have changed the role before its answer was lost.
        self.inner.sessions.forget_user(user);
        let exists = exists?;
        if exists {
            audit::record(AuditEntry::RoleChanged { role, by }, user);
            self.inner.sessions.end_all_of(user).await?;
        }
        Ok(exists)
    }
}
