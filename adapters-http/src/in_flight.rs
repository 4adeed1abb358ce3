//! Bounds how many requests are answered at once, so that a server under too much load goes on to answer those that
//! it has accepted as fast as ever. Sales come before reading, and reading before reports.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::errors::{ApiError, Code};

const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The places for requests. Reading may take at most three quarters of them and reports at most an eighth, so that
/// some are always left for sales.
#[derive(Debug)]
pub(crate) struct InFlight {
    all: Arc<Semaphore>,
    for_reading: Arc<Semaphore>,
    for_reports: Arc<Semaphore>,
}

/// The places that one request has taken: one of all, and one of those for reading if it reads.
pub(crate) type Places = (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>);

impl InFlight {
    pub(crate) fn new(limit: u32) -> Arc<Self> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        let places = |count: usize| Arc::new(Semaphore::new(count.max(1)));
        Arc::new(Self {
            all: places(limit),
            for_reading: places(limit - limit.div_ceil(4)),
            for_reports: places(limit / 8),
        })
    }

    /// Returns the places that a request of this method takes. `None` if they are not free.
    pub(crate) fn enter(&self, method: &Method) -> Option<Places> {
        let one_of = |places: &Arc<Semaphore>| Arc::clone(places).try_acquire_owned().ok();
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
        let reading = if reads { Some(one_of(&self.for_reading)?) } else { None };
        Some((one_of(&self.all)?, reading))
    }
}

/// Refuses a report while as many as may be are being made.
pub(crate) async fn bound_reports(State(places): State<Arc<InFlight>>, request: Request, next: Next) -> Response {
    match places.for_reports.try_acquire() {
        Ok(_until_answered) => next.run(request).await,
        Err(_) => busy().into_response(),
    }
}

/// Returns what a request is answered for which there is no place.
pub(crate) fn busy() -> ApiError {
    let error = ApiError::new(Code::Busy, "too many requests are running; try again soon");
    ApiError {
        retry_after: Some(RETRY_AFTER),
        ..error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_leaves_a_quarter_of_the_places_to_sales() {
        let places = InFlight::new(8);
        let reading: Vec<_> = std::iter::from_fn(|| places.enter(&Method::GET)).collect();
        assert_eq!(reading.len(), 6);
        let sales: Vec<_> = std::iter::from_fn(|| places.enter(&Method::POST)).collect();
        assert_eq!(sales.len(), 2);
        drop(reading);
        assert!(places.enter(&Method::GET).is_some());
    }

    #[test]
    fn sales_may_take_every_place() {
        let places = InFlight::new(8);
        let sales: Vec<_> = std::iter::from_fn(|| places.enter(&Method::POST)).collect();
        assert_eq!(sales.len(), 8);
        assert!(places.enter(&Method::GET).is_none());
    }

    #[test]
    fn the_smallest_limit_has_a_place_for_each_kind() {
        let places = InFlight::new(1);
        assert!(places.enter(&Method::GET).is_some());
        assert_eq!(places.for_reports.available_permits(), 1);
    }
}
