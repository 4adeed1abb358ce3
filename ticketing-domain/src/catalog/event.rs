use std::convert::identity;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use ticketing_ports::Timestamp;
use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::vocabulary::codes::CodeRules;
use ticketing_ports::vocabulary::event_details::EventDetails;
use ticketing_ports::vocabulary::ids::{CodeId, EventId, UserId};
use ticketing_ports::vocabulary::pricing::NamedCode;
use ticketing_ports::vocabulary::seating::Label;

use crate::stored::stored_events;

stored_events! {
    /// What has happened to a catalog entry.
    pub enum CatalogEvent {
        /// The event was created as a draft.
        EventCreated(EventCreated) = "EventCreated"
            v 5 since 8 else 4 => without_price_rules, since 6 else 3 => without_ticket_types, since 5 else 2 => without_limits_of_holds,
            since 4 else 1 => with_numbered_rows,
            from { 4 => identity, 3 => identity, 2 => identity, 1 => identity };
        /// Everybody sees the event.
        EventPublished(EventPublished) = "EventPublished" v 1;
        /// Seats are on sale.
        SalesOpened(SalesOpened) = "SalesOpened" v 1;
        /// Seats are no longer on sale.
        SalesClosed(SalesClosed) = "SalesClosed" v 1;
        /// The event will not take place.
        EventCancelled(EventCancelled) = "EventCancelled" v 1;
        /// Every reservation of the cancelled event is settled.
        CancellationFinished(CancellationFinished) = "CancellationFinished" v 1;
        /// Customers can enter new codes.
        CodesAdded(CodesAdded) = "CodesAdded" v 1 new in 8;
        /// Nobody can enter a code any more.
        CodeEnded(CodeEnded) = "CodeEnded" v 1 new in 8;
        /// The event has begun.
        EventCompleted(EventCompleted) = "EventCompleted" v 1;
    }
}

/// The generation from which on an event says how its holds may be extended.
pub(super) const EXTENSIONS_SINCE: SchemaGeneration = SchemaGeneration(5);

/// Turns a fact into schema version 4; `None` if the event has fees or taxes, says how taxes are rounded, or sells a ticket
/// type only with a code.
fn without_price_rules(created: EventCreated) -> Option<EventCreated> {
    let mut types = created
        .details
        .sections
        .iter()
        .flat_map(|section| &section.ticket_types);
    let is_told = created.details.price_rules.are_default() && !types.any(|of| of.rules.only_with_code);
    is_told.then_some(created)
}

/// Turns a fact into schema version 3, whose tiers have no ids; `None` if version 4 cannot tell it either, if a section has ticket types, or a tier or a
/// pool a quantity.
fn without_ticket_types(created: EventCreated) -> Option<EventCreated> {
    let mut created = without_price_rules(created)?;
    let details = Arc::make_mut(&mut created.details);
    for tier in &mut details.pricing_tiers {
        tier.tier_id = None;
    }
    let has_types = details.sections.iter().any(|section| !section.ticket_types.is_empty());
    let is_told = !has_types && !details.has_quotas();
    is_told.then_some(created)
}

/// Turns a fact into schema version 2; `None` if version 3 cannot tell it either, if the event has a limit of seats per customer, or its holds may be
/// extended.
fn without_limits_of_holds(created: EventCreated) -> Option<EventCreated> {
    let created = without_ticket_types(created)?;
    let EventDetails {
        max_seats_per_customer,
        extensions,
        ..
    } = &*created.details;
    let is_told = max_seats_per_customer.is_none() && extensions.is_none();
    is_told.then_some(created)
}

/// Turns a fact into schema version 1; `None` if version 2 cannot tell it either, or if a row has gaps or labels that
/// are not the numbers from 1.
fn with_numbered_rows(created: EventCreated) -> Option<EventCreated> {
    let is_plain = created
        .details
        .sections
        .iter()
        .all(|section| section.seating.is_plain());
    without_limits_of_holds(created).filter(|_| is_plain)
}

/// An event was created, as a draft that only its owner and admins see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCreated {
    /// The id of the event.
    pub event_id: EventId,
    /// Who created the event and manages it.
    pub owner_id: UserId,
    /// When the event was created.
    pub created_at: Timestamp,
    /// How the organiser described the event, with the defaults filled in. In an `Arc`, since the catalog's state
    /// keeps the same details.
    pub details: Arc<EventDetails>,
}

/// The draft was published: everybody sees the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventPublished {}

/// Customers can hold seats from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalesOpened {}

/// Customers can no longer hold seats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalesClosed {}

/// The event will not take place. Its reservations are settled afterwards, some at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCancelled {
    /// Why the event is cancelled, in the organiser's words to the customers; `None` if the organiser gives no
    /// reason.
    pub reason: Option<Label>,
}

/// Every reservation of the cancelled event is settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancellationFinished {}

/// Customers can enter these codes from now on. All do the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodesAdded {
    /// The codes.
    pub codes: Vec<NamedCode>,
    /// What each of them does.
    pub rules: CodeRules,
}

/// Nobody can enter the code any more. What is held and sold with it stays so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeEnded {
    /// The code.
    pub code_id: CodeId,
}

/// The event has begun: nothing more is sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCompleted {}
