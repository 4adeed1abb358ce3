//! Files in the repository that are made from the code, such as `docs/API.md`.

use std::path::Path;

/// Demands that a file contains exactly the text `wanted`. With `BLESS=1` writes the text into the file instead.
///
/// # Panics
/// If the file contains another text.
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
