//! What is still to be had.

use ticketing_domain::refusal::Refusal;
use ticketing_domain::views::SectionView;
use ticketing_ports::read_models::availability::Availability;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::roles::Actor;

use super::Desk;
use crate::failure::Failure;

impl Desk {
    /// Counts of every section, as they are now. Drafts are only for who may manage them.
    ///
    /// # Errors
    /// When the viewer knows of no such event.
    pub async fn availability(&self, viewer: Option<Actor>, id: EventId) -> Result<Availability, Failure> {
        self.event(viewer, id).await?;
        let now = self.ports.clock.now();
        let availability = self.ports.availability.availability(id, now).await?;
        availability.ok_or_else(|| Refusal::EventNotFound(id).into())
    }

    /// One section, from the write side. Drafts are only for who may manage them.
    ///
    /// # Errors
    /// When the viewer knows of no such event or section.
    pub async fn section(&self, viewer: Option<Actor>, event: EventId, name: &str) -> Result<SectionView, Failure> {
        self.office.section(viewer, event, name).await
    }
}
