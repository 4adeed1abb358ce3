use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::vocabulary::ids::IdSource;
use ticketing_runtime::{BoxOffice, Desk, NoObserver, Observer, SignIn};

use crate::authenticate::Authenticate;
use crate::health_check::HealthCheck;

/// What the API is made of. One for each server.
#[derive(Clone)]
pub struct HttpState {
    pub box_office: BoxOffice,
    pub desk: Desk,
    /// Says who asks.
    pub callers: Arc<dyn Authenticate>,
    /// `None` leaves the routes of signing in out, with their page.
    pub sign_in: Option<SignIn>,
    pub health: Vec<Arc<dyn HealthCheck>>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
    pub config: HttpConfig,
}

impl std::fmt::Debug for HttpState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpState")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl HttpState {
    /// Only for what the routes of signing in need.
    pub(crate) fn sign_in(&self) -> &SignIn {
        let sign_in = self.sign_in.as_ref();
        sign_in.expect("the routes of signing in are left out without it")
    }
}

pub(crate) type Shared = Arc<HttpState>;

#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// A request that takes longer is answered 504.
    pub request_timeout: Duration,
    /// Larger bodies are answered 413.
    pub body_limit: usize,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Is told of every answer that is an error.
    pub observer: Arc<dyn Observer>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            body_limit: 256 * 1024,
            trusted_proxies: Vec::new(),
            observer: Arc::new(NoObserver),
        }
    }
}
