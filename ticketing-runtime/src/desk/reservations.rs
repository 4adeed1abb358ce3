//! Questions about reservations.

use ticketing_domain::book::Caller;
use ticketing_domain::questions::Cancellation;
use ticketing_domain::status::AsOf as _;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::ids::ReservationId;
use ticketing_ports::vocabulary::paging::{Listed, Page};
use ticketing_ports::vocabulary::roles::Actor;

use super::Desk;
use crate::failure::Failure;
use crate::request::HistoryEntry;

impl Desk {
    /// Returns one reservation, from the write side, for its customer and for admins.
    ///
    /// # Errors
    /// Fails if there is no such reservation or the caller may not see it.
    pub async fn reservation(&self, by: impl Into<Caller>, id: ReservationId) -> Result<ReservationView, Failure> {
        self.office.reservation(by, id).await
    }

    /// Returns what a customer who gives a reservation up gets back, for the customer and for admins.
    ///
    /// # Errors
    /// Fails as the cancellation itself would.
    pub async fn cancellation(&self, by: impl Into<Caller>, id: ReservationId) -> Result<Cancellation, Failure> {
        self.office.cancellation(by, id).await
    }

    /// Returns every fact about a reservation in order, from the write side, for its customer and for admins.
    ///
    /// # Errors
    /// Fails if there is no such reservation or the caller may not see it.
    pub async fn reservation_history(
        &self,
        by: impl Into<Caller>,
        id: ReservationId,
    ) -> Result<Vec<HistoryEntry>, Failure> {
        self.office.history(by, id).await
    }

    /// Returns a page of the caller's own reservations, newest first.
    ///
    /// # Errors
    /// Fails if the read models do not answer.
    pub async fn own_reservations(&self, by: Actor, page: Page) -> Result<Listed<ReservationView>, Failure> {
        let listed = self.ports.reservations.reservations_of(by.user_id.into(), page).await?;
        let now = self.ports.clock.now();
        Ok(listed.map(|reservation| reservation.seen_at(now)))
    }
}
