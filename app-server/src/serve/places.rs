//! The places for connections: how many there are, who has one, and who has to give one up.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::activity::Activity;

/// The places for connections. An accepted connection has a place until its socket is closed.
#[derive(Debug)]
pub(super) struct Places {
    limit: u32,
    free: Arc<Semaphore>,
    taken: Mutex<HashMap<u64, Arc<Activity>>>,
    next_id: AtomicU64,
}

/// The place of one connection. It is free again when this value is dropped.
#[derive(Debug)]
pub(super) struct Place {
    id: u64,
    places: Arc<Places>,
    pub(super) activity: Arc<Activity>,
    // Declared last: the place is free after it was taken off the list.
    _permit: OwnedSemaphorePermit,
}

impl Places {
    pub(super) fn new(limit: u32) -> Arc<Self> {
        Arc::new(Self {
            limit,
            free: Arc::new(Semaphore::new(usize::try_from(limit).unwrap_or(Semaphore::MAX_PERMITS))),
            taken: Mutex::default(),
            next_id: AtomicU64::new(0),
        })
    }

    /// Returns a place if one is free.
    pub(super) fn take(self: &Arc<Self>) -> Option<Place> {
        let permit = Arc::clone(&self.free).try_acquire_owned().ok()?;
        Some(self.enter(permit))
    }

    /// Waits for a place.
    pub(super) async fn wait_for_one(self: &Arc<Self>) -> Option<Place> {
        let permit = Arc::clone(&self.free).acquire_owned().await.ok()?;
        Some(self.enter(permit))
    }

    fn enter(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Place {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let activity = Arc::new(Activity::new());
        self.taken().insert(id, Arc::clone(&activity));
        Place {
            id,
            places: Arc::clone(self),
            activity,
            _permit: permit,
        }
    }

    /// Tells the connections that have been idle for the longest time to go: one in a hundred, so that a flood of new
    /// connections need not look for each of them anew. Returns whether a place will be free soon.
    pub(super) fn make_room(&self) -> bool {
        let mut idle: Vec<_> = self
            .taken()
            .values()
            .filter_map(|activity| Some((activity.idle_from()?, Arc::clone(activity))))
            .collect();
        if idle.iter().any(|(_, activity)| activity.must_go.is_cancelled()) {
            return true;
        }
        idle.sort_unstable_by_key(|(since, _)| *since);
        let going = idle.iter().take(idle.len().div_ceil(100));
        going.for_each(|(_, activity)| activity.must_go.cancel());
        !idle.is_empty()
    }

    /// Waits until every connection is closed, also those that were upgraded.
    pub(super) async fn all_free(&self) {
        // This fails only if the semaphore is closed, and nobody closes it.
        drop(self.free.acquire_many(self.limit).await);
    }

    /// Returns how many connections are open.
    pub(super) fn count(&self) -> usize {
        self.taken().len()
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<u64, Arc<Activity>>> {
        // Nothing panics while the list is locked, so it is whole even if the lock says otherwise.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_connection_that_was_idle_for_the_longest_time_makes_room_and_a_busy_one_never() {
        let places = Places::new(3);
        let busy = places.take().unwrap();
        busy.activity.request_begins();
        let old = places.take().unwrap();
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        let new = places.take().unwrap();
        assert!(places.take().is_none());

        assert!(places.make_room());
        let told = [&busy, &old, &new].map(|place| place.activity.must_go.is_cancelled());
        assert_eq!(told, [false, true, false]);
        assert!(places.make_room(), "the old connection is on its way out");
        assert!(!new.activity.must_go.is_cancelled());
        drop(old);
        let taken = places.take().unwrap();

        drop((new, taken));
        assert!(!places.make_room(), "only the busy connection is left");
    }

    #[tokio::test]
    async fn all_places_are_free_when_the_last_connection_is_closed() {
        let places = Places::new(2);
        let (first, second) = (places.take().unwrap(), places.take().unwrap());
        let mut empty = std::pin::pin!(places.all_free());
        drop(first);
        assert!(futures::poll!(&mut empty).is_pending());
        drop(second);
        empty.await;
        assert_eq!(places.count(), 0);
    }
}
