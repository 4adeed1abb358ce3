//! Files of the repository that are made from the code.

use std::path::Path;

/// Compares a file with what it should be. With `BLESS=1` the file is written instead.
///
/// # Panics
/// When the file is something else.
#[track_caller]
pub(crate) fn is_up_to_date(path: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let first = found
        .lines()
        .zip(wanted.lines())
        .find(|(found, wanted)| found != wanted);
    assert!(
        found == wanted,
        "{} is not up to date; write it with BLESS=1 cargo test -p adapters-http --test api example. The first difference (found, \
         wanted): {first:#?}",
        path.display()
    );
}
