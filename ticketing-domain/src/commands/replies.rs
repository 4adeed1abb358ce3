//! The replies to commands, each of which is a view of one stream.

use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::Version;
use ticketing_ports::read_models::availability::SectionAvailability;
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::read_models::reservations::ReservationView;

use crate::catalog::{Catalog, CatalogState, Codes};
use crate::command::Reply;
use crate::inventory::{Inventory, InventoryState};
use crate::payment::{Payment, PaymentState};
use crate::reservation::{Reservation, ReservationState};

impl Reply for EventView {
    type Of = Catalog;

    fn view(state: &CatalogState, version: Version, at: Timestamp) -> Option<Self> {
        Some(state.listing()?.view(version, at))
    }

    fn from_former_record(record: &str) -> Option<Self> {
        serde_json::from_str(record).ok()
    }
}

impl Reply for Codes {
    type Of = Catalog;

    fn view(state: &CatalogState, _: Version, _: Timestamp) -> Option<Self> {
        Some(Self::clone(&state.listing()?.codes))
    }
}

impl Reply for SectionAvailability {
    type Of = Inventory;

    /// The command was decided at `at`, so that is when the counts last changed.
    fn view(state: &InventoryState, _: Version, at: Timestamp) -> Option<Self> {
        Some(Self {
            section_id: state.section_id()?,
            name: state.name()?.clone(),
            total_capacity: state.seating()?.capacity(),
            counts: state.counts(at),
            last_updated: at,
        })
    }
}

impl Reply for ReservationView {
    type Of = Reservation;

    fn view(state: &ReservationState, version: Version, at: Timestamp) -> Option<Self> {
        state.view(version, at)
    }

    fn from_former_record(record: &str) -> Option<Self> {
        serde_json::from_str(record).ok()
    }
}

impl Reply for PaymentView {
    type Of = Payment;

    fn view(state: &PaymentState, version: Version, _: Timestamp) -> Option<Self> {
        state.view(version)
    }

    fn from_former_record(record: &str) -> Option<Self> {
        serde_json::from_str(record).ok()
    }
}
