//! What a command prints for the person or the program that asked.

use std::io::{ErrorKind, Write as _, stdout};

use anyhow::Context as _;

/// Prints a text and a line break on standard output. A reader that has gone, as `| head` does, wanted no more.
///
/// # Errors
/// When it cannot be written for another reason, such as a full disk.
pub fn tell(text: &str) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("what was asked for cannot be printed"),
    }
}
