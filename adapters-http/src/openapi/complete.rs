//! Completes the OpenAPI document that utoipa derives from the handlers: adds every answer of each operation with
//! the codes of its errors, and examples of requests and answers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::answers::recorded;
use super::operations::{codes, examples, parameter};
use crate::errors::Code;

const DESCRIPTION: &str = "A ticketing system that cannot oversell.

Ids are UUIDs with hyphens, times are RFC 3339, money is an integer of minor units with its currency. Unknown fields and parameters are \
refused. Every answer has an `X-Correlation-Id`: the one that the caller sent, if it has 1 to 128 visible ASCII characters, or a new one. \
Errors have a `code` for machines and a `message` for people. A caller who accepts `application/problem+json` gets them as problem details \
(RFC 9457).

Availability as it changes comes over a WebSocket, `/ws/events/{event_id}/availability`, and as server-sent events, \
`GET /api/events/{event_id}/availability/stream`. Both are described in `docs/LIVE.md`.

Bytes that are not HTTP are answered 400 with `INVALID_REQUEST`. A head with more than 100 headers or more than 16 KiB is answered 431 with \
`HEAD_TOO_LARGE`. A proxy in front of the server may also answer 408, 413 or 414 in its own \
words.";

const TAGS: [(&str, &str); 7] = [
    ("events", "Events on sale: organisers write them, everybody reads them."),
    ("availability", "Which places are still free."),
    ("reservations", "Holding seats, paying for them, cancelling."),
    ("payments", "Authorising payments, reading and refunding them."),
    ("analytics", "Sales of an event, for its owner."),
    ("customers", "Purchases of a customer."),
    ("authentication", "Signing in, sessions, passkeys and accounts."),
];
const OPERATIONS_TAG: (&str, &str) = ("operations", "Whether the server works.");

/// The ids of the operations that answer everybody at any time. No limit counts them.
const FOR_WATCHERS: [&str; 2] = ["live", "ready"];
/// The ids of the operations that can be called with or without a session.
const FOR_EVERYBODY: [&str; 4] = ["get_event", "list_events", "get_availability", "get_section"];
/// The ids of the operations that answer a browser's failed request with an HTML page.
const WITH_PAGES: [&str; 2] = ["authorize", "callback"];

/// Completes every operation and schema of the document.
pub(super) fn complete(document: &mut Value) {
    describe(document);
    let loose = schemas_without_required_fields(document);
    let paths = document["paths"]
        .as_object_mut()
        .expect("an OpenAPI document has paths");
    for methods in paths.values_mut() {
        let methods = methods.as_object_mut().expect("a path in the document has methods");
        for (method, operation) in methods {
            complete_operation(method, operation, &loose);
        }
    }
    let schemas = &mut document["components"]["schemas"];
    // The codes get a schema of their own, because generators of clients do not follow a reference into the middle
    // of another schema.
    schemas["ErrorCode"] = error_code_schema();
    schemas["ErrorBody"]["properties"]["code"] = json!({ "$ref": ERROR_CODE });
    schemas["ErrorBody"]["properties"]["details"] = json!({
        "type": "object", "description": "More about the error, for machines. Which fields it has depends on `code`." });
    schemas["Problem"] = problem_schema();
    document["components"]["headers"] = headers();
    close_requests(document);
}

fn describe(document: &mut Value) {
    document["info"]["description"] = DESCRIPTION.into();
    document["info"]["license"] = json!({ "name": "MIT or Apache-2.0", "identifier": "MIT OR Apache-2.0" });
    document["servers"] = json!([{ "url": "/" }]);
    let with_sign_in = |(name, _): &&(&str, &str)| *name != "authentication" || says(document, "authentication");
    let tags = TAGS.iter().filter(with_sign_in).chain([&OPERATIONS_TAG]);
    let tags: Value = tags
        .map(|(name, description)| json!({ "name": name, "description": description }))
        .collect();
    document["tags"] = tags;
}

fn says(document: &Value, tag: &str) -> bool {
    document["paths"].to_string().contains(&format!("\"tags\":[\"{tag}\"]"))
}

/// Adds the examples of a request: `example` if there is one, and `examples` with their names if there are several.
fn show_examples(content: &mut Value, mut examples: Vec<(&str, Value)>) {
    if examples.len() > 1 {
        let named = examples.into_iter().map(|(name, value)| {
            let summary = name.replace('_', " ");
            (name.to_owned(), json!({ "summary": summary, "value": value }))
        });
        content["examples"] = named.collect::<Map<_, _>>().into();
    } else if let Some((_, only)) = examples.pop() {
        content["example"] = only;
    }
}

