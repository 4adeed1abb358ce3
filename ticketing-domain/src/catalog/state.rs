use std::sync::Arc;

use chrono::SecondsFormat;
use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::Version;
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::vocabulary::event_details::{EventDetails, EventStatus, PricingTier, Section, TicketType};
use ticketing_ports::vocabulary::ids::{EventId, UserId};

use super::codes::{Code, Codes, unknown};
use super::event::CatalogEvent;
use crate::pricing;
use crate::refusal::Refusal;
use crate::status;
use crate::transition::Action;

/// The catalog entry of one event, as computed from the event's facts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CatalogState {
    /// No event was created under this id.
    #[default]
    Absent,
    /// The event exists.
    Listed(Listing),
}

/// An event that exists, with its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The id of the event.
    pub event_id: EventId,
    /// Who created the event and manages it.
    pub owner_id: UserId,
    /// When the event was created.
    pub created_at: Timestamp,
    /// How the organiser described the event.
    pub details: Arc<EventDetails>,
    /// The status that was recorded last. The status at a later time may differ: see [`Listing::status_at`].
    pub status: EventStatus,
    /// Whether a cancelled event still has reservations to settle.
    pub settling: bool,
    /// The codes that customers may enter.
    pub codes: Arc<Codes>,
}

/// The terms on which a section is sold at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleTerms<'e> {
    /// The section.
    pub section: &'e Section,
    /// The ticket type; `None` in a section without types.
    pub ticket_type: Option<&'e TicketType>,
    /// The pricing tiers that are in force, in the order in which their tickets are sold. There is at least one.
    pub tiers: Vec<&'e PricingTier>,
    /// When a hold that begins now runs out.
    pub held_until: Timestamp,
}

impl SaleTerms<'_> {
    /// Returns whether a code is valid for these tickets.
    pub(crate) fn are_of(&self, code: &Code) -> bool {
        code.rules
            .is_for(&self.section.name, self.ticket_type.map(|of| &of.name))
    }

    /// Checks that these tickets are sold to who has entered this code, or none.
    ///
    /// # Errors
    /// When the ticket type is sold only with a code that names it.
    pub(crate) fn are_opened_by(&self, code: Option<&Code>) -> Result<(), Refusal> {
        let Some(of) = self.ticket_type.filter(|of| of.rules.only_with_code) else {
            return Ok(());
        };
        if code.is_some_and(|code| code.rules.opens(&self.section.name, &of.name)) {
            return Ok(());
        }
        let reason = format!("{} is sold only with a code for it", of.name);
        Err(Refusal::invalid("ticket_type", reason))
    }

    /// Returns whether these and other terms of one event are about the same ticket type of the same section.
    pub(crate) fn is_of_same_type(&self, other: &Self) -> bool {
        let id = |terms: &Self| terms.ticket_type.map(|of| of.ticket_type_id);
        self.section.section_id == other.section.section_id && id(self) == id(other)
    }
}

impl CatalogState {
    /// Applies a fact. Facts about an event that was never created change nothing.
    pub fn evolve(&mut self, event: &CatalogEvent) {
        match (self, event) {
            (state, CatalogEvent::EventCreated(created)) => {
                *state = Self::Listed(Listing {
                    event_id: created.event_id,
                    owner_id: created.owner_id,
                    created_at: created.created_at,
                    details: Arc::clone(&created.details),
                    status: EventStatus::Draft,
                    settling: false,
                    codes: Arc::default(),
                });
            }
            (Self::Absent, _) => {}
            (Self::Listed(listing), event) => listing.evolve(event),
        }
    }

    /// Returns the catalog entry; `None` if no event was created under this id.
    pub fn listing(&self) -> Option<&Listing> {
        match self {
            Self::Absent => None,
            Self::Listed(listing) => Some(listing),
        }
    }
}

impl Listing {
    fn evolve(&mut self, event: &CatalogEvent) {
        match event {
            CatalogEvent::CodesAdded(added) => return Arc::make_mut(&mut self.codes).add(&added.codes, &added.rules),
            CatalogEvent::CodeEnded(ended) => return Arc::make_mut(&mut self.codes).end(ended.code_id),
            _ => {}
        }
        self.status = match event {
            CatalogEvent::CodesAdded(_) | CatalogEvent::CodeEnded(_) => self.status,
            CatalogEvent::EventCreated(_) => EventStatus::Draft,
            CatalogEvent::EventPublished(_) => EventStatus::Published,
            CatalogEvent::SalesOpened(_) => EventStatus::SalesOpen,
            CatalogEvent::SalesClosed(_) => EventStatus::SalesClosed,
            CatalogEvent::EventCompleted(_) => EventStatus::Completed,
            CatalogEvent::EventCancelled(_) => {
                self.settling = true;
                EventStatus::Cancelled
            }
            CatalogEvent::CancellationFinished(_) => {
                self.settling = false;
                EventStatus::Cancelled
            }
        };
    }

