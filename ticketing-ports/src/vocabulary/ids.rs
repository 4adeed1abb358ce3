//! The ids of things. Each kind of id is a type of its own, so that none is used in the place of another. All are
//! UUIDs.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// The text is not an id in the form in which the box office writes ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a UUID of 32 hexadecimal digits with four hyphens")]
pub struct InvalidId;

/// Reads a UUID of 32 hexadecimal digits, in upper or lower case, with four hyphens; `None` for any other text.
///
/// Other spellings of UUIDs (in braces, as a URN, without hyphens) are not accepted: the same id must not have several
/// spellings, because some callers compare ids as texts.
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
            /// Makes an id from its UUID.
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// Returns the UUID of the id.
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
    /// One code of one event, which customers enter for a lower price.
    CodeId;
    /// One commit to the event store. The writer makes the id, so that the writer can look the commit up if the
    /// store's answer is lost.
    CommitId;
    /// One customer. The `CustomerId` and the [`UserId`] of a signed-in user have the same UUID.
    CustomerId;
    /// One event on sale, such as a concert. An `EventId` is never the id of a fact.
    EventId;
    /// One fact. The id is the same each time the fact is published; `RecordedEvent::fact_id` says how it is made.
    FactId;
    /// One fee of one event.
    FeeId;
    /// One line of one order. The first line that an order begins with has the order's own UUID; see
    /// [`LineId::first_of`].
    LineId;
    /// One log of facts. A copy that is restored from a backup has the same id.
    LogId;
    /// One attempt to pay for a reservation.
    PaymentId;
    /// One pool of an event: a limit over several sections or ticket types.
    PoolId;
    /// One refund of a payment or of a part of it. By this id the gateway recognises a repeated request and does
    /// not pay twice.
    RefundId;
    /// One reservation: seats that are held, paid or given up together.
    ReservationId;
    /// One section of one event on sale. Each section has its own inventory.
    SectionId;
    /// One tax of one event.
    TaxId;
    /// One ticket, issued when a reservation is paid.
    TicketId;
    /// One ticket type of one section, such as `student`.
    TicketTypeId;
    /// One pricing tier of one event.
    TierId;
    /// A person with an account.
    UserId;
    /// One of several processes that can do the same work, such as running a follower.
    WorkerId;
}

impl LineId {
    /// Returns the id of the first line that a reservation begins with: the UUID of the reservation. So the line has
    /// the same id whether or not the fact that began it tells the ids of lines.
    pub const fn first_of(reservation: ReservationId) -> Self {
        Self(reservation.uuid())
    }
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

/// A source of new ids. The domain gets the source as an argument, so that a run with a seeded source can be replayed.
///
/// ```
/// use adapters_memory::SeededIds;
/// use ticketing_ports::vocabulary::ids::{EventId, IdSource};
///
/// let ids = SeededIds::new(1);
/// let (one, another) = (EventId::new(ids.uuid()), EventId::new(ids.uuid()));
/// assert_ne!(one, another);
/// ```
///
/// **Contract**
/// - `ids_never_repeat`: no two calls return the same id, from any thread.
pub trait IdSource: std::fmt::Debug + Send + Sync {
    /// Returns a UUID that this source has not returned before.
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
