use std::sync::Arc;

use serde::{Deserialize, Serialize};
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::event_details::EventDetails;
use ticketing_ports::vocabulary::ids::{EventId, UserId};
use ticketing_ports::vocabulary::seating::Label;

use crate::stored::stored_events;

stored_events! {
    pub enum CatalogEvent {
        EventCreated(EventCreated) = "EventCreated" v 1;
        EventPublished(EventPublished) = "EventPublished" v 1;
        SalesOpened(SalesOpened) = "SalesOpened" v 1;
        SalesClosed(SalesClosed) = "SalesClosed" v 1;
        EventCancelled(EventCancelled) = "EventCancelled" v 1;
        CancellationFinished(CancellationFinished) = "CancellationFinished" v 1;
        EventCompleted(EventCompleted) = "EventCompleted" v 1;
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCreated {
    pub event_id: EventId,
    pub owner_id: UserId,
    pub created_at: Timestamp,
    pub details: Arc<EventDetails>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventPublished {}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalesOpened {}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalesClosed {}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCancelled {
    pub reason: Option<Label>,
}

/// Every reservation of the cancelled event has been settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancellationFinished {}

/// The event has begun; nothing is sold any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCompleted {}
