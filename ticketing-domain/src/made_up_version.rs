//! A schema version that no released build has, so that a test can run an old and a new build on one log.

use std::sync::OnceLock;

use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::log::streams::NewEvent;

/// A schema version that exists only in a test. Its number is one higher than the newest real version of the same
/// type of fact.
#[derive(Debug)]
pub struct MadeUpVersion {
    /// The name of the type of fact.
    pub event_type: &'static str,
    /// The number of the schema version that the test makes up.
    pub version: u16,
    /// The made-up version is written once the log's schema floor has reached this generation.
    pub since: SchemaGeneration,
    /// Turns a payload of the newest real version into a payload of the made-up version.
    pub raise: fn(&[u8]) -> Vec<u8>,
    /// Whether this build writes the made-up version; if not, it only reads it.
    pub written: bool,
    /// Turns a payload of the made-up version into a payload of the newest real version.
    pub lower: fn(&[u8]) -> Vec<u8>,
}

static DECLARED: OnceLock<MadeUpVersion> = OnceLock::new();

/// Makes this process read the made-up version. If `written` is set, the process also writes it, once the log's
/// schema floor has reached `since`.
///
/// # Panics
/// When this process has declared a made-up version before.
pub fn declare(made_up: MadeUpVersion) {
    DECLARED
        .set(made_up)
        .expect("a process declares at most one made-up version");
}

pub(crate) fn since() -> Option<SchemaGeneration> {
    DECLARED.get().map(|made_up| made_up.since)
}

/// Turns a payload of the made-up version into one of the newest real version, and returns it after that version's
/// number. `None` if the given type and version are not those of the made-up version.
pub(crate) fn lowered(event_type: &str, event_version: u16, data: &[u8]) -> Option<(u16, Vec<u8>)> {
    let made_up = DECLARED.get()?;
    let is_it = made_up.event_type == event_type && made_up.version == event_version;
    is_it.then(|| (event_version - 1, (made_up.lower)(data)))
}

pub(crate) fn write_if_all_read_it(floor: SchemaGeneration, event: &mut NewEvent) {
    let Some(made_up) = DECLARED
        .get()
        .filter(|made_up| made_up.written && floor >= made_up.since)
    else {
        return;
    };
    if event.event_type == made_up.event_type && event.event_version + 1 == made_up.version {
        event.data = (made_up.raise)(&event.data);
        event.event_version = made_up.version;
    }
}
