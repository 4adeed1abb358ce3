//! The request with which a browser comes back from an identity provider, and its outcome.

use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::secrets::Secret;

use super::local_path::LocalPath;
use super::session::{Client, SignedIn};

/// What the browser brings back from the provider.
#[derive(Clone, PartialEq, Eq)]
pub enum OauthAnswer {
    /// The provider gave a code.
    Code {
        /// The authorization code that the provider gave to the browser.
        code: String,
        /// The issuer that the provider's redirect names; `None` if it names none.
        issuer: Option<String>,
    },
    /// The person refused the sign-in at the provider.
    Denied,
    /// The provider answered with an error of another kind than that the person refused the sign-in.
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
    /// The OAuth state that the browser brings back. The stored challenge is found by it.
    pub state: Secret,
    /// The value of the browser's sign-in cookie; `None` if the browser brings none.
    pub browser: Option<Secret>,
    /// What the browser brings back from the provider.
    pub answer: OauthAnswer,
    /// How a new session is to be handed to the client.
    pub handover: Handover,
    /// Where the request came from.
    pub from: Client,
}

/// How a new session is handed to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handover {
    /// The response contains the session. This is for a client that is a program.
    Session,
    /// The browser goes to a page whose fragment contains a code, which the page trades for the session: a session's
    /// secret must not get into a URL.
    Code,
}

/// What came of a sign-in through an identity provider, or of linking one to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinishedOauth {
    /// A session has begun.
    SignedIn(SignedIn),
    /// A sign-in code was made, which the page at `next` trades for a session.
    Code {
        /// The code.
        code: Secret,
        /// The user whom the code signs in.
        user: UserId,
        /// The page of this site that the browser goes to next.
        next: LocalPath,
    },
    /// The provider was linked to an account.
    Linked {
        /// The user of the account.
        user: UserId,
        /// The page of this site that the browser goes to next.
        next: LocalPath,
    },
}
