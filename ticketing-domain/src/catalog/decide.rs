use std::sync::Arc;

use serde::Serialize;
use ticketing_ports::log::deadlines::{Deadline, DeadlineChange, DeadlineKey, DeadlineKind};
use ticketing_ports::log::streams::StreamId;
use ticketing_ports::vocabulary::codes::CodeRules;
use ticketing_ports::vocabulary::event_details::{EventStatus, Section};
use ticketing_ports::vocabulary::ids::{CodeId, EventId};
use ticketing_ports::vocabulary::roles::Actor;
use ticketing_ports::vocabulary::seating::Label;

use super::command::{CatalogCommand, EventDraft};
use super::draft;
use super::event::{
    CancellationFinished, CatalogEvent, CodeEnded, CodesAdded, EXTENSIONS_SINCE, EventCancelled, EventCompleted,
    EventCreated, EventPublished, SalesClosed, SalesOpened,
};
use super::new_codes;
use super::state::{CatalogState, Listing};
use crate::policy;
use crate::reducer::{Context, Decision};
use crate::refusal::Refusal;
use crate::stored::StoredEvent as _;
use crate::transition::Action;

/// What the catalog asks of other aggregates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum CatalogEffect {
    /// Open the inventory of a section.
    OpenSection(Section),
}

type CatalogDecision = Decision<CatalogEvent, CatalogEffect>;

/// Decides a command about one catalog entry.
///
/// # Errors
/// When the caller may not do what is asked, the content is invalid, or the event's status does not allow it.
pub fn decide(state: &CatalogState, command: &CatalogCommand, ctx: &Context<'_>) -> Result<CatalogDecision, Refusal> {
    use EventStatus::{Draft, Published, SalesOpen};

    match (state, command) {
        (CatalogState::Absent, CatalogCommand::Create { event_id, by, draft }) => create(*event_id, *by, draft, ctx),
        (CatalogState::Listed(_), CatalogCommand::Create { .. }) => Err(Refusal::AlreadyExists),

        (CatalogState::Absent, CatalogCommand::Start | CatalogCommand::FinishCancellation) => Ok(Decision::nothing()),
        (CatalogState::Absent, _) => Err(Refusal::Forbidden),

        (CatalogState::Listed(listing), CatalogCommand::Publish { by }) => {
            listing.leave(*by, &[Draft], Action::Publish, ctx)?;
            if ctx.now >= listing.details.starts_at {
                return Err(Refusal::invalid("starts_at", "must be in the future"));
            }
            Ok(Decision::event(EventPublished {}))
        }
        (CatalogState::Listed(listing), CatalogCommand::OpenSales { by }) => {
            listing.leave(*by, &[Published, EventStatus::SalesClosed], Action::OpenSales, ctx)?;
            Ok(Decision::event(SalesOpened {}))
        }
        (CatalogState::Listed(listing), CatalogCommand::CloseSales { by }) => {
            listing.leave(*by, &[SalesOpen], Action::CloseSales, ctx)?;
            Ok(Decision::event(SalesClosed {}))
        }
        (CatalogState::Listed(listing), CatalogCommand::Cancel { by, reason }) => {
            listing.leave(
                *by,
                &[Draft, Published, SalesOpen, EventStatus::SalesClosed],
                Action::Cancel,
                ctx,
            )?;
            let settle = Deadline {
                key: listing.deadline(DeadlineKind::CancellationChunk),
                due_at: ctx.now,
                lane: listing.event_id.into(),
            };
            Ok(Decision::event(EventCancelled { reason: reason.clone() })
                .with_deadline(DeadlineChange::Clear(listing.deadline(DeadlineKind::EventStart)))
                .with_deadline(DeadlineChange::Set(settle)))
        }
        (CatalogState::Listed(listing), CatalogCommand::AddCodes { by, codes, rules }) => {
            add_codes(listing, *by, codes, rules, ctx)
        }
        (CatalogState::Listed(listing), CatalogCommand::EndCode { by, code_id }) => {
            end_code(listing, *by, *code_id, ctx)
        }
        (CatalogState::Listed(listing), CatalogCommand::Start) => Ok(start(listing, ctx)),
        (CatalogState::Listed(listing), CatalogCommand::FinishCancellation) => {
            let events = if listing.settling {
                vec![CancellationFinished {}.into()]
            } else {
                Vec::new()
            };
            let key = listing.deadline(DeadlineKind::CancellationChunk);
            Ok(Decision::events(events).with_deadline(DeadlineChange::Clear(key)))
        }
    }
}

