//! The three roles of users.

use serde::{Deserialize, Serialize};

use crate::vocabulary::ids::UserId;

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A customer buys tickets.
    Customer,
    /// An event owner creates events, and manages the events that they created.
    EventOwner,
    /// An admin may do everything.
    Admin,
}

impl Role {
    /// All roles, in the order of their declaration.
    pub const ALL: [Self; 3] = [Self::Customer, Self::EventOwner, Self::Admin];

    /// Returns the name under which the role is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::EventOwner => "event_owner",
            Self::Admin => "admin",
        }
    }

    /// Returns the role with that name; `None` if no role has it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// The signed-in user who asks for something, with the role that they have at that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The user.
    pub user_id: UserId,
    /// The role of the user.
    pub role: Role,
}
