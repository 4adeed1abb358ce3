//! Prints the results of commands.

use std::io::{ErrorKind, Write as _, stdout};

use anyhow::Context as _;

/// Prints a text and a line break on standard output. It is not an error if nobody reads the output any more, as
/// after `| head`.
///
/// # Errors
/// When the text cannot be written for another reason, such as a full disk.
pub fn tell(text: &str) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("the result cannot be printed"),
    }
}
