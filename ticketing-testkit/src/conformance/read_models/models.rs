//! The ports of a store of read models, and the batches that rules give it.

use std::fmt;
use std::sync::Arc;

use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::Position;
use ticketing_ports::read_models::availability::AvailabilityQueries;
use ticketing_ports::read_models::changes::Change;
use ticketing_ports::read_models::events::{DraftsVisible, EventQueries, EventView};
use ticketing_ports::read_models::payments::PaymentQueries;
use ticketing_ports::read_models::reservations::ReservationQueries;
use ticketing_ports::read_models::sales::SalesQueries;
use ticketing_ports::read_models::store::{ProjectedBatch, ProjectionStore};
use ticketing_ports::vocabulary::ids::{CommitId, LogId};
use ticketing_ports::vocabulary::seating::SeatCounts;
use uuid::Uuid;

use super::paging::page;
use super::rows::event_id;
use crate::conformance::fixtures::at;
use crate::conformance::{Broken, Verdict};

/// The ports of one store of read models.
#[derive(Clone)]
pub struct ReadModels {
    pub projection: Arc<dyn ProjectionStore>,
    pub events: Arc<dyn EventQueries>,
    pub availability: Arc<dyn AvailabilityQueries>,
    pub reservations: Arc<dyn ReservationQueries>,
    pub payments: Arc<dyn PaymentQueries>,
    pub sales: Arc<dyn SalesQueries>,
}

impl ReadModels {
    pub fn of<S>(store: S) -> Self
    where
        S: ProjectionStore
            + EventQueries
            + AvailabilityQueries
            + ReservationQueries
            + PaymentQueries
            + SalesQueries
            + 'static,
    {
        let store = Arc::new(store);
        Self {
            projection: store.clone(),
            events: store.clone(),
            availability: store.clone(),
            reservations: store.clone(),
            payments: store.clone(),
            sales: store,
        }
    }

    /// Applies the changes as one batch, as if the next fact of the log had caused all of them.
    pub(super) async fn apply(&self, changes: Vec<Change>) -> Verdict {
        let Position(after) = self.position().await?;
        Ok(self.projection.apply(batch(after, after + 1, changes)).await?)
    }

    pub(super) async fn position(&self) -> Result<Position, Broken> {
        Ok(self.projection.checkpoint().await?.position)
    }

    pub(super) async fn all_events(&self) -> Result<Vec<EventView>, Broken> {
        Ok(self.events.events(None, DraftsVisible::All, page(1, 100)).await?.rows)
    }

    pub(super) async fn counts(&self, event: usize) -> Result<Vec<SeatCounts>, Broken> {
        let availability = self.availability.availability(event_id(event), at(0)).await?;
        let sections = availability.map(|found| found.sections).unwrap_or_default();
        Ok(sections.into_iter().map(|section| section.counts).collect())
    }
}

impl fmt::Debug for ReadModels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadModels").finish_non_exhaustive()
    }
}

pub(super) fn batch(after: u64, upto: u64, changes: Vec<Change>) -> ProjectedBatch {
    let (after, upto) = (mark(after), mark(upto));
    ProjectedBatch { after, upto, changes }
}

/// Returns the mark at a position, as if each fact had a commit of its own. The mark of position 0 names no log.
pub(super) fn mark(position: u64) -> Mark {
    if position == 0 {
        return Mark::of_no_log(Position::START);
    }
    Mark {
        log: LogId::new(Uuid::from_u128(1)),
        position: Position(position),
        commit: CommitId::new(Uuid::from_u128(u128::from(position))),
    }
}
