//! Pages of lists, and the check that pages together are a whole list.

use std::fmt;

use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::paging::{Listed, Page};

use crate::conformance::{Verdict, ensure, ensure_eq};

pub(super) fn page(number: u32, size: u32) -> Page {
    Page::new(number, size).expect("the rules ask for pages that exist")
}

/// Reads the list in pages of two rows, and checks that together they are the expected rows.
pub(super) async fn ensure_pages<T, K, F>(expected: &[K], key: impl Fn(&T) -> K, ask: impl Fn(Page) -> F) -> Verdict
where
    K: PartialEq + fmt::Debug,
    F: Future<Output = Result<Listed<T>, StoreError>>,
{
    for (number, expected_rows) in (1..).zip(expected.chunks(2)) {
        let listed = ask(page(number, 2)).await?;
        let keys: Vec<K> = listed.rows.iter().map(&key).collect();
        ensure_eq!(keys.as_slice(), expected_rows, "page {number}");
        ensure_eq!(listed.total, expected.len() as u64, "total on page {number}");
    }
    let beyond = ask(page(100, 2)).await?;
    ensure!(beyond.rows.is_empty(), "there are rows beyond the last page");
    ensure_eq!(beyond.total, expected.len() as u64, "total beyond the last page");
    Ok(())
}