fn complete_operation(method: &str, operation: &mut Value, loose: &BTreeSet<String>) {
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let known = operation["security"].is_array();
    if !known {
        operation["security"] = if FOR_EVERYBODY.contains(&id.as_str()) {
            json!([{}, { "session": [] }])
        } else {
            json!([])
        };
    }
    complete_parameters(operation);
    if let Some(body) = operation.get_mut("requestBody") {
        let schema = body["content"]["application/json"]["schema"]["$ref"].as_str();
        let needed = !schema.is_some_and(|reference| loose.contains(reference));
        body["required"] = needed.into();
        show_examples(&mut body["content"]["application/json"], examples(&id));
    }
    let responses = operation["responses"]
        .as_object_mut()
        .expect("an operation has answers");
    responses.remove("4XX");
    for (status, answer) in responses.iter_mut() {
        complete_success(method, status, answer);
        if let Some(body) = recorded(&id, status) {
            answer["content"]["application/json"]["example"] = body.clone();
        }
    }
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes_by_form(&id, method, known).into_iter().chain(
        codes(&id)
            .expect("an operation has its row in operations.rs")
            .iter()
            .copied(),
    ) {
        let same = by_status.entry(code.status().as_u16()).or_default();
        if !same.contains(&code) {
            same.push(code);
        }
    }
    for (status, codes) in by_status {
        responses.insert(
            status.to_string(),
            error_answer(&codes, WITH_PAGES.contains(&id.as_str())),
        );
    }
    for answer in responses.values_mut() {
        answer["headers"]["X-Correlation-Id"] = json!({ "$ref": "#/components/headers/CorrelationId" });
        if !FOR_WATCHERS.contains(&id.as_str()) {
            answer["headers"]["RateLimit"] = json!({ "$ref": "#/components/headers/RateLimit" });
            answer["headers"]["RateLimit-Policy"] = json!({ "$ref": "#/components/headers/RateLimitPolicy" });
        }
    }
}

/// Returns the error codes that an operation has because of its form, such as its method or the need for a session.
fn codes_by_form(id: &str, method: &str, known: bool) -> Vec<Code> {
    let mut codes = vec![Code::InvalidRequest, Code::Internal, Code::Timeout];
    if !FOR_WATCHERS.contains(&id) {
        codes.extend([Code::Unavailable, Code::Busy, Code::RateLimited, Code::NetworkRefused]);
    }
    if known || FOR_EVERYBODY.contains(&id) {
        codes.push(Code::Unauthenticated);
    }
    if ["post", "put", "patch"].contains(&method) {
        codes.extend([Code::PayloadTooLarge, Code::UnsupportedMediaType]);
    }
    let is_command = method == "post" && known && !SESSION_COMMANDS.contains(&id);
    if is_command {
        codes.extend([Code::RequestInProgress, Code::IdempotencyKeyReused]);
    }
    codes
}

/// The ids of the `POST` operations on sessions and accounts. They take no idempotency key.
const SESSION_COMMANDS: [&str; 7] = [
    "give_role",
    "logout",
    "logout_all",
    "ws_ticket",
    "link",
    "begin_registration",
    "complete_registration",
];

fn complete_parameters(operation: &mut Value) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for given in parameters.into_iter().flatten() {
        if given["in"] == "query" || given["in"] == "header" {
            // A parameter can be absent, but it cannot be null, so `null` is removed from its types.
            if let Some(types) = given["schema"]["type"].as_array() {
                given["schema"]["type"] = types.iter().find(|name| *name != "null").cloned().unwrap_or_default();
            }
        }
        if given["name"] == "Idempotency-Key" {
            given["schema"]["pattern"] = "^[!-~]{1,255}$".into();
        }
        let name = given["name"].as_str().unwrap_or_default();
        if let Some((description, example)) = parameter(name) {
            if !given["description"].is_string() {
                given["description"] = description.into();
            }
            given["example"] = example;
        }
    }
}

fn complete_success(method: &str, status: &str, answer: &mut Value) {
    let said = answer["description"].as_str().is_some_and(|text| !text.is_empty());
    if !said {
        let description = match (method, status) {
            ("get", "200") => "The request succeeded.",
            (_, "200") => "The request succeeded.",
            (_, "201") => "The request succeeded and made something new. `Location` is its path.",
            (_, "202") => "The request was accepted; its work goes on.",
            _ => "See the body.",
        };
        answer["description"] = description.into();
    }
    // An answer with 202 has a `Location` only if it answers a write. Such an answer already has a header here, with
    // the consistency token of the write.
    let is_written = status != "202" || answer["headers"].is_object();
    if ["201", "202", "303"].contains(&status) && is_written {
        answer["headers"]["Location"] = json!({ "$ref": "#/components/headers/Location" });
    }
}

