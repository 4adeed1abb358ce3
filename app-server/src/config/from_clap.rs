//! Turns an error of clap, whose text has several lines, into one line. This program reports every wrong setting in
//! one line.

use clap::error::{ContextKind, ContextValue};

use super::mistake::Mistake;

/// Says which flag and variable is wrong and why. The wrong value is left out wherever the reason is clear without
/// it, because the value may be a secret.
pub(super) fn mistake(error: &clap::Error, command: &clap::Command) -> Mistake {
    let reason = std::error::Error::source(error).map(ToString::to_string);
    Mistake::Unusable(
        match (text(error, ContextKind::InvalidArg), reason, possible_values(error)) {
            (Some(argument), Some(reason), _) => format!("{}: {reason}", name_of(&argument, command)),
            (Some(argument), None, Some(values)) => format!("{}: is one of {values}", name_of(&argument, command)),
            _ => first_paragraph(&error.render().to_string()),
        },
    )
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        _ => None,
    }
}

fn possible_values(error: &clap::Error) -> Option<String> {
    match error.get(ContextKind::ValidValue)? {
        ContextValue::Strings(values) if !values.is_empty() => Some(values.join(", ")),
        _ => None,
    }
}

/// Turns `--http-addr <ADDRESS:PORT>` into `--http-addr (HTTP_ADDR)`, because the wrong value may have come from the
/// flag or from the variable.
fn name_of(argument: &str, command: &clap::Command) -> String {
    let flag = argument.split_whitespace().next().unwrap_or(argument);
    let variable = command
        .get_arguments()
        .find(|known| {
            known
                .get_long()
                .is_some_and(|long| flag.strip_prefix("--") == Some(long))
        })
        .and_then(clap::Arg::get_env);
    match variable {
        Some(variable) => format!("{flag} ({})", variable.display()),
        None => flag.to_owned(),
    }
}

/// Returns in one line what is wrong and, if clap has a suggestion, which similar word was probably meant.
fn first_paragraph(message: &str) -> String {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut paragraphs = message.split("\n\n").map(one_line);
    let wrong = paragraphs.next().unwrap_or_default();
    let wrong = wrong.strip_prefix("error: ").unwrap_or(&wrong);
    let tip = paragraphs.find_map(|paragraph| paragraph.strip_prefix("tip: ").map(str::to_owned));
    // Keeps only the tip that names a similar word. The other tip of clap says how to pass a text that looks like a
    // flag as a value, and no command here takes such a value.
    match tip.filter(|tip| tip.contains("similar")) {
        Some(tip) => format!("{wrong}; {tip}"),
        None => wrong.to_owned(),
    }
}
