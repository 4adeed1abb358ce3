//! Checks that docs/METRICS.md describes exactly the metrics that there are.

use adapters_metrics::families::{ALL, Family};

const DOCUMENT: &str = include_str!("../../docs/METRICS.md");

#[test]
fn the_document_has_every_metric_with_its_type_its_unit_its_labels_and_its_meaning() {
    let (_, metrics) = DOCUMENT.split_once("\n## All metrics\n").unwrap();
    let (metrics, _) = metrics.split_once("\n## ").unwrap();
    let found: Vec<&str> = metrics.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<String> = ALL.iter().map(row).collect();
    assert_eq!(found, expected, "write these rows:\n{}", expected.join("\n"));
}

fn row(family: &Family) -> String {
    let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
    let labels = if labels.is_empty() {
        "–".to_owned()
    } else {
        labels.join(", ")
    };
    let Family {
        name,
        kind,
        unit,
        meaning,
        ..
    } = family;
    format!("| `{name}` | {} | {unit} | {labels} | {meaning} |", kind.as_str())
}
