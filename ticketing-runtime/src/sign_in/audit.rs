//! One line for everything that happens to the ways into an account: who, how, from where, with which outcome.

use std::net::IpAddr;

use ticketing_domain::sign_in::Refusal;
use ticketing_ports::people::sessions::SignInMethod;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::Role;
use tracing::{info, warn};

pub(super) enum Event {
    SessionsEnded { ended: u64 },
    RoleChanged { role: Role, by: Option<UserId> },
    Erased,
    PasskeyAdded,
    PasskeyRenamed,
    PasskeyRemoved,
    IdentityLinked { provider: String },
}

/// Nothing is told of whoever has no account yet.
pub(super) fn link_issued(user: Option<UserId>) {
    let user = user.map(tracing::field::display);
    info!(target: "audit", user, outcome = "link_issued", "an operator was given a link that signs in once");
}

pub(super) fn signed_in(method: SignInMethod, ip: Option<IpAddr>, user: UserId) {
    let method = name(method);
    info!(target: "audit", %user, method, ip = ip.map(tracing::field::display), outcome = "signed_in", "signed in");
}

pub(super) fn refused(method: SignInMethod, ip: Option<IpAddr>, refusal: Refusal) {
    let method = name(method);
    let ip = ip.map(tracing::field::display);
    if refusal == Refusal::PossiblyCopied {
        warn!(target: "audit", method, ip, outcome = ?refusal, "a passkey that may have been copied was refused");
    } else {
        info!(target: "audit", method, ip, outcome = ?refusal, "a sign-in was refused");
    }
}

pub(super) fn record(event: Event, user: UserId) {
    match event {
        Event::SessionsEnded { ended } => {
            info!(target: "audit", %user, ended, outcome = "sessions_ended", "all sessions of a user were ended");
        }
        Event::RoleChanged { role, by } => {
            let (role, by) = (role.as_str(), by.map(tracing::field::display));
            info!(target: "audit", %user, role, by, outcome = "role_changed", "a user was given a role");
        }
        Event::Erased => info!(target: "audit", %user, outcome = "erased", "a user was erased"),
        Event::PasskeyAdded => info!(target: "audit", %user, outcome = "passkey_added", "a passkey was added"),
        Event::PasskeyRenamed => info!(target: "audit", %user, outcome = "passkey_renamed", "a passkey was renamed"),
        Event::PasskeyRemoved => info!(target: "audit", %user, outcome = "passkey_removed", "a passkey was removed"),
        Event::IdentityLinked { provider } => {
            info!(target: "audit", %user, provider, outcome = "identity_linked", "an identity was linked");
        }
    }
}

fn name(method: SignInMethod) -> &'static str {
    match method {
        SignInMethod::MagicLink => "magic_link",
        SignInMethod::Oauth => "oauth",
        SignInMethod::Passkey => "passkey",
    }
}
