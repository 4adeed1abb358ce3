//! Who may give roles to whom.

use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::{Actor, Role};

use super::refusal::SignInRefusal;

/// Checks that one user may change the role of another.
///
/// # Errors
/// When the first user is no administrator, or both are the same user.
pub fn check_role_change(by: Actor, user: UserId) -> Result<(), SignInRefusal> {
    if by.role != Role::Admin {
        return Err(SignInRefusal::NotAnAdministrator);
    }
    if by.user_id == user {
        return Err(SignInRefusal::OwnRole);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_administrator_gives_roles_to_others_and_nobody_else_gives_any() {
        let [one, other] = [1, 2].map(|number| UserId::new(Uuid::from_u128(number)));
        let by = |role| Actor { user_id: one, role };
        assert_eq!(check_role_change(by(Role::Admin), other), Ok(()));
        assert_eq!(check_role_change(by(Role::Admin), one), Err(SignInRefusal::OwnRole));
        for role in [Role::Customer, Role::EventOwner] {
            for user in [one, other] {
                assert_eq!(
                    check_role_change(by(role), user),
                    Err(SignInRefusal::NotAnAdministrator)
                );
            }
        }
    }
}
