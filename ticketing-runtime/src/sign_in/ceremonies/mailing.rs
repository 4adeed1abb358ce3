//! Sends mail in the background, so that nobody can tell from the time of an answer whether a mail was sent.

use std::time::Duration;

use ticketing_ports::outside::mailer::{Mail, MailError};
use ticketing_ports::people::one_time_tokens::TokenPurpose;
use ticketing_ports::vocabulary::secrets::SecretDigest;

use super::Ceremonies;
use crate::retry::RetryPolicy;

/// The pauses before a mail is sent again after the mail server was unavailable: one to two minutes in all.
const SENDING: RetryPolicy = RetryPolicy {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(60),
    tries: Some(8),
};

impl Ceremonies {
    /// Waits until every mail in the background has been sent or given up.
    pub async fn mails_delivered(&self) {
        self.inner.mails.wait().await;
    }

    pub(super) fn mail_in_background(&self, mail: Mail, link: SecretDigest) {
        self.inner.mails.spawn(self.clone().deliver(mail, link));
    }

    /// Hands a mail to the mail server. If the mail cannot be sent, withdraws its link, so that the link no longer
    /// counts against the number of live links of the address.
    async fn deliver(self, mail: Mail, link: SecretDigest) {
        let inner = &self.inner;
        let mut pauses = SENDING.pauses(mail.id);
        let error = loop {
            match (inner.mailer.send(mail.clone()).await, pauses.next()) {
                (Ok(()), _) => return,
                (Err(MailError::Unavailable(_)), Some(pause)) => tokio::time::sleep(pause).await,
                (Err(error), _) => break error,
            }
        };
        // The error is logged without its source, because mail servers often repeat the mail address in their
        // answers.
        tracing::warn!(%error, "a mail with a sign-in link could not be sent");
        let withdrawn = inner
            .stores
            .tokens
            .take(TokenPurpose::MagicLink, link, inner.clock.now());
        if let Err(error) = withdrawn.await {
            tracing::warn!(%error, "a sign-in link whose mail was not sent could not be withdrawn");
        }
    }
}
