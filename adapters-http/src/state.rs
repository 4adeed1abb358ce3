//! What the handlers of the routes use, and their settings.

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::vocabulary::ids::IdSource;
use ticketing_runtime::{BoxOffice, Desk, NoObserver, NoTracer, Observer, SignIn, Tracer};
use tokio_util::sync::CancellationToken;

use crate::authenticate::Authenticate;
use crate::health_check::HealthCheck;
use crate::live_connections::LiveConnections;
use crate::policy::{Cors, Networks, Rates};

/// Everything that the handlers of the routes use. A server has one value of this type.
#[derive(Clone)]
pub struct HttpState {
    /// Takes commands.
    pub box_office: BoxOffice,
    /// Answers questions.
    pub desk: Desk,
    /// Finds out who the caller of a request is.
    pub callers: Arc<dyn Authenticate>,
    /// The use cases of signing in. With `None` the routes and the page of signing in are left out.
    pub sign_in: Option<SignIn>,
    /// The live connections, with their limits.
    pub live: LiveConnections,
    /// The checks that `GET /health/ready` carries out.
    pub health: Vec<Arc<dyn HealthCheck>>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes correlation ids.
    pub ids: Arc<dyn IdSource>,
    /// The settings.
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
    /// Returns the use cases of signing in. Only the routes of signing in may call this: they exist only if `sign_in`
    /// is set.
    pub(crate) fn sign_in(&self) -> &SignIn {
        let sign_in = self.sign_in.as_ref();
        sign_in.expect("without `sign_in` the routes of signing in are left out")
    }
}

pub(crate) type Shared = Arc<HttpState>;

/// The settings of the routes.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// How long a request may take. A request that takes longer is answered 504.
    pub request_timeout: Duration,
    /// The largest body in bytes. A request with a larger one is answered 413.
    pub body_limit: usize,
    /// The networks of trusted proxies. What one of them says in `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Which web pages of other origins may call the API.
    pub cors: Cors,
    /// Whether large answers are compressed for callers who accept that. By default that is left to the host.
    pub compress: bool,
    /// Whether answers have the header `Strict-Transport-Security`, by which browsers use nothing but HTTPS for this host.
    /// `false` leaves that to the host.
    pub https_only: bool,
    /// Which networks are served. The health routes answer everybody.
    pub networks: Networks,
    /// At most how many requests are answered at once. Those beyond it are answered 503. `None` leaves that to the host.
    pub max_in_flight: Option<u32>,
    /// At most how many requests a user or a network may send.
    pub rates: Rates,
    /// Whether people without an account may hold and buy. By default only those may whom the host knows. What is sold to
    /// a guest is of the person whose id the desk's `BuyerStore` has for the address, which is no id of the host.
    pub guests: bool,
    /// Is told of every answer that is an error, and of WebSockets and their messages, in order to count them.
    pub observer: Arc<dyn Observer>,
    /// Records what was sent over WebSockets for requests whose traces are recorded.
    pub tracer: Arc<dyn Tracer>,
    /// Is cancelled when the server begins to stop. Answers that would go on for ever end then.
    pub stopping: CancellationToken,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            body_limit: 256 * 1024,
            trusted_proxies: Vec::new(),
            cors: Cors::default(),
            compress: false,
            https_only: false,
            networks: Networks::default(),
            max_in_flight: None,
            rates: Rates::default(),
            guests: false,
            observer: Arc::new(NoObserver),
            tracer: Arc::new(NoTracer),
            stopping: CancellationToken::new(),
        }
    }
}
