//! A fact of any aggregate.

use ticketing_ports::log::streams::{Aggregate, Metadata, NewEvent, RecordedEvent};

use crate::catalog::Catalog;
use crate::inventory::Inventory;
use crate::payment::Payment;
use crate::reducer::Reducer;
use crate::reservation::Reservation;
use crate::stored::{StoredEvent, UnreadableEvent};

macro_rules! facts {
    ($($name:ident: $text:literal, $topic:literal, $id:ident;)+) => {
        /// A fact of any aggregate.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Fact {
            $(#[doc = concat!("A fact of a stream of the `", $text, "` aggregate.")] $name(<$name as Reducer>::Event),)+
        }

        impl Fact {
            /// Returns the fact in the form that the event store takes; `metadata` says what caused the fact.
            pub fn to_new_event(&self, metadata: Metadata) -> NewEvent {
                match self {
                    $(Self::$name(event) => event.to_new_event(metadata),)+
                }
            }

            /// Reads a stored fact of any stream.
            ///
            /// # Errors
            /// When this build cannot read the stored fact.
            pub fn from_recorded(recorded: &RecordedEvent) -> Result<Self, UnreadableEvent> {
                Ok(match recorded.stream.aggregate {
                    $(Aggregate::$name => Self::$name(StoredEvent::from_recorded(recorded)?),)+
                })
            }
        }
    };
}
ticketing_ports::for_each_aggregate!(facts);
