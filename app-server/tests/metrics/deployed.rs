//! The files under `deploy/`: the queries of the dashboard and of the alert rules, and their documentation.

use anyhow::Context as _;
use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

const DASHBOARD: &str = include_str!("../../../deploy/grafana/box-office.json");
pub(crate) const ALERTS: &str = include_str!("../../../deploy/prometheus/alerts.yml");
const TESTS: &str = include_str!("../../../deploy/prometheus/alerts_test.yml");
pub(crate) const PROMETHEUS: &str = include_str!("../../../deploy/prometheus/prometheus.yml");
const DOCUMENT: &str = include_str!("../../../docs/METRICS.md");

/// A query, and the title of the panel or the name of the alert that asks it.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) of: String,
    pub(crate) text: String,
}

/// Returns the queries of all panels. The interval that Grafana fills in is ten seconds here.
pub(crate) fn queries_of_panels() -> anyhow::Result<Vec<Query>> {
    let dashboard: Value = serde_json::from_str(DASHBOARD)?;
    let panels = dashboard["panels"].as_array().context("the dashboard has panels")?;
    let mut queries = Vec::new();
    for panel in panels {
        let of = panel["title"].as_str().context("a panel has a title")?;
        for target in panel["targets"].as_array().context("a panel has queries")? {
            let text = target["expr"].as_str().context("a query has a text")?;
            queries.push(Query {
                of: of.to_owned(),
                text: text.replace("$__rate_interval", "10s"),
            });
        }
    }
    Ok(queries)
}

pub(crate) fn queries_of_alerts() -> anyhow::Result<Vec<Query>> {
    let text = |rule: &Yaml, field: &str| Some(rule[field].as_str()?.to_owned());
    let queries = rules().into_iter().map(|rule| {
        Some(Query {
            of: text(&rule, "alert")?,
            text: text(&rule, "expr")?,
        })
    });
    queries
        .collect::<Option<_>>()
        .context("each rule has a name and a query")
}

fn rules() -> Vec<Yaml> {
    let file = YamlLoader::load_from_str(ALERTS).expect("the rules are YAML");
    let groups = file[0]["groups"].as_vec().expect("the rules are in groups");
    let rules = groups.iter().filter_map(|group| group["rules"].as_vec());
    rules.flatten().cloned().collect()
}

/// Returns the first cell of each row of the table of alerts, with the third, the severity.
fn documented() -> Vec<(String, String)> {
    let (_, section) = DOCUMENT
        .split_once("\n## Alerts\n")
        .expect("the document has a section about alerts");
    let (section, _) = section.split_once("\n## ").expect("another section follows");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        (cells[0].trim_end_matches('`').to_owned(), cells[2].to_owned())
    })
    .collect()
}

#[test]
fn every_alert_is_documented_with_its_severity() {
    let rules: Vec<(String, String)> = rules()
        .iter()
        .map(|rule| {
            let text = |field: &Yaml| field.as_str().unwrap().to_owned();
            (text(&rule["alert"]), text(&rule["labels"]["severity"]))
        })
        .collect();
    assert_eq!(documented(), rules);
}

#[test]
fn every_alert_is_tested_below_and_above_its_threshold() {
    for query in queries_of_alerts().unwrap() {
        for case in ["is silent", "fires"] {
            let name = format!("name: {} {case}\n", query.of);
            assert!(TESTS.contains(&name), "{name}");
        }
    }
}

#[test]
fn the_dashboard_has_the_panels_of_the_plan_and_one_for_the_engine() {
    let mut panels: Vec<String> = queries_of_panels().unwrap().into_iter().map(|query| query.of).collect();
    panels.dedup();
    assert_eq!(
        panels,
        [
            "HTTP requests and latency",
            "Errors by endpoint",
            "Database connections and queries",
            "Consumers and followers",
            "Reservations and revenue",
            "Engine",
        ]
    );
}
