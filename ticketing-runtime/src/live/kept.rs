//! Room beside a value for what others make of it, so that it is made once and shared.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// Keeps what others have made of a value, for as long as the value itself: for instance its JSON, which a server
/// writes once and sends to everybody. It keeps one thing of each type.
///
/// ```
/// use ticketing_runtime::Kept;
///
/// struct Text(String);
///
/// let kept = Kept::default();
/// let first = kept.get_or_make(|| Text("made once".to_owned()));
/// let second = kept.get_or_make(|| Text("never made".to_owned()));
/// assert_eq!(first.0, second.0);
/// ```
#[derive(Default)]
pub struct Kept(RwLock<Vec<Arc<dyn Any + Send + Sync>>>);

impl Kept {
    /// Returns the kept thing of type `T`. The first call makes it; calls that come meanwhile wait for that.
    pub fn get_or_make<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        // A panic of `make` leaves nothing half done behind, so a poisoned lock can be used.
        if let Some(found) = find(&self.0.read().unwrap_or_else(PoisonError::into_inner)) {
            return found;
        }
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        find(&kept).unwrap_or_else(|| {
            let made = Arc::new(make());
            kept.push(made.clone());
            made
        })
    }
}

fn find<T: Any + Send + Sync>(kept: &[Arc<dyn Any + Send + Sync>]) -> Option<Arc<T>> {
    let found = kept.iter().find(|thing| (***thing).is::<T>())?;
    Arc::clone(found).downcast().ok()
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}
