//! How a book gets to know streams, and forgets them.

use ticketing_ports::deadlines::DeadlineKind;
use ticketing_ports::ids::{PaymentId, ReservationId, SectionId};
use ticketing_ports::streams::{Aggregate, RecordedEvent, StreamId, Version};

use super::command::Command;
use super::{CANCELLATION_CHUNK, EventBook};
use crate::catalog::CatalogEvent;
use crate::inventory::InventoryEvent;
use crate::payment::PaymentEvent;
use crate::reservation::ReservationEvent;
use crate::stored::{StoredEvent, UnreadableEvent};

impl EventBook {
    /// Streams that have to be loaded before the command can be handled. Ask again after loading them: what they say
    /// may name more.
    pub fn missing(&self, command: &Command) -> Vec<StreamId> {
        let mut missing = self.missing_foundations();
        if !missing.is_empty() {
            return missing;
        }
        match command {
            Command::CreateEvent { .. }
            | Command::Publish { .. }
            | Command::OpenSales { .. }
            | Command::CloseSales { .. }
            | Command::CancelEvent { .. }
            | Command::Hold { .. } => {}
            Command::Authorize { reservation_id, .. } | Command::CancelReservation { reservation_id, .. } => {
                self.need_reservation(*reservation_id, &mut missing);
            }
            Command::Pay {
                reservation_id,
                payment_id,
                ..
            } => {
                self.need_reservation(*reservation_id, &mut missing);
                if let Some(payment_id) = payment_id {
                    self.need_payment(*payment_id, &mut missing);
                }
            }
            Command::Refund { payment_id, .. } | Command::GatewayAnswered { payment_id, .. } => {
                self.need_payment(*payment_id, &mut missing);
            }
            Command::DeadlineDue(deadline) => match deadline.key.kind {
                DeadlineKind::HoldExpiry => {
                    self.need_reservation(ReservationId::new(deadline.key.stream.id), &mut missing);
                }
                DeadlineKind::GatewayRetry => {
                    self.need_payment(PaymentId::new(deadline.key.stream.id), &mut missing);
                }
                DeadlineKind::CancellationChunk => {
                    for reservation in self.next_to_settle() {
                        self.need_reservation(reservation, &mut missing);
                    }
                }
                DeadlineKind::EventStart => {}
            },
        }
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    /// The catalog entry and all sections, which every command needs.
    pub fn missing_foundations(&self) -> Vec<StreamId> {
        let Some(catalog) = &self.catalog else {
            return vec![StreamId::from(self.event_id)];
        };
        let Some(listing) = catalog.state.listing() else {
            return Vec::new();
        };
        let sections = listing.details.sections.iter().map(|section| section.section_id);
        sections
            .filter(|id| !self.sections.contains_key(id))
            .map(StreamId::from)
            .collect()
    }

    /// The stream of a reservation, or of the payment it names, that is not loaded.
    pub fn need_reservation(&self, id: ReservationId, missing: &mut Vec<StreamId>) {
        match self.reservations.get(&id) {
            None => missing.push(StreamId::from(id)),
            Some(loaded) => {
                let payment = loaded
                    .state
                    .payment_id()
                    .filter(|payment| !self.payments.contains_key(payment));
                missing.extend(payment.map(StreamId::from));
            }
        }
    }

    /// The stream of a payment, or of the reservation it names, that is not loaded.
    pub fn need_payment(&self, id: PaymentId, missing: &mut Vec<StreamId>) {
        match self.payments.get(&id) {
            None => missing.push(StreamId::from(id)),
            Some(loaded) => {
                let reservation = loaded.state.order().filter(|order| order.event_id == self.event_id);
                let reservation = reservation.map(|order| order.reservation_id);
                missing.extend(
                    reservation
                        .filter(|id| !self.reservations.contains_key(id))
                        .map(StreamId::from),
                );
            }
        }
    }

    /// Reservations of a cancelled event that still have seats, the next chunk of them.
    pub(super) fn next_to_settle(&self) -> Vec<ReservationId> {
        let with_seats = self.sections.values().flat_map(|section| section.state.reservations());
        with_seats.take(CANCELLATION_CHUNK).collect()
    }

    /// Where the stream has been read to; [`Version::NONE`] also when it is not loaded.
    pub fn version(&self, stream: StreamId) -> Version {
        self.known_version(stream).unwrap_or(Version::NONE)
    }

    /// Nothing when the stream is not loaded.
    pub(super) fn known_version(&self, stream: StreamId) -> Option<Version> {
        match stream.aggregate {
            Aggregate::Catalog => self.catalog.as_ref().map(|loaded| loaded.version),
            Aggregate::Inventory => self
                .sections
                .get(&SectionId::new(stream.id))
                .map(|loaded| loaded.version),
            Aggregate::Reservation => self
                .reservations
                .get(&ReservationId::new(stream.id))
                .map(|loaded| loaded.version),
            Aggregate::Payment => self
                .payments
                .get(&PaymentId::new(stream.id))
                .map(|loaded| loaded.version),
        }
    }

    /// Takes in the next facts of a stream, in order. Without any, the stream is known not to exist.
    ///
    /// # Errors
    /// When this build cannot read one of them.
    pub fn load(&mut self, stream: StreamId, events: &[RecordedEvent]) -> Result<(), UnreadableEvent> {
        match stream.aggregate {
            Aggregate::Catalog => {
                let loaded = self.catalog.get_or_insert_default();
                for event in events {
                    loaded.state.evolve(&CatalogEvent::from_recorded(event)?);
                    loaded.version = event.version;
                }
            }
            Aggregate::Inventory => {
                let id = SectionId::new(stream.id);
                let confirmed = self.confirmed.as_mut().map(|confirmed| &mut confirmed.sections);
                let mut copies: Vec<_> = [Some(&mut self.sections), confirmed]
                    .into_iter()
                    .flatten()
                    .map(|sections| sections.entry(id).or_default())
                    .collect();
                for event in events {
                    let fact = InventoryEvent::from_recorded(event)?;
                    for loaded in &mut copies {
                        loaded.state.evolve(&fact);
                        loaded.version = event.version;
                    }
                }
            }
            Aggregate::Reservation => {
                let loaded = self.reservations.entry(ReservationId::new(stream.id)).or_default();
                for event in events {
                    loaded.state.evolve(&ReservationEvent::from_recorded(event)?);
                    loaded.version = event.version;
                }
            }
            Aggregate::Payment => {
                let loaded = self.payments.entry(PaymentId::new(stream.id)).or_default();
                for event in events {
                    loaded.state.evolve(&PaymentEvent::from_recorded(event)?);
                    loaded.version = event.version;
                }
            }
        }
        Ok(())
    }

    /// Drops what is known of a stream, so that it is read again when it is needed.
    pub fn forget(&mut self, stream: StreamId) {
        match stream.aggregate {
            Aggregate::Catalog => self.catalog = None,
            Aggregate::Inventory => {
                let id = SectionId::new(stream.id);
                self.sections.remove(&id);
                if let Some(confirmed) = &mut self.confirmed {
                    confirmed.forget(id);
                }
            }
            Aggregate::Reservation => drop(self.reservations.remove(&ReservationId::new(stream.id))),
            Aggregate::Payment => drop(self.payments.remove(&PaymentId::new(stream.id))),
        }
    }

    /// Drops a reservation or payment that nothing more will come of on its own.
    pub fn forget_if_settled(&mut self, stream: StreamId) {
        let settled = match stream.aggregate {
            Aggregate::Catalog | Aggregate::Inventory => false,
            Aggregate::Reservation => self
                .reservations
                .get(&ReservationId::new(stream.id))
                .is_some_and(|loaded| !loaded.state.is_live()),
            Aggregate::Payment => self
                .payments
                .get(&PaymentId::new(stream.id))
                .is_some_and(|loaded| !loaded.state.awaits_gateway()),
        };
        if settled {
            self.forget(stream);
        }
    }
}
