//! Signing in by a mailed link.

use ticketing_domain::sign_in::{Client, RedeemMagicLink, SendMagicLink, SignedIn, magic_link};
use ticketing_ports::people::sessions::SignInMethod;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::secrets::Secret;

use super::Ceremonies;
use crate::sign_in::{SignInFailure, audit};

impl Ceremonies {
    /// Mails a sign-in link in the background. The caller gets the same answer whether or not the address has an
    /// account, and whether or not a mail goes out.
    ///
    /// # Errors
    /// When the link cannot be stored.
    pub async fn send_link(&self, email: EmailAddress) -> Result<(), SignInFailure> {
        let _lock = self.lock_of(&email).lock().await;
        self.run(SendMagicLink::begin(email, &self.inner.public_url)).await
    }

    /// Makes a sign-in link that an operator passes on to the user. The link is not mailed and does not count against
    /// any quota.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn issue_link(&self, email: &EmailAddress) -> Result<String, StoreError> {
        let (link, token) = magic_link(email, &self.inner.public_url, &self.context());
        let user = self.inner.accounts.users.find_by_email(email).await?;
        self.inner.stores.tokens.put(token).await?;
        audit::link_issued(user.map(|user| user.id));
        Ok(link)
    }

    /// Exchanges the token of a link for a session of the user who has the link's mail address. Makes the user if
    /// there is none. A token works only once.
    ///
    /// # Errors
    /// When the token is unknown, used or expired, or a store fails. The token is used up in each case.
    pub async fn redeem_link(&self, token: &Secret, from: Client) -> Result<SignedIn, SignInFailure> {
        let ip = from.ip;
        let outcome = self.run(RedeemMagicLink::begin(token, from)).await;
        self.sign_in_ended(SignInMethod::MagicLink, ip, outcome).await
    }
}