/// Returns the OpenAPI description of the error answer with one status: the meaning and an example of each of its
/// codes.
fn error_answer(codes: &[Code], with_page: bool) -> Value {
    let meaning = |code: &Code| format!("`{}`: {}", code.as_str(), code.meaning());
    let description: Vec<_> = codes.iter().map(meaning).collect();
    let example = |code: &Code| {
        let value = json!({ "code": code.as_str(), "message": code.meaning() });
        (code.as_str().to_owned(), json!({ "value": value }))
    };
    let examples: Map<String, Value> = codes.iter().map(example).collect();
    let mut answer = json!({
        "description": description.join("\n\n"),
        "content": {
            "application/json": { "schema": { "$ref": "#/components/schemas/ErrorBody" }, "examples": examples },
            "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } },
        },
    });
    if with_page {
        answer["content"]["text/html"] = json!({ "schema": { "type": "string" } });
    }
    match codes.first().map(|code| code.status().as_u16()) {
        Some(401) => answer["headers"]["WWW-Authenticate"] = json!({ "$ref": "#/components/headers/WwwAuthenticate" }),
        Some(429 | 503) => answer["headers"]["Retry-After"] = json!({ "$ref": "#/components/headers/RetryAfter" }),
        _ => {}
    }
    answer
}

const ERROR_CODE: &str = "#/components/schemas/ErrorCode";

fn error_code_schema() -> Value {
    let codes: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    json!({ "type": "string", "description": "The reason of an error, for machines.", "enum": codes })
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "An error as problem details (RFC 9457).",
        "required": ["type", "title", "status", "code", "message"],
        "properties": {
            "type": { "type": "string", "description": "Always `about:blank`." },
            "title": { "type": "string", "description": "The name of the status." },
            "status": { "type": "integer", "format": "int32" },
            "code": { "$ref": ERROR_CODE },
            "message": { "type": "string", "description": "Explains the error to people." },
            "details": { "type": "object" },
        },
    })
}

fn headers() -> Value {
    let text = |description: &str| json!({ "description": description, "schema": { "type": "string" } });
    json!({
        "CorrelationId": text("The correlation id of the request: the one that the caller sent, or a new one."),
        "Location": text("The path of the new thing, or the address to which the browser must go."),
        "RateLimit": text("For each limit that counts the request: how many more requests its user or network may send, and in how many seconds all of them are allowed again."),
        "RateLimitPolicy": text("For each limit that counts the request: how many requests are allowed in how many seconds. `user` counts whoever is signed in, `network` everybody else, and `auth` requests to sign in."),
        "RetryAfter": { "description": "How many seconds to wait before the next try.", "schema": { "type": "integer" } },
        "WwwAuthenticate": text("How a request says who sends it."),
    })
}

/// Returns references to the schemas of objects that have no required field.
fn schemas_without_required_fields(document: &Value) -> BTreeSet<String> {
    let schemas = document["components"]["schemas"].as_object();
    let loose = schemas
        .into_iter()
        .flatten()
        .filter(|(_, schema)| schema["type"] == "object" && schema["required"].as_array().is_none_or(Vec::is_empty));
    loose.map(|(name, _)| format!("{SCHEMAS}{name}")).collect()
}

const SCHEMAS: &str = "#/components/schemas/";

/// Declares in the document that every object in a request refuses unknown fields.
fn close_requests(document: &mut Value) {
    let mut open = Vec::new();
    for operation in operations(document) {
        collect_references(&operation["requestBody"], &mut open);
    }
    let mut closed = BTreeSet::new();
    while let Some(name) = open.pop() {
        if closed.insert(name.clone()) {
            let schema = &mut document["components"]["schemas"][&name];
            close(schema);
            collect_references(schema, &mut open);
        }
    }
}

fn operations(document: &Value) -> impl Iterator<Item = &Value> {
    let paths = document["paths"].as_object();
    let methods = paths
        .into_iter()
        .flatten()
        .filter_map(|(_, methods)| methods.as_object());
    methods.flat_map(|methods| methods.values())
}

fn close(schema: &mut Value) {
    if let Some(variants) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        variants.iter_mut().for_each(close);
    } else if schema["type"] == "object" && schema["properties"].is_object() {
        schema["additionalProperties"] = false.into();
    }
}

fn collect_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str().and_then(|text| text.strip_prefix(SCHEMAS)) {
                    Some(schema) if name == "$ref" => found.push(schema.to_owned()),
                    _ => collect_references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, found)),
        _ => {}
    }
}
