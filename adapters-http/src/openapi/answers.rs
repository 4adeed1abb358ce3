//! Example answers for the OpenAPI document. A test sends the example requests to a server and records its answers in
//! `answers.json`.

use std::sync::LazyLock;

use serde_json::{Map, Value};

/// The recorded bodies of answers, by the id of the operation and then by the status of the answer.
static RECORDED: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("answers.json")).expect("recorded answers are JSON"));

/// Returns the body of a recorded answer; `None` if none was recorded for that operation and status.
pub(super) fn recorded(operation: &str, status: &str) -> Option<&'static Value> {
    RECORDED.get(operation)?.get(status)
}
