//! Topics and groups of its own for each test.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use adapters_redpanda::BusOptions;

pub(crate) fn own_options() -> BusOptions {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    BusOptions {
        prefix: format!("t{}-{number}", std::process::id()),
        partitions: 3,
        delivery_timeout: Duration::from_secs(3),
        session_timeout: Duration::from_secs(6),
        ..BusOptions::default()
    }
}
