//! Reservations of a customer.

use ticketing_domain::status::AsOf as _;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::ids::ReservationId;
use ticketing_ports::vocabulary::paging::{Listed, Page};
use ticketing_ports::vocabulary::roles::Actor;

use super::Desk;
use crate::box_office::HistoryEntry;
use crate::failure::Failure;

impl Desk {
    /// From the write side. For its customer and for admins.
    ///
    /// # Errors
    /// When the caller knows of no such reservation.
    pub async fn reservation(&self, by: Actor, id: ReservationId) -> Result<ReservationView, Failure> {
        self.office.reservation(by, id).await
    }

    /// Everything that happened to a reservation, from the write side. For its customer and for admins.
    ///
    /// # Errors
    /// When the caller knows of no such reservation.
    pub async fn reservation_history(&self, by: Actor, id: ReservationId) -> Result<Vec<HistoryEntry>, Failure> {
        self.office.history(by, id).await
    }

    /// The caller's own, newest first.
    ///
    /// # Errors
    /// When the read models do not answer.
    pub async fn own_reservations(&self, by: Actor, page: Page) -> Result<Listed<ReservationView>, Failure> {
        let listed = self.ports.reservations.reservations_of(by.user_id.into(), page).await?;
        let now = self.ports.clock.now();
        Ok(listed.map(|reservation| reservation.seen_at(now)))
    }
}
