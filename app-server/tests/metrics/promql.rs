//! Finds the metrics that a query names.

use std::collections::BTreeSet;

/// The words of the query language that are followed by a list of labels.
const BEFORE_LABELS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
/// The other words that are neither metrics nor functions.
const WORDS: [&str; 5] = ["and", "or", "unless", "bool", "offset"];

/// Returns the names of the metrics in a query: every name that is not a function, a word of the language or a label.
pub(crate) fn metrics_in(query: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut rest = query;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| !is_of_a_name(c)).unwrap_or(rest.len());
        if end == 0 {
            rest = match first {
                '{' => after(rest, '}'),
                '[' => after(rest, ']'),
                '"' => after(&rest[1..], '"'),
                other => &rest[other.len_utf8()..],
            };
            continue;
        }
        let name = &rest[..end];
        rest = rest[end..].trim_start();
        if BEFORE_LABELS.contains(&name) {
            rest = after(rest, ')');
        } else if !is_of_a_function(rest) && !WORDS.contains(&name) && !first.is_ascii_digit() {
            names.insert(name.to_owned());
        }
    }
    names
}

/// Returns whether what follows a name makes it that of a function: its arguments, or the labels by which it sums up.
fn is_of_a_function(rest: &str) -> bool {
    rest.starts_with('(')
        || ["by ", "by(", "without ", "without("]
            .iter()
            .any(|word| rest.starts_with(word))
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.')
}

fn after(text: &str, end: char) -> &str {
    text.split_once(end).map_or("", |(_, rest)| rest)
}

#[test]
fn the_metrics_of_a_query_are_found_and_nothing_else() {
    let found = |query| Vec::from_iter(metrics_in(query));
    assert_eq!(found("1000"), Vec::<String>::new());
    assert_eq!(found("sum by (topic) (consumer_lag) > 1000"), ["consumer_lag"]);
    assert_eq!(
        found(r#"sum(rate(a_total{status=~"5.."}[5m])) / sum(rate(b_total[5m])) or vector(0)"#),
        ["a_total", "b_total"]
    );
    assert_eq!(
        found("histogram_quantile(0.95, sum by (le, pool) (rate(c_bucket[1m]))) > 0.5"),
        ["c_bucket"]
    );
    assert_eq!(found("60*up unless on(instance) down"), ["down", "up"]);
}
