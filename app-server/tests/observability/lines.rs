//! The log of a server as lines of JSON.

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// Reads a log. Each line must be an object with a time, a level and a message.
pub(crate) fn read(log: &str) -> anyhow::Result<Vec<Value>> {
    let mut lines = Vec::new();
    for text in log.lines() {
        let line: Value = serde_json::from_str(text).with_context(|| format!("this line is no JSON: {text}"))?;
        let is_text = |name: &str| line[name].is_string();
        ensure!(is_text("timestamp") && is_text("level") && is_text("message"), "{line}");
        lines.push(line);
    }
    Ok(lines)
}

/// Returns the lines that have these fields.
pub(crate) fn with<'a>(lines: &'a [Value], fields: &[(&str, &str)]) -> Vec<&'a Value> {
    let has = |line: &&Value| fields.iter().all(|(name, value)| line[*name] == *value);
    lines.iter().filter(has).collect()
}

/// Returns the one line that has these fields.
pub(crate) fn only<'a>(lines: &'a [Value], fields: &[(&str, &str)]) -> anyhow::Result<&'a Value> {
    let found = with(lines, fields);
    ensure!(
        found.len() == 1,
        "not one line but {} have {fields:?}: {found:#?}",
        found.len()
    );
    Ok(found[0])
}
