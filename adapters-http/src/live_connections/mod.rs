//! The live connections of a server, which are WebSockets and streams of events: how many there may be, in whose name
//! they are open, and when all of them are closed.
//!
//! This module does not know what is sent over a connection; that is in `live`.

mod limits;
mod settings;
mod standing;

use std::sync::Arc;

use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) use limits::{Full, Place};
pub use settings::LiveSettings;
pub(crate) use standing::{Over, Proof, Standing, Witness};

use self::limits::Places;
use self::standing::Standings;

/// The live connections of a server. Clones share them. They close when
/// [`HttpConfig::stopping`](crate::HttpConfig::stopping) is cancelled.
///
/// ```
/// use adapters_http::{LiveConnections, LiveSettings};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let live = LiveConnections::new(LiveSettings { visitors: true, ..LiveSettings::default() });
/// // Serve with `HttpState { live: live.clone(), … }`. To shut down, cancel `HttpConfig::stopping`; then:
/// live.closed().await;
/// assert_eq!(live.count(), 0);
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct LiveConnections {
    settings: Arc<LiveSettings>,
    places: Arc<Places>,
    standings: Arc<Standings>,
    /// Ends the tasks that look at the standings, once the last clone is dropped.
    _looking: Arc<DropGuard>,
}

impl LiveConnections {
    /// Makes the place where the connections are counted. There are none yet.
    pub fn new(settings: LiveSettings) -> Self {
        let gone = CancellationToken::new();
        Self {
            places: Arc::new(Places::new(&settings)),
            standings: Arc::new(Standings::new(gone.clone())),
            settings: Arc::new(settings),
            _looking: Arc::new(gone.drop_guard()),
        }
    }

    /// Returns how many connections are open.
    pub fn count(&self) -> usize {
        self.places.count()
    }

    /// Waits until no connection is open.
    pub async fn closed(&self) {
        self.places.all_given_back().await;
    }

    pub(crate) fn lets_visitors_in(&self) -> bool {
        self.settings.visitors
    }

    pub(crate) fn places(&self) -> &Arc<Places> {
        &self.places
    }

    pub(crate) fn standings(&self) -> &Arc<Standings> {
        &self.standings
    }
}
