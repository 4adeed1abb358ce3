//! The states in a book: one shelf, a map from ids to states, for each aggregate of the list in
//! `ticketing_ports::for_each_aggregate!`, and the enums that are generated from that list.

use std::collections::BTreeMap;

use ticketing_ports::log::snapshots::Snapshot;
use ticketing_ports::log::streams::{Aggregate, RecordedEvent, StreamId, Version};

use crate::catalog::Catalog;
use crate::facts::Fact;
use crate::inventory::Inventory;
use crate::payment::Payment;
use crate::reducer::Reducer;
use crate::reservation::Reservation;
use crate::snapshot::{UnreadableSnapshot, read_state};
use crate::stored::{StoredEvent, UnreadableEvent};

/// The state of one stream, with how much of the stream the book has read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known<S> {
    pub(super) state: S,
    pub(super) head: Head,
}

/// How much of a stream a book has read, and whether it has to read more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Head {
    /// How many facts were applied to the state.
    pub(super) version: Version,
    /// How many of the applied facts are not known to be in the log yet.
    pub(super) assumed: u64,
    pub(super) standing: Standing,
}

/// Whether a stream has to be read before it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Standing {
    /// The state has every fact that the log had when the stream was last read.
    #[default]
    Whole,
    /// Only the first facts of the stream are in the state, from its first pages or a snapshot; the rest has to be
    /// read.
    Loading,
    /// Another process may have written to the stream: newer facts have to be read.
    Stale,
    /// The log has another version of the stream than the book. If no newer facts are found, the log has lost facts,
    /// and the book forgets the stream.
    Suspect,
}

/// The states of all streams of one aggregate, by id. They are boxed because each node of a `BTreeMap` reserves room
/// for eleven values, however few are in it.
pub(super) type Shelf<A> = BTreeMap<<A as Reducer>::Id, Box<Known<<A as Reducer>::State>>>;

/// A reducer whose states a book keeps. `for_each_aggregate!` lists these reducers, and generates a shelf and
/// variants of the enums for each.
///
/// ```
/// use ticketing_domain::book::Kept;
/// use ticketing_domain::catalog::{Catalog, CatalogEvent, SalesOpened};
/// use ticketing_domain::payment::Payment;
///
/// let fact = Catalog::fact(CatalogEvent::from(SalesOpened {}));
/// assert!(Catalog::of(&fact).is_some());
/// assert!(Payment::of(&fact).is_none());
/// ```
pub trait Kept: Reducer {
    /// Returns the map from ids to states in which a book keeps this aggregate.
    fn shelf(shelves: &Shelves) -> &Shelf<Self>;
    /// Returns the map from ids to states in which a book keeps this aggregate, to change it.
    fn shelf_mut(shelves: &mut Shelves) -> &mut Shelf<Self>;
    /// Wraps an event of this aggregate as a [`Fact`], which may be of any aggregate.
    fn fact(event: Self::Event) -> Fact;
    /// Returns the event that a fact wraps; `None` if the fact is of another aggregate.
    fn of(fact: &Fact) -> Option<&Self::Event>;
    /// Wraps what is needed to undo a fact of this aggregate in the type that the undo journal keeps.
    fn undone(undo: Self::Undo) -> Undone;
}

/// Applies facts to a state in their order. It stops at a fact that this build cannot read.
fn absorb<A: Kept>(known: &mut Known<A::State>, facts: &[RecordedEvent]) -> Result<(), UnreadableEvent> {
    for fact in facts {
        drop(A::evolve(&mut known.state, &A::Event::from_recorded(fact)?));
        known.head.version = fact.version;
    }
    Ok(())
}

/// Makes a state from a snapshot, if this build reads the snapshot's format.
fn recall<A: Kept>(snapshot: &Snapshot) -> Result<Box<Known<A::State>>, UnreadableSnapshot> {
    let head = Head {
        version: snapshot.version,
        assumed: 0,
        standing: Standing::Loading,
    };
    let state = read_state(A::SNAPSHOTS, snapshot)?;
    Ok(Box::new(Known { state, head }))
}

