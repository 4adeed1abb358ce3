//! Time, as an argument.

use crate::vocabulary::Timestamp;

/// Tells the time.
///
/// **Contract**
/// - `time_never_goes_back`: a later call never returns an earlier time.
/// - `time_goes_on_when_the_machine_is_set_back`: as fast as ever, from the time that was told last.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}
