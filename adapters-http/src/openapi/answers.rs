//! Answers that a server has given to the examples of requests. The test that plays the examples has written them down.

use std::sync::LazyLock;

use serde_json::{Map, Value};

/// By operation and then by status.
static RECORDED: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("answers.json")).expect("recorded answers are JSON"));

/// Returns the body of a recorded answer; `None` if none was recorded for that operation and status.
pub(super) fn recorded(operation: &str, status: &str) -> Option<&'static Value> {
    RECORDED.get(operation)?.get(status)
}
