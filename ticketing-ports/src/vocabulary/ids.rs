//! Typed identifiers. All are UUIDs; none can be used where another is meant.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// A text is not an id as this system writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is not a UUID with its hyphens")]
pub struct InvalidId;

/// Reads the one spelling in which ids are given out: 32 hexadecimal digits, of either case, with four hyphens. Other spellings of
/// UUIDs (in braces, as a URN, without hyphens) are none, so that nobody who compares texts takes one id for two.
pub fn parse_uuid(text: &str) -> Option<Uuid> {
    let hyphens = [8, 13, 18, 23];
    let shaped = text.len() == 36 && hyphens.iter().all(|&at| text.as_bytes()[at] == b'-');
    if shaped { Uuid::try_parse(text).ok() } else { None }
}

macro_rules! ids {
    ($($(#[doc = $doc:literal])+ $name:ident;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(s: &str) -> Result<Self, Self::Err> {
                parse_uuid(s).map(Self).ok_or(InvalidId)
            }
        }
    )+};
}

ids! {
    /// One commit to the event store, minted by the writer so that a lost answer can be looked up.
    CommitId;
    /// Who buys. The customer of a signed-in user has the same UUID as the user.
    CustomerId;
    /// An event on sale: a concert, a match. Facts in a stream are never called a bare "event id".
    EventId;
    /// One fact, whoever tells it and however often; made from its place, see `RecordedEvent::fact_id`.
    FactId;
    /// One log of facts, for as long as it exists; a copy restored from a backup has the same.
    LogId;
    /// One attempt to pay for a reservation.
    PaymentId;
    /// One refund of (a part of) a payment; makes a repeated refund at the gateway harmless.
    RefundId;
    /// Seats held, paid or given up together.
    ReservationId;
    /// One section of one event on sale, and so one inventory.
    SectionId;
    /// One admission, issued when a reservation is paid.
    TicketId;
    /// A person with an account.
    UserId;
    /// One of several processes that could do the same work.
    WorkerId;
}

impl From<UserId> for CustomerId {
    fn from(user: UserId) -> Self {
        Self(user.uuid())
    }
}

impl From<CustomerId> for UserId {
    fn from(customer: CustomerId) -> Self {
        Self(customer.uuid())
    }
}

/// Source of new identifiers, passed to the domain so that a run can be replayed.
///
/// **Contract**
/// - `ids_never_repeat`: no two calls return the same id, from any thread.
pub trait IdSource: Send + Sync {
    fn uuid(&self) -> Uuid;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = "0196c2a4-7b1e-7cc3-98c4-dc0c0c07398f";
        assert_eq!(id.parse::<EventId>().unwrap().to_string(), id);
        assert_eq!(id.to_uppercase().parse::<EventId>().unwrap().to_string(), id);
        for other in [
            format!("{{{id}}}"),
            format!("urn:uuid:{id}"),
            id.replace('-', ""),
            format!("{id} "),
            format!("{id}0"),
            id.replacen('-', "_", 1),
            id[1..].to_owned(),
            "0196c2a47b1e-7cc3-98c4-dc0c0c07398f-".to_owned(),
            String::new(),
        ] {
            assert_eq!(other.parse::<EventId>(), Err(InvalidId), "{other}");
        }
    }
}