macro_rules! shelves {
    ($($name:ident: $text:literal, $topic:literal, $id:ident;)+) => {
        /// What one fact changed in the state of its stream, kept so that the change can be undone.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Undone {
            $(#[doc = concat!("A change in a stream of the `", $text, "` aggregate.")] $name(<$name as Reducer>::Undo),)+
        }

        /// The state of one stream, read back from a snapshot.
        #[derive(Debug)]
        pub(super) enum Recalled {
            $($name(Box<Known<<$name as Reducer>::State>>),)+
        }

        impl Recalled {
            pub(super) fn read(snapshot: &Snapshot) -> Result<Self, UnreadableSnapshot> {
                match snapshot.stream.aggregate {
                    $(Aggregate::$name => recall::<$name>(snapshot).map(Self::$name),)+
                }
            }
        }

        /// Returns the number of the format in which snapshots of an aggregate are written; `None` if the aggregate
        /// has none.
        pub fn snapshot_format(aggregate: Aggregate) -> Option<u16> {
            match aggregate {
                $(Aggregate::$name => $name::SNAPSHOTS.map(|format| format.number),)+
            }
        }

        /// The states in a book: for every aggregate, the streams that the book has read.
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct Shelves {
            $($name: Shelf<$name>,)+
        }

        impl Shelves {
            /// Returns how much of a stream the book has read; `None` if the book does not have the stream.
            pub(super) fn head(&self, stream: StreamId) -> Option<Head> {
                match stream.aggregate {
                    $(Aggregate::$name => self.$name.get(&$name::id(stream.id)).map(|known| known.head),)+
                }
            }

            pub(super) fn head_mut(&mut self, stream: StreamId) -> Option<&mut Head> {
                match stream.aggregate {
                    $(Aggregate::$name => self.$name.get_mut(&$name::id(stream.id)).map(|known| &mut known.head),)+
                }
            }

            pub(super) fn remove(&mut self, stream: StreamId) {
                match stream.aggregate {
                    $(Aggregate::$name => drop(self.$name.remove(&$name::id(stream.id))),)+
                }
            }

            pub(super) fn is_dormant(&self, stream: StreamId) -> bool {
                match stream.aggregate {
                    $(Aggregate::$name => {
                        self.$name.get(&$name::id(stream.id)).is_some_and(|known| $name::is_dormant(&known.state))
                    })+
                }
            }

            /// Puts a state that was read from a snapshot into the book, unless the book has the stream already.
            pub(super) fn begin_with(&mut self, stream: StreamId, recalled: Recalled) {
                match recalled {
                    $(Recalled::$name(known) => {
                        self.$name.entry($name::id(stream.id)).or_insert(known);
                    })+
                }
            }

            /// Returns how many entries a snapshot of the stream would have; `None` if the book does not have the
            /// stream, or its aggregate has no snapshots.
            pub(super) fn entries(&self, stream: StreamId) -> Option<usize> {
                match stream.aggregate {
                    $(Aggregate::$name => {
                        let known = self.$name.get(&$name::id(stream.id))?;
                        $name::SNAPSHOTS.map(|format| (format.entries)(&known.state))
                    })+
                }
            }

            /// Returns the state of the stream as the bytes of a snapshot; `None` if the book does not have the
            /// stream, or its aggregate has no snapshots.
            pub(super) fn write(&self, stream: StreamId) -> Option<Vec<u8>> {
                match stream.aggregate {
                    $(Aggregate::$name => {
                        let known = self.$name.get(&$name::id(stream.id))?;
                        $name::SNAPSHOTS.map(|format| (format.write)(&known.state))
                    })+
                }
            }

            /// Applies facts that were read from the log. A stream that the book does not have yet begins with them.
            pub(super) fn absorb(&mut self, stream: StreamId, facts: &[RecordedEvent]) -> Result<(), UnreadableEvent> {
                match stream.aggregate {
                    $(Aggregate::$name => {
                        absorb::<$name>(self.$name.entry($name::id(stream.id)).or_default(), facts)
                    })+
                }
            }

            pub(super) fn undo(&mut self, stream: StreamId, undone: Undone) {
                match undone {
                    $(Undone::$name(undo) => {
                        if let Some(known) = self.$name.get_mut(&$name::id(stream.id)) {
                            $name::undo(&mut known.state, undo);
                        }
                    })+
                }
            }
        }

        $(impl Kept for $name {
            fn shelf(shelves: &Shelves) -> &Shelf<Self> {
                &shelves.$name
            }

            fn shelf_mut(shelves: &mut Shelves) -> &mut Shelf<Self> {
                &mut shelves.$name
            }

            fn fact(event: Self::Event) -> Fact {
                Fact::$name(event)
            }

            fn of(fact: &Fact) -> Option<&Self::Event> {
                match fact {
                    Fact::$name(event) => Some(event),
                    _ => None,
                }
            }

            fn undone(undo: Self::Undo) -> Undone {
                Undone::$name(undo)
            }
        })+
    };
}
ticketing_ports::for_each_aggregate!(shelves);
