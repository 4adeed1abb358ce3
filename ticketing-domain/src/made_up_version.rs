//! A version of a fact that no build has, so that tests can see two builds on one log. Never in what is shipped.

use std::sync::OnceLock;

use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::log::streams::NewEvent;

/// The version after the one that is written.
#[derive(Debug)]
pub struct MadeUpVersion {
    pub event_type: &'static str,
    pub version: u16,
    /// It is written once the floor of the log is there.
    pub since: SchemaGeneration,
    pub raise: fn(&[u8]) -> Vec<u8>,
    /// Whether this build writes it then, and does not only read it.
    pub written: bool,
    /// How it is read.
    pub lower: fn(&[u8]) -> Vec<u8>,
}

static DECLARED: OnceLock<MadeUpVersion> = OnceLock::new();

/// From now on this process reads it, and writes it when it may.
///
/// # Panics
/// When there is one already.
pub fn declare(made_up: MadeUpVersion) {
    DECLARED.set(made_up).expect("one is enough");
}

pub(crate) fn since() -> Option<SchemaGeneration> {
    DECLARED.get().map(|made_up| made_up.since)
}

/// The version before, and the payload as it has it.
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
