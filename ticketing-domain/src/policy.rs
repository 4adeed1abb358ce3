//! Who may do what.

use ticketing_ports::read_models::events::DraftsVisible;
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::ids::{CustomerId, UserId};
use ticketing_ports::vocabulary::roles::{Actor, Role};

/// Admins manage every event, event owners those they created.
pub fn may_manage(actor: Actor, owner: UserId) -> bool {
    match actor.role {
        Role::Admin => true,
        Role::EventOwner => actor.user_id == owner,
        Role::Customer => false,
    }
}

pub fn may_create_events(actor: Actor) -> bool {
    matches!(actor.role, Role::Admin | Role::EventOwner)
}

/// A draft is nobody's business but those who manage it; everything else is public.
pub fn may_see_event(viewer: Option<Actor>, status: EventStatus, owner: UserId) -> bool {
    status != EventStatus::Draft || viewer.is_some_and(|actor| may_manage(actor, owner))
}

/// [`may_see_event`] for whole lists.
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

/// Reservations, payments and purchases are seen and changed by their customer and by admins.
pub fn may_act_for(actor: Actor, customer: CustomerId) -> bool {
    actor.role == Role::Admin || CustomerId::from(actor.user_id) == customer
}

/// Money goes back outside the event's policy only by an admin's hand.
pub fn may_refund(actor: Actor) -> bool {
    actor.role == Role::Admin
}
