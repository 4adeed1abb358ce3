//! Messages for whoever runs the tests.

use std::io::Write as _;

/// Writes a line to standard error, past the capture of a test's output, so that it is seen even if every test passes.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "test-services: {line}");
}
