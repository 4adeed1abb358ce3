//! The request with which a browser comes back from an identity provider, and what comes of it.

use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::secrets::Secret;

use super::SignedIn;
use super::local_path::LocalPath;
use super::session::Visitor;

/// What the browser brings back from the provider.
#[derive(Clone, PartialEq, Eq)]
pub enum OauthAnswer {
    /// The provider gave a code.
    Code {
        /// The code.
        code: String,
        /// The issuer that the provider names. `None` if it names none.
        issuer: Option<String>,
    },
    /// The person refused the sign-in.
    Denied,
    /// The provider answered with another error.
    Error,
}

impl std::fmt::Debug for OauthAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Code { .. } => "Code(…)",
            Self::Denied => "Denied",
            Self::Error => "Error",
        })
    }
}

/// The request with which a browser comes back from a provider.
#[derive(Debug, Clone)]
pub struct OauthCallback {
    /// The name of the provider.
    pub provider: String,
    /// The OAuth state.
    pub state: Secret,
    /// The cookie of the browser. `None` if it brings none.
    pub browser: Option<Secret>,
    /// What the browser brings back.
    pub answer: OauthAnswer,
    /// How the session is to be handed over.
    pub handover: Handover,
    /// Where the request came from.
    pub from: Visitor,
}

/// How a new session is handed to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handover {
    /// The answer contains the session, for a client that is a program.
    Session,
    /// The fragment of a page contains a code for the session, because a session's secret must not get into a URL.
    Code,
}

/// What came of a sign-in, or a linking, through a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinishedOauth {
    /// A session has begun.
    SignedIn(SignedIn),
    /// A code was made that the page trades for a session.
    Code {
        /// The code.
        code: Secret,
        /// The user whom the code signs in.
        user: UserId,
        /// The page that the browser goes to.
        next: LocalPath,
    },
    /// The provider was linked to an account.
    Linked {
        /// The user of the account.
        user: UserId,
        /// The page that the browser goes to.
        next: LocalPath,
    },
}
