//! Mail leaves in the background: whoever asked for it learns nothing from how long it takes.

use std::time::Duration;

use ticketing_ports::outside::mailer::{Mail, MailError};
use ticketing_ports::people::one_time_tokens::TokenPurpose;
use ticketing_ports::vocabulary::secrets::SecretDigest;

use super::SignIn;
use crate::retry::RetryPolicy;

/// What a mail server that is unavailable is given to come back: a minute or two in all.
const SENDING: RetryPolicy = RetryPolicy {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(60),
    tries: Some(8),
};

impl SignIn {
    pub(super) fn mail_in_background(&self, mail: Mail, link: SecretDigest) {
        self.inner.mails.spawn(self.clone().deliver(mail, link));
    }

    /// Hands a mail over. A link that never left is withdrawn, so that it does not count as a live one.
    async fn deliver(self, mail: Mail, link: SecretDigest) {
        let ports = &self.inner.ports;
        let mut pauses = SENDING.pauses(mail.id);
        let error = loop {
            match (ports.mailer.send(mail.clone()).await, pauses.next()) {
                (Ok(()), _) => return,
                (Err(MailError::Unavailable(_)), Some(pause)) => tokio::time::sleep(pause).await,
                (Err(error), _) => break error,
            }
        };
        // Without its source: mail servers like to repeat the address.
        tracing::warn!(%error, "a sign-in mail was not handed over");
        let withdrawn = ports.tokens.take(TokenPurpose::MagicLink, link, ports.clock.now());
        if let Err(error) = withdrawn.await {
            tracing::warn!(%error, "a sign-in link that was not mailed could not be withdrawn");
        }
    }
}
