//! Example answers for the OpenAPI document. A test plays the example requests against a server and records these.

use std::sync::LazyLock;

use serde_json::{Map, Value};

/// The bodies of answers, by the id of their operation and then by their status.
static RECORDED: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("answers.json")).expect("recorded answers are JSON"));

/// Returns the body of a recorded answer; `None` if none was recorded for that operation and status.
pub(super) fn recorded(operation: &str, status: &str) -> Option<&'static Value> {
    RECORDED.get(operation)?.get(status)
}
