//! Sending mail to people.

use async_trait::async_trait;
use thiserror::Error;
use uuid::Uuid;

use crate::vocabulary::email::EmailAddress;
use crate::vocabulary::errors::BoxError;

/// One mail. Its body may contain a sign-in link, so `Debug` shows only the subject, and nobody may log the body.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The id of the mail. If the mail is sent twice, both copies have this id, so that the recipient can recognise
    /// them.
    pub id: Uuid,
    /// The address to which the mail goes.
    pub to: EmailAddress,
    /// The subject.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The body as HTML; `None` if the mail is plain text only.
    pub html: Option<String>,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// Why a mail was not sent.
#[derive(Debug, Error)]
pub enum MailError {
    /// The mail server is down or busy. Sending the same mail later may succeed.
    #[error("the mail server is unavailable")]
    Unavailable(#[source] BoxError),
    /// The mail server does not accept this mail, and will not accept it later.
    #[error("the mail server refused the mail")]
    Refused(#[source] BoxError),
}

/// Sends mail.
///
/// ```
/// use adapters_memory::RecordingMailer;
/// use ticketing_ports::outside::mailer::{Mail, Mailer};
/// use ticketing_ports::vocabulary::email::EmailAddress;
/// use uuid::Uuid;
///
/// # futures::executor::block_on(async {
/// let mailer = RecordingMailer::new();
/// let mail = Mail {
///     id: Uuid::from_u128(1),
///     to: EmailAddress::parse("ada@example.com").unwrap(),
///     subject: "Your tickets".to_owned(),
///     text: "Two seats in row A.".to_owned(),
///     html: None,
/// };
/// mailer.send(mail).await.unwrap();
/// # });
/// ```
///
/// **Contract**
/// - `answered_means_handed_over`: after `Ok` the next mail server has the mail, or an adapter for a console has
///   printed it.
#[async_trait]
pub trait Mailer: std::fmt::Debug + Send + Sync {
    /// Hands the mail over to the next mail server.
    async fn send(&self, mail: Mail) -> Result<(), MailError>;
}