fn create(event_id: EventId, by: Actor, draft: &EventDraft, ctx: &Context<'_>) -> Result<CatalogDecision, Refusal> {
    if !policy::may_create_events(by) {
        return Err(Refusal::Forbidden);
    }
    let mut details = draft::accept(draft, ctx)?;
    let wants_extensions = draft.max_extensions.is_some() || draft.max_hold_seconds.is_some();
    if ctx.floor < EXTENSIONS_SINCE && !wants_extensions {
        // An older build that still works on the log could not read that a hold was extended.
        details.extensions = None;
    }
    let details = Arc::new(details);
    let key = DeadlineKey {
        stream: StreamId::from(event_id),
        kind: DeadlineKind::EventStart,
    };
    let start = Deadline {
        key,
        due_at: details.starts_at,
        lane: event_id.into(),
    };
    let sections = details.sections.iter().cloned();
    let effects = sections.map(CatalogEffect::OpenSection).collect();
    let created = CatalogEvent::from(EventCreated {
        event_id,
        owner_id: by.user_id,
        created_at: ctx.now,
        details,
    });
    if !created.is_read_by_all(ctx.floor) {
        return Err(Refusal::UpdateUnderWay);
    }
    let decision = CatalogDecision {
        effects,
        ..Decision::event(created)
    };
    Ok(decision.with_deadline(DeadlineChange::Set(start)))
}

/// The statuses of an event whose codes may change.
const CODES_CHANGE: [EventStatus; 4] = [
    EventStatus::Draft,
    EventStatus::Published,
    EventStatus::SalesOpen,
    EventStatus::SalesClosed,
];

fn add_codes(
    listing: &Listing,
    by: Actor,
    codes: &[Label],
    rules: &CodeRules,
    ctx: &Context<'_>,
) -> Result<CatalogDecision, Refusal> {
    listing.leave(by, &CODES_CHANGE, Action::ChangeCodes, ctx)?;
    let codes = new_codes::accept(&listing.details, &listing.codes, codes, rules, ctx)?;
    let added = CatalogEvent::from(CodesAdded {
        codes,
        rules: rules.clone(),
    });
    if !added.is_read_by_all(ctx.floor) {
        return Err(Refusal::UpdateUnderWay);
    }
    Ok(Decision::event(added))
}

/// Ends a code. Nothing happens if it has ended already.
fn end_code(listing: &Listing, by: Actor, code_id: CodeId, ctx: &Context<'_>) -> Result<CatalogDecision, Refusal> {
    listing.leave(by, &CODES_CHANGE, Action::ChangeCodes, ctx)?;
    match listing.codes.get(code_id) {
        None => Err(Refusal::CodeNotFound(code_id)),
        Some(code) if code.ended => Ok(Decision::nothing()),
        Some(_) => Ok(Decision::event(CodeEnded { code_id })),
    }
}

/// Records that the event has begun. If the deadline was delivered before the start time, sets the deadline again.
fn start(listing: &Listing, ctx: &Context<'_>) -> CatalogDecision {
    let key = listing.deadline(DeadlineKind::EventStart);
    let recorded = matches!(
        listing.status,
        EventStatus::Completed | EventStatus::Cancelled | EventStatus::Draft
    );
    if recorded {
        Decision::nothing().with_deadline(DeadlineChange::Clear(key))
    } else if ctx.now < listing.details.starts_at {
        let again = Deadline {
            key,
            due_at: listing.details.starts_at,
            lane: listing.event_id.into(),
        };
        Decision::nothing().with_deadline(DeadlineChange::Set(again))
    } else {
        Decision::event(EventCompleted {}).with_deadline(DeadlineChange::Clear(key))
    }
}

impl Listing {
    /// Checks that `by` may manage the event, and that the event's status is one of `from`, in which `action` is
    /// allowed.
    fn leave(&self, by: Actor, from: &[EventStatus], action: Action, ctx: &Context<'_>) -> Result<(), Refusal> {
        if !policy::may_manage(by, self.owner_id) {
            // Only those who manage a draft may know that it exists: to others it is refused like an unknown event.
            return Err(match self.status {
                EventStatus::Draft => Refusal::EventNotFound(self.event_id),
                _ => Refusal::Forbidden,
            });
        }
        match self.status_at(ctx.now) {
            status if from.contains(&status) => Ok(()),
            EventStatus::Cancelled => Err(Refusal::EventCancelled(self.event_id)),
            status => Err(Refusal::state(status, action)),
        }
    }

    fn deadline(&self, kind: DeadlineKind) -> DeadlineKey {
        DeadlineKey {
            stream: StreamId::from(self.event_id),
            kind,
        }
    }
}
