//! The ports that signing in uses.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ticketing_ports::outside::clock::Clock;
use ticketing_ports::outside::identity_providers::IdentityProvider;
use ticketing_ports::outside::mailer::Mailer;
use ticketing_ports::people::erase::Erase;
use ticketing_ports::people::relying_party::RelyingParty;
use ticketing_ports::people::stores::{AccountStores, SignInStores};
use ticketing_ports::vocabulary::ids::IdSource;
use ticketing_ports::vocabulary::secrets::Entropy;

/// The ports that signing in uses.
#[derive(Clone)]
pub struct SignInPorts {
    /// The stores of users, passkeys and linked identities.
    pub accounts: AccountStores,
    /// The stores of what lasts only minutes or days, such as sessions and links.
    pub stores: SignInStores,
    /// Makes and checks passkeys. `None` if passkeys cannot be used under the public URL, for example one with an IP
    /// address.
    pub relying_party: Option<Arc<dyn RelyingParty>>,
    /// The identity providers, by the name that stands in the URL paths of their routes.
    pub providers: BTreeMap<String, Arc<dyn IdentityProvider>>,
    /// Sends the mails with sign-in links.
    pub mailer: Arc<dyn Mailer>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// The random bytes for the secrets of sessions, links and WebSocket tickets.
    pub entropy: Arc<dyn Entropy>,
    /// Makes the ids of new users.
    pub ids: Arc<dyn IdSource>,
    /// Other stores that keep something of people. Erasing an account erases the person there too.
    pub elsewhere: Vec<Arc<dyn Erase>>,
}

impl fmt::Debug for SignInPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInPorts").finish_non_exhaustive()
    }
}
