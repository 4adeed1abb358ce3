//! Of the snapshots that a store returned, those that can be used.

use std::error::Error;

use ticketing_domain::snapshot::UnreadableSnapshot;
use ticketing_ports::log::snapshots::Snapshot;
use tracing::warn;

/// Decodes the snapshots that a store returned. None is needed: if the store has failed, or a snapshot is unreadable,
/// the `reader` only reads more facts.
pub(crate) fn readable<T, E: Error + 'static>(
    found: Result<Vec<Snapshot>, E>,
    reader: &'static str,
    decode: impl Fn(&Snapshot) -> Result<T, UnreadableSnapshot>,
) -> Vec<T> {
    let found = found.unwrap_or_else(|failure| {
        let error = &failure as &dyn Error;
        warn!(reader, error, "snapshots could not be read; all facts are read instead");
        Vec::new()
    });
    let read = |snapshot: &Snapshot| {
        let read = decode(snapshot);
        read.inspect_err(|unreadable| {
            let (stream, error) = (snapshot.stream, unreadable as &dyn Error);
            warn!(reader, %stream, error, "a snapshot could not be read; all facts are read instead");
        })
    };
    found.iter().filter_map(|snapshot| read(snapshot).ok()).collect()
}
