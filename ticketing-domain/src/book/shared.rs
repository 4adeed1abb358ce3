//! Living with other writers of the same log: what an answer rests on, and taking assumptions back.

use std::collections::{BTreeMap, VecDeque};

use ticketing_ports::ids::{PaymentId, ReservationId, SectionId};
use ticketing_ports::streams::{Aggregate, StreamId, Version};

use super::command::{Command, Fact, StagedFact};
use super::{EventBook, Loaded};
use crate::inventory::{InventoryEvent, InventoryState};

/// The sections as the log is known to have them, and what is assumed beyond.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Confirmed {
    pub(super) sections: BTreeMap<SectionId, Loaded<InventoryState>>,
    /// The reservations that assumed facts are about, so that taking these back costs as much as they did.
    assumed: BTreeMap<SectionId, VecDeque<(Version, ReservationId)>>,
}

impl Confirmed {
    /// Takes note of a fact that is not in the log yet.
    pub(super) fn assume(&mut self, section: SectionId, version: Version, fact: &InventoryEvent) {
        if let Some(reservation) = fact.reservation_id() {
            self.assumed
                .entry(section)
                .or_default()
                .push_back((version, reservation));
        }
    }

    pub(super) fn forget(&mut self, section: SectionId) {
        self.sections.remove(&section);
        self.assumed.remove(&section);
    }
}

/// What is asked of a book.
#[derive(Debug, Clone, Copy)]
pub enum About<'a> {
    Command(&'a Command),
    Reservation(ReservationId),
    Payment(PaymentId),
    /// By its name.
    Section(&'a str),
}

impl EventBook {
    /// The streams that an answer given now would rest on, in the versions that this book knows.
    ///
    /// Facts are safe without it: a commit insists on what it was decided on. This is for answers that write nothing,
    /// a refusal or a view, which are wrong when somebody else has written in the meantime.
    pub fn rests_on(&self, about: About<'_>) -> Vec<(StreamId, Version)> {
        let mut streams = vec![StreamId::from(self.event_id)];
        match about {
            About::Command(command) => self.named_by(command, &mut streams),
            About::Reservation(id) => self.around_reservation(id, &mut streams),
            About::Payment(id) => self.around_payment(id, &mut streams),
            About::Section(name) => streams.extend(self.section_named(name)),
        }
        streams.sort_unstable();
        streams.dedup();
        // What is not loaded was not looked at.
        let looked_at = |stream: StreamId| Some((stream, self.known_version(stream)?));
        streams.into_iter().filter_map(looked_at).collect()
    }

    /// Takes note that facts this book staged are in the log now. They come in the order in which they were staged.
    pub fn confirm<'f>(&mut self, facts: impl IntoIterator<Item = &'f StagedFact>) {
        let Some(confirmed) = &mut self.confirmed else {
            return;
        };
        for staged in facts {
            let Fact::Inventory(fact) = &staged.fact else {
                continue;
            };
            let id = SectionId::new(staged.stream.id);
            let loaded = confirmed.sections.entry(id).or_default();
            if staged.version == loaded.version.next() {
                loaded.state.evolve(fact);
                loaded.version = staged.version;
            }
            if let Some(assumed) = confirmed.assumed.get_mut(&id) {
                while assumed.front().is_some_and(|(version, _)| *version <= loaded.version) {
                    assumed.pop_front();
                }
            }
        }
    }

    /// Takes back what was assumed of a stream. Returns whether it is still known, as the log had it when that was last
    /// heard of: then only what came after has to be read. Otherwise it is forgotten.
    pub fn rewind(&mut self, stream: StreamId) -> bool {
        if stream.aggregate == Aggregate::Inventory {
            let id = SectionId::new(stream.id);
            if let Some(confirmed) = &mut self.confirmed
                && let Some(loaded) = confirmed.sections.get(&id)
                && let Some(section) = self.sections.get_mut(&id)
            {
                let assumed = confirmed.assumed.remove(&id).unwrap_or_default();
                let reservations = assumed.into_iter().map(|(_, reservation)| reservation);
                section.state.take_back(&loaded.state, reservations);
                section.version = loaded.version;
                return true;
            }
        }
        self.forget(stream);
        false
    }

    fn named_by(&self, command: &Command, streams: &mut Vec<StreamId>) {
        match command {
            Command::CreateEvent { .. }
            | Command::Publish { .. }
            | Command::OpenSales { .. }
            | Command::CloseSales { .. }
            | Command::CancelEvent { .. } => {}
            Command::Hold { section, .. } => streams.extend(self.section_named(section)),
            Command::Authorize { reservation_id, .. } | Command::CancelReservation { reservation_id, .. } => {
                self.around_reservation(*reservation_id, streams);
            }
            Command::Pay {
                reservation_id,
                payment_id,
                ..
            } => {
                self.around_reservation(*reservation_id, streams);
                if let Some(payment_id) = payment_id {
                    self.around_payment(*payment_id, streams);
                }
            }
            Command::Refund { payment_id, .. } | Command::GatewayAnswered { payment_id, .. } => {
                self.around_payment(*payment_id, streams);
            }
            Command::DeadlineDue(deadline) => match deadline.key.stream.aggregate {
                Aggregate::Reservation => {
                    self.around_reservation(ReservationId::new(deadline.key.stream.id), streams);
                }
                Aggregate::Payment => self.around_payment(PaymentId::new(deadline.key.stream.id), streams),
                Aggregate::Catalog | Aggregate::Inventory => streams.push(deadline.key.stream),
            },
        }
    }

    fn around_reservation(&self, id: ReservationId, streams: &mut Vec<StreamId>) {
        streams.push(id.into());
        if let Some(loaded) = self.reservations.get(&id) {
            streams.extend(loaded.state.payment_id().map(StreamId::from));
        }
    }

    fn around_payment(&self, id: PaymentId, streams: &mut Vec<StreamId>) {
        streams.push(id.into());
        let order = self.payments.get(&id).and_then(|loaded| loaded.state.order());
        if let Some(order) = order {
            self.around_reservation(order.reservation_id, streams);
        }
    }

    fn section_named(&self, name: &str) -> Option<StreamId> {
        let section = self.listing()?.details.section(name)?;
        Some(section.section_id.into())
    }
}