    /// Returns whether the event was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.status == EventStatus::Cancelled
    }

    /// Returns the status at `now`. From its start time on a published event counts as completed, even if that is not
    /// recorded yet.
    pub fn status_at(&self, now: Timestamp) -> EventStatus {
        status::of_event(self.status, self.details.starts_at, now)
    }

    /// Returns the terms on which `quantity` places of a section are sold at `now`, with tickets of this type. `None` asks
    /// for the section's first type, or its only tickets.
    ///
    /// # Errors
    /// When these places are not sold: there is no such section or type, sales are not open, the type is not sold now,
    /// the quantity is not allowed, or no price is in force.
    pub fn terms(
        &self,
        section: &str,
        ticket_type: Option<&str>,
        quantity: u32,
        now: Timestamp,
    ) -> Result<SaleTerms<'_>, Refusal> {
        let status = self.status_at(now);
        if status == EventStatus::Cancelled {
            return Err(Refusal::EventCancelled(self.event_id));
        }
        let found = self
            .details
            .section(section)
            .ok_or_else(|| Refusal::no_section(section))?;
        let limit = self.details.max_seats_per_order;
        if quantity < 1 || quantity > limit {
            return Err(Refusal::InvalidQuantity {
                requested: quantity,
                limit,
                section: None,
            });
        }
        if status != EventStatus::SalesOpen {
            return Err(Refusal::state(status, Action::Reserve));
        }
        let ticket_type = wanted_type(found, ticket_type)?;
        if let Some(ticket_type) = ticket_type {
            is_sold(ticket_type, quantity, now)?;
        }
        let tiers = &self.details.pricing_tiers;
        let name_of_type = ticket_type.map(|of| &of.name);
        let tiers: Vec<_> = pricing::tiers_in_force(tiers, found.name.as_str(), name_of_type, now).collect();
        if tiers.is_empty() {
            return Err(match ticket_type {
                None => Refusal::invalid("section", "no price is in force for this section now"),
                Some(_) => Refusal::invalid("ticket_type", "no price is in force for this ticket type now"),
            });
        }
        Ok(SaleTerms {
            section: found,
            ticket_type,
            tiers,
            held_until: now + chrono::TimeDelta::seconds(i64::from(self.details.hold_seconds)),
        })
    }

    /// Returns the code that a customer enters; `None` if the customer enters none.
    ///
    /// # Errors
    /// When the event has no such code, or the code is not valid at `now`.
    pub fn code(&self, entered: Option<&str>, now: Timestamp) -> Result<Option<Code>, Refusal> {
        let Some(text) = entered else { return Ok(None) };
        let code = self.codes.find(text).ok_or_else(unknown)?;
        code.may_be_entered(now)?;
        Ok(Some(code))
    }

    /// Returns the event as readers see it at `now`.
    pub fn view(&self, version: Version, now: Timestamp) -> EventView {
        EventView {
            event_id: self.event_id,
            owner_id: self.owner_id,
            status: self.status_at(now),
            created_at: self.created_at,
            version,
            details: Arc::clone(&self.details),
        }
    }
}

/// Returns the ticket type that a customer wants in a section: the one that the customer names, or else the first.
/// `None` in a section without types.
fn wanted_type<'s>(section: &'s Section, name: Option<&str>) -> Result<Option<&'s TicketType>, Refusal> {
    let Some(name) = name else {
        return Ok(section.ticket_types.first());
    };
    section.ticket_type(name).map(Some).ok_or_else(|| {
        let names: Vec<_> = section.ticket_types.iter().map(|of| of.name.as_str()).collect();
        let reason = if names.is_empty() {
            format!("section {} has no ticket types, so none can be named", section.name)
        } else {
            format!(
                "section {} has only the ticket types {}",
                section.name,
                names.join(", ")
            )
        };
        Refusal::invalid("ticket_type", reason)
    })
}

/// Checks that a ticket type is sold at `now`, and in this quantity.
fn is_sold(ticket_type: &TicketType, quantity: u32, now: Timestamp) -> Result<(), Refusal> {
    let (name, rules) = (&ticket_type.name, &ticket_type.rules);
    if let Some(from) = rules.available_from.filter(|from| now < *from) {
        let reason = format!(
            "{name} is sold from {} on",
            from.to_rfc3339_opts(SecondsFormat::AutoSi, true)
        );
        return Err(Refusal::invalid("ticket_type", reason));
    }
    if let Some(until) = rules.available_until.filter(|until| *until <= now) {
        let reason = format!(
            "{name} was sold until {}",
            until.to_rfc3339_opts(SecondsFormat::AutoSi, true)
        );
        return Err(Refusal::invalid("ticket_type", reason));
    }
    if let Some(min) = rules.min_per_order.filter(|min| quantity < *min) {
        let reason = format!("an order has at least {min} tickets of the type {name}");
        return Err(Refusal::invalid("quantity", reason));
    }
    if let Some(max) = rules.max_per_order.filter(|max| quantity > *max) {
        let reason = format!("an order has at most {max} tickets of the type {name}");
        return Err(Refusal::invalid("quantity", reason));
    }
    Ok(())
}
