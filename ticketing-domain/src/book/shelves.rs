//! The states of a book, a shelf for each aggregate of the closed list, and what is generated from that list.

use std::collections::BTreeMap;

use ticketing_ports::log::snapshots::Snapshot;
use ticketing_ports::log::streams::{Aggregate, RecordedEvent, StreamId, Version};

use crate::catalog::Catalog;
use crate::facts::Fact;
use crate::inventory::Inventory;
use crate::payment::Payment;
use crate::reducer::Reducer;
use crate::reservation::Reservation;
use crate::snapshot::UnreadableSnapshot;
use crate::stored::{StoredEvent, UnreadableEvent};

/// The state of one stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known<S> {
    pub(super) state: S,
    pub(super) head: Head,
}

/// How far a stream is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Head {
    /// How many facts the state has seen.
    pub(super) version: Version,
    /// How many of them are assumed: they are not known to be in the log yet.
    pub(super) assumed: u64,
    pub(super) standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Standing {
    /// Everything that the log had when it was last heard of.
    #[default]
    Whole,
    /// The first pages of it.
    Loading,
    /// Somebody else may have written to it: what follows has to be read before it is used.
    Stale,
    /// Somebody says that the log is elsewhere. If nothing follows, the log is behind, and the stream has to be forgotten.
    Suspect,
}

/// Boxed: a node of the map has room for eleven, and there are many of these.
pub(super) type Shelf<A> = BTreeMap<<A as Reducer>::Id, Box<Known<<A as Reducer>::State>>>;

/// A reducer of the closed list, with its shelf and its places in the enums made from that list.
pub trait Kept: Reducer {
    fn shelf(shelves: &Shelves) -> &Shelf<Self>;
    fn shelf_mut(shelves: &mut Shelves) -> &mut Shelf<Self>;
    fn fact(event: Self::Event) -> Fact;
    /// `None` if the fact is of another aggregate.
    fn of(fact: &Fact) -> Option<&Self::Event>;
    fn undone(undo: Self::Undo) -> Undone;
}

/// Applies facts to a state, in their order, as far as this build can read them.
fn absorb<A: Kept>(known: &mut Known<A::State>, facts: &[RecordedEvent]) -> Result<(), UnreadableEvent> {
    for fact in facts {
        drop(A::evolve(&mut known.state, &A::Event::from_recorded(fact)?));
        known.head.version = fact.version;
    }
    Ok(())
}

/// What a snapshot says, if this build reads it.
fn recall<A: Kept>(snapshot: &Snapshot) -> Result<Box<Known<A::State>>, UnreadableSnapshot> {
    let format = A::SNAPSHOTS
        .filter(|format| format.number == snapshot.format)
        .ok_or(UnreadableSnapshot::UnknownFormat(snapshot.format))?;
    let head = Head {
        version: snapshot.version,
        assumed: 0,
        standing: Standing::Loading,
    };
    let state = (format.read)(&snapshot.state)?;
    Ok(Box::new(Known { state, head }))
}

macro_rules! shelves {
    ($($name:ident: $text:literal, $id:ident;)+) => {
        /// What one fact changed in the state of its stream.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Undone {
            $($name(<$name as Reducer>::Undo),)+
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

        /// The number of the format in which snapshots of an aggregate are written; `None` if there are none of it.
        pub fn snapshot_format(aggregate: Aggregate) -> Option<u16> {
            match aggregate {
                $(Aggregate::$name => $name::SNAPSHOTS.map(|format| format.number),)+
            }
        }

        /// The known streams of every aggregate.
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct Shelves {
            $($name: Shelf<$name>,)+
        }

        impl Shelves {
            /// `None` if nothing is known of the stream.
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

            pub(super) fn is_settled(&self, stream: StreamId) -> bool {
                match stream.aggregate {
                    $(Aggregate::$name => {
                        self.$name.get(&$name::id(stream.id)).is_some_and(|known| $name::is_settled(&known.state))
                    })+
                }
            }

            /// Puts a state on its shelf, unless the stream is known.
            pub(super) fn begin_with(&mut self, stream: StreamId, recalled: Recalled) {
                match recalled {
                    $(Recalled::$name(known) => {
                        self.$name.entry($name::id(stream.id)).or_insert(known);
                    })+
                }
            }

            /// How many entries a snapshot of the stream has; `None` if there can be none of it.
            pub(super) fn entries(&self, stream: StreamId) -> Option<usize> {
                match stream.aggregate {
                    $(Aggregate::$name => {
                        let known = self.$name.get(&$name::id(stream.id))?;
                        $name::SNAPSHOTS.map(|format| (format.entries)(&known.state))
                    })+
                }
            }

            /// A state as bytes; `None` likewise.
            pub(super) fn write(&self, stream: StreamId) -> Option<Vec<u8>> {
                match stream.aggregate {
                    $(Aggregate::$name => {
                        let known = self.$name.get(&$name::id(stream.id))?;
                        $name::SNAPSHOTS.map(|format| (format.write)(&known.state))
                    })+
                }
            }

            /// Applies facts from the log. The stream is known afterwards.
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
