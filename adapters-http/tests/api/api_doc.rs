//! Checks `docs/API.md`, which has a curl line for each operation. The comment above each line is written by hand and
//! says which operation the line calls, who calls it, and which values of the answer are kept. This test makes the
//! line itself from the OpenAPI document. A test of `app-server` runs the lines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use crate::openapi::{document, operations, request_examples};
use crate::support::blessed::is_up_to_date;

const GUIDE: &str = "../docs/API.md";

/// The shell variables of the guide. Each replaces the example value of the field or parameter with the name on the
/// left.
const VARIABLES: [(&str, &str); 10] = [
    ("event_id", "EVENT"),
    ("reservation_id", "RESERVATION"),
    ("payment_id", "PAYMENT"),
    ("code_id", "CODE_ID"),
    ("customer_id", "CUSTOMER_ID"),
    ("provider", "PROVIDER"),
    ("id", "PASSKEY"),
    ("token", "TOKEN"),
    ("code", "CODE"),
    ("challenge_id", "CHALLENGE"),
];

/// Returns the options that make curl do what a browser does by itself: keep the cookie that binds the sign-in to
/// the browser, and find out where it is redirected to.
fn as_a_browser(operation: &str) -> &'static str {
    match operation {
        "authorize" => " -c cookies -o page -w '%{redirect_url}'",
        "callback" => " -b cookies -o page -w '%{redirect_url}'",
        "exchange" => " -b cookies",
        _ => "",
    }
}

#[test]
fn the_guide_has_a_curl_line_made_from_the_example_of_every_operation() {
    let document = document();
    let by_id: BTreeMap<_, _> = operations(&document)
        .into_iter()
        .map(|said| (said.2["operationId"].as_str().unwrap(), said))
        .collect();
    let guide = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(GUIDE)).unwrap();
    let mut told = BTreeSet::new();
    let mut wanted = String::new();
    let mut lines = guide.lines();
    while let Some(line) = lines.next() {
        let Some((id, name, kept)) = step(line) else {
            wanted += &format!("{line}\n");
            continue;
        };
        let said = by_id.get(id).unwrap_or_else(|| panic!("there is no operation {id}"));
        let examples = request_examples(said.2);
        let (name, body) = examples
            .into_iter()
            .find(|(other, _)| name.is_none_or(|name| name == *other))
            .unwrap_or_else(|| panic!("{id} has no example {name:?}"));
        told.insert((id, name));
        wanted += &format!("{}\n", comment(id, name, said.2, kept));
        wanted += &format!("{}\n", curl(id, *said, body, lines.next().unwrap()));
    }
    let all: BTreeSet<_> = by_id
        .iter()
        .flat_map(|(id, said)| request_examples(said.2).into_iter().map(|(name, _)| (*id, name)))
        .collect();
    let left: Vec<_> = all.iter().filter(|(id, name)| !told.contains(&(*id, *name))).collect();
    assert!(left.is_empty(), "the guide has no line for {left:?}");
    is_up_to_date(GUIDE, &wanted);
}

/// Takes a comment such as `# Hold seats (create_reservation one_section): 201; RESERVATION is its reservation_id` apart.
/// Returns the operation, the name of its example if the comment has one, and the part that says which values are kept.
fn step(line: &str) -> Option<(&str, Option<&str>, &str)> {
    let (_, rest) = line.strip_prefix("# ")?.split_once('(')?;
    let (called, rest) = rest.split_once(')')?;
    let kept = rest.find(';').map_or("", |start| &rest[start..]);
    let (id, name) = called
        .split_once(' ')
        .map_or((called, None), |(id, name)| (id, Some(name)));
    Some((id, name, kept))
}

fn comment(id: &str, example: &str, operation: &Value, kept: &str) -> String {
    let summary = operation["summary"].as_str().unwrap();
    let answers = operation["responses"].as_object().unwrap().keys();
    // If an operation has both a redirect and a direct answer, the guide names the redirect, because it acts as a
    // browser.
    let status = answers
        .filter(|status| status.starts_with('2') || *status == "303")
        .max_by_key(|status| (*status == "303", *status != "202"));
    let called = [id, example].join(" ");
    format!("# {summary} ({}): {}{kept}", called.trim_end(), status.unwrap())
}

fn curl(id: &str, (method, path, operation): (&str, &str, &Value), body: &Value, before: &str) -> String {
    let mut path = path.to_owned();
    let mut query = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let value = variable(name).map_or_else(
            || parameter["example"].as_str().unwrap_or_default().to_owned(),
            |variable| format!("${variable}"),
        );
        if parameter["in"] == "path" {
            path = path.replace(&format!("{{{name}}}"), &value);
        } else if parameter["in"] == "query" && parameter["required"] == true {
            query.push(format!("{name}={value}"));
        }
    }
    if id == "callback" {
        // Each provider adds other parameters to the callback, so the guide keeps all of them in one shell variable.
        query.push("$BROUGHT_BACK".to_owned());
    }
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    let sends = match (method, body.is_null()) {
        ("get", _) | ("post", false) => String::new(),
        (method, _) => format!(" -X {}", method.to_uppercase()),
    };
    let mut line = format!("curl -s{sends} \"$URL{path}\"");
    let ways = operation["security"].as_array().map_or(&[][..], Vec::as_slice);
    let has = |way: &str| ways.iter().any(|one| one[way].is_array());
    let may_be_a_stranger = ways.iter().any(|way| *way == json!({}));
    if before.contains("Ticketing-Order-Secret") || has("order_secret") && !has("session") {
        line += " -H \"Ticketing-Order-Secret: $SECRET\"";
    } else if has("session") && (!may_be_a_stranger || before.contains("Bearer $")) {
        let who = before.split_once("Bearer $").map_or("CUSTOMER", |(_, rest)| {
            rest.split(|c: char| !c.is_ascii_uppercase() && c != '_')
                .next()
                .unwrap()
        });
        line += &format!(" -H \"Authorization: Bearer ${who}\"");
    }
    line += as_a_browser(id);
    if !body.is_null() {
        line += &format!(" -H 'Content-Type: application/json' -d '{}'", with_variables(body));
    }
    line
}

fn variable(name: &str) -> Option<&'static str> {
    VARIABLES
        .iter()
        .find(|(field, _)| *field == name)
        .map(|(_, variable)| *variable)
}

/// Writes a JSON body for a shell text in single quotes: ids and secrets are replaced by variables, for which the
/// quotes are closed and opened again.
fn with_variables(body: &Value) -> String {
    let mut body = body.clone();
    let is_hold = body["event_id"].is_string();
    for (name, value) in body.as_object_mut().unwrap() {
        // What a customer enters is no code that a sign-in gives.
        if let Some(variable) = variable(name).filter(|_| !is_hold || name != "code") {
            *value = format!("'${variable}'").into();
        }
    }
    let text = body.to_string();
    let Some(start) = text.find("\"credential\":") else {
        return text;
    };
    // Replaces the whole object `credential`, the authenticator's answer, by the variable that holds a real answer.
    let (before, rest) = text.split_at(start + "\"credential\":".len());
    let mut depth = 0;
    let end = rest.find(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        depth == 0
    });
    format!("{before}'\"$CREDENTIAL\"'{}", &rest[end.unwrap() + 1..])
}
