//! Time, as an argument.

use crate::Timestamp;

/// Tells the time.
///
/// **Contract**
/// - `time_never_goes_back`: a later call never returns an earlier time.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}
