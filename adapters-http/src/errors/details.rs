//! The details of refusals that leave out what they do not know.

use serde_json::{Value, json};
use ticketing_domain::refusal::Refusal;

/// Returns how many tickets are left, and of what.
pub(super) fn left(refusal: &Refusal) -> Value {
    let Refusal::NotEnoughLeft {
        requested,
        available,
        section,
        ticket_type,
        pool,
        code,
    } = refusal
    else {
        return Value::Null;
    };
    let mut details = json!({ "requested": requested, "available": available });
    for (field, name) in [
        ("section", section),
        ("ticket_type", ticket_type),
        ("pool", pool),
        ("code", code),
    ] {
        if let Some(name) = name {
            details[field] = name.as_str().into();
        }
    }
    details
}

/// Adds the section to details, if a refusal is about one.
pub(super) fn of_section(mut details: Value, section: Option<String>) -> Value {
    if let Some(section) = section {
        details["section"] = section.into();
    }
    details
}
