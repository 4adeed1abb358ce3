//! Who may see and do what.

use ticketing_ports::read_models::events::DraftsVisible;
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::ids::{CustomerId, UserId};
use ticketing_ports::vocabulary::roles::{Actor, Role};

/// Returns whether an actor manages an event: admins manage every event, event owners the events that they created.
pub fn may_manage(actor: Actor, owner: UserId) -> bool {
    match actor.role {
        Role::Admin => true,
        Role::EventOwner => actor.user_id == owner,
        Role::Customer => false,
    }
}

/// Returns whether an actor may create events: event owners and admins may.
pub fn may_create_events(actor: Actor) -> bool {
    matches!(actor.role, Role::Admin | Role::EventOwner)
}

/// Returns whether a viewer may see an event: those who manage it see a draft, everybody sees every other event.
/// `viewer` is `None` if nobody is signed in.
pub fn may_see_event(viewer: Option<Actor>, status: EventStatus, owner: UserId) -> bool {
    status != EventStatus::Draft || viewer.is_some_and(|actor| may_manage(actor, owner))
}

/// Returns which drafts a viewer may see in lists. It is the rule of [`may_see_event`], for whole lists.
pub fn drafts_visible(viewer: Option<Actor>) -> DraftsVisible {
    match viewer {
        Some(Actor { role: Role::Admin, .. }) => DraftsVisible::All,
        Some(Actor {
            role: Role::EventOwner,
            user_id,
        }) => DraftsVisible::OwnedBy(user_id),
        Some(Actor {
            role: Role::Customer, ..
        })
        | None => DraftsVisible::None,
    }
}

/// Returns whether an actor may see and change the reservations and payments of a customer: the customer and admins
/// may.
pub fn may_act_for(actor: Actor, customer: CustomerId) -> bool {
    actor.role == Role::Admin || CustomerId::from(actor.user_id) == customer
}

/// Returns whether an actor may give money back outside the event's refund policy: only admins may.
pub fn may_refund(actor: Actor) -> bool {
    actor.role == Role::Admin
}
