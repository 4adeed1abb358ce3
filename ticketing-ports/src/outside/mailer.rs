//! Mail to people.

use async_trait::async_trait;
use thiserror::Error;
use uuid::Uuid;

use crate::vocabulary::email::EmailAddress;
use crate::vocabulary::errors::BoxError;

/// A mail in text, and the same in HTML when that helps. The body may hold a sign-in link, so it is never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The same each time that this mail is sent again, so that whoever gets it twice can tell.
    pub id: Uuid,
    pub to: EmailAddress,
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Error)]
pub enum MailError {
    /// The same mail may go out later.
    #[error("the mail server is unavailable")]
    Unavailable(#[source] BoxError),
    /// This mail will never go out.
    #[error("the mail server refused the mail")]
    Refused(#[source] BoxError),
}

/// Sends mail.
///
/// **Contract**
/// - `answered_means_handed_over`: after `Ok` the next server, or a person at the console, has the mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    async fn send(&self, mail: Mail) -> Result<(), MailError>;
}
