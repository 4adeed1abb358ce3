//! Writes the audit log: one line for each sign-in and for each change of an account, with the user, the method, the
//! IP address and the outcome.

use std::net::IpAddr;

use ticketing_domain::sign_in::SignInRefusal;
use ticketing_ports::people::sessions::SignInMethod;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::Role;
use tracing::{info, warn};

/// What happened to an account.
pub(super) enum AuditEntry {
    SignedOut,
    SessionsEnded { ended: u64 },
    RoleChanged { role: Role, by: Option<UserId> },
    Erased,
    PasskeyAdded,
    PasskeyRenamed,
    PasskeyRemoved,
    IdentityLinked { provider: String },
}

/// Logs that an operator was given a sign-in link. `user` is `None` if nobody has an account yet with the mail
/// address that the link is for.
pub(super) fn link_issued(user: Option<UserId>) {
    let user_id = user.map(tracing::field::display);
    info!(target: "audit", user_id, outcome = "link_issued", "an operator was given a link that signs a user in once");
}

/// Logs a sign-in.
pub(super) fn signed_in(method: SignInMethod, ip: Option<IpAddr>, user: UserId) {
    let method = name(method);
    let ip = ip.map(tracing::field::display);
    info!(target: "audit", user_id = %user, method, ip, outcome = "signed_in", "a user signed in");
}

/// Logs a sign-in that was refused.
pub(super) fn refused(method: SignInMethod, ip: Option<IpAddr>, refusal: SignInRefusal) {
    let method = name(method);
    let ip = ip.map(tracing::field::display);
    if refusal == SignInRefusal::PossiblyCopied {
        warn!(target: "audit", method, ip, outcome = ?refusal, "a passkey that may have been copied was refused");
    } else {
        info!(target: "audit", method, ip, outcome = ?refusal, "a sign-in was refused");
    }
}

/// Logs that too many sign-ins of a network were refused, or too many requests came from it, so that it is made to wait.
pub(super) fn limited(limit: &'static str, ip: Option<IpAddr>) {
    let ip = ip.map(tracing::field::display);
    info!(target: "audit", limit, ip, outcome = "limited", "a network has to wait before it may try to sign in again");
}

/// Logs that somebody was not allowed to change a role.
pub(super) fn role_refused(by: UserId, role: Role, refusal: SignInRefusal) {
    let role = role.as_str();
    info!(target: "audit", user_id = %by, role, outcome = ?refusal, "a change of a role was refused");
}

/// Logs what happened to the account of a user.
pub(super) fn record(entry: AuditEntry, user: UserId) {
    match entry {
        AuditEntry::SignedOut => info!(target: "audit", user_id = %user, outcome = "signed_out", "a user signed out"),
        AuditEntry::SessionsEnded { ended } => {
            info!(target: "audit", user_id = %user, ended, outcome = "sessions_ended", "all sessions of a user were ended");
        }
        AuditEntry::RoleChanged { role, by } => {
            let (role, by) = (role.as_str(), by.map(tracing::field::display));
            info!(target: "audit", user_id = %user, role, by, outcome = "role_changed", "a user was given a role");
        }
        AuditEntry::Erased => info!(target: "audit", user_id = %user, outcome = "erased", "a user was erased"),
        AuditEntry::PasskeyAdded => {
            info!(target: "audit", user_id = %user, outcome = "passkey_added", "a passkey was added");
        }
        AuditEntry::PasskeyRenamed => {
            info!(target: "audit", user_id = %user, outcome = "passkey_renamed", "a passkey was renamed");
        }
        AuditEntry::PasskeyRemoved => {
            info!(target: "audit", user_id = %user, outcome = "passkey_removed", "a passkey was removed");
        }
        AuditEntry::IdentityLinked { provider } => {
            info!(target: "audit", user_id = %user, provider, outcome = "identity_linked", "an identity was linked to a user");
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
