//! Mail goes out in the background, so that the time of an answer does not tell whether a mail was sent.

use std::time::Duration;

use ticketing_ports::outside::mailer::{Mail, MailError};
use ticketing_ports::people::one_time_tokens::TokenPurpose;
use ticketing_ports::vocabulary::secrets::SecretDigest;

use super::Ceremonies;
use crate::retry::RetryPolicy;

/// When a mail is handed over again after the mail server was unavailable: for one to two minutes in all.
const SENDING: RetryPolicy = RetryPolicy {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(60),
    tries: Some(8),
};

impl Ceremonies {
    /// Waits until no mail is on its way.
    pub async fn mails_delivered(&self) {
        self.inner.mails.wait().await;
    }

    pub(super) fn mail_in_background(&self, mail: Mail, link: SecretDigest) {
        self.inner.mails.spawn(self.clone().deliver(mail, link));
    }

    /// Hands a mail to the mail server. If that fails for good, the link in the mail is withdrawn, so that it does not count
    /// as a live one.
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
        // Logged without its source, because mail servers often repeat the address in their answers.
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
