use std::collections::BTreeSet;

use adapters_http::Code;
use serde_json::Value;

use crate::support::TestServer;

pub(crate) fn document() -> Value {
    adapters_http::document()
}

/// Returns each operation of the document, with its method and path.
pub(crate) fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let methods = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap();
        methods
            .iter()
            .map(|(method, operation)| (method.as_str(), path.as_str(), operation))
    });
    methods.collect()
}

/// Returns the examples of the request of an operation, each with its name. The only example of an operation has an
/// empty name. The body is `null` if the operation takes none.
pub(crate) fn request_examples(operation: &Value) -> Vec<(&str, &Value)> {
    let content = &operation["requestBody"]["content"]["application/json"];
    match content["examples"].as_object() {
        Some(named) => named
            .iter()
            .map(|(name, example)| (name.as_str(), &example["value"]))
            .collect(),
        None => vec![("", &content["example"])],
    }
}

#[tokio::test(start_paused = true)]
async fn the_document_that_is_served_describes_every_route_once() {
    let server = TestServer::start();
    let served = server.stranger().get("/api/openapi.json").await;
    assert_eq!(served.expect(200).body, document());
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&served.body) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "two operations have the id {id}");
        assert!(
            operation["summary"].is_string() && operation["tags"].is_array(),
            "{method} {path}"
        );
        assert!(operation["description"].is_string(), "{method} {path} is not described");
    }
    assert_eq!(ids.len(), 55, "{ids:#?}");
}

#[test]
fn every_answer_in_the_document_is_described_and_every_error_has_its_codes() {
    let document = document();
    for (method, path, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap();
        for status in ["400", "500", "504"] {
            assert!(responses.contains_key(status), "{method} {path} lacks {status}");
        }
        for (status, answer) in responses {
            let place = format!("{method} {path} {status}");
            assert!(status.parse::<u16>().is_ok(), "{place}");
            assert!(
                answer["description"].as_str().is_some_and(|text| !text.is_empty()),
                "{place}"
            );
            assert!(answer["headers"]["X-Correlation-Id"].is_object(), "{place}");
            let json = &answer["content"]["application/json"];
            let has_body = !["303", "304"].contains(&status.as_str());
            assert_eq!(json["schema"]["$ref"].is_string(), has_body, "{place}");
            let codes = json["examples"].as_object();
            let is_error = json["schema"]["$ref"] == "#/components/schemas/ErrorBody";
            assert_eq!(codes.is_some(), is_error, "{place}");
            for code in codes.into_iter().flat_map(|codes| codes.keys()) {
                let code = Code::ALL.iter().find(|known| known.as_str() == code).unwrap();
                assert_eq!(code.status().as_str(), status, "{place}");
            }
        }
        let signed_in = operation["security"]
            .as_array()
            .unwrap()
            .iter()
            .any(|way| way["session"].is_array() || way["order_secret"].is_array());
        let unauthenticated =
            &operation["responses"]["401"]["content"]["application/json"]["examples"]["UNAUTHENTICATED"];
        let by_proof = operation["operationId"] == "complete_login";
        assert_eq!(unauthenticated.is_object(), signed_in || by_proof, "{method} {path}");
    }
}

#[test]
fn every_parameter_and_every_body_in_the_document_is_described_or_shown() {
    let document = document();
    for (method, path, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let place = format!("{method} {path} {}", parameter["name"]);
            let limited = parameter["schema"]["minimum"].is_number() || parameter["schema"]["default"].is_number();
            assert!(parameter["description"].is_string() || limited, "{place}");
            assert!(parameter["in"] != "path" || !parameter["example"].is_null(), "{place}");
            assert!(
                !parameter["schema"]["type"].is_array(),
                "the parameter {place} must not be nullable"
            );
        }
        if operation["requestBody"].is_object() {
            let content = &operation["requestBody"]["content"]["application/json"];
            let (_, first) = request_examples(operation).swap_remove(0);
            assert!(first.is_object(), "{method} {path} has no example");
            let schema = content["schema"]["$ref"].as_str().unwrap().trim_start_matches('#');
            let schema = document.pointer(schema).unwrap();
            assert_eq!(schema["additionalProperties"], false, "{method} {path}");
            let needs_a_field = schema["required"].as_array().is_some_and(|fields| !fields.is_empty());
            assert_eq!(operation["requestBody"]["required"], needs_a_field, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_document_says_which_answers_carry_a_token_and_which_questions_take_it() {
    let document = document();
    let (mut carry, mut take) = (0, 0);
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let takes = operation["parameters"]
                .as_array()
                .is_some_and(|all| all.iter().any(|parameter| parameter["name"] == "Ticketing-Consistency"));
            let mut answers = operation["responses"].as_object().unwrap().iter();
            let carries = answers.any(|(status, answer)| {
                status.starts_with('2') && answer["headers"]["Ticketing-Consistency"].is_object()
            });
            let writes = method == "post" && !path.starts_with("/api/auth/");
            assert_eq!(carries, writes, "{method} {path}");
            assert!(!takes || method == "get", "{method} {path}");
            carry += u32::from(carries);
            take += u32::from(takes);
        }
    }
    assert_eq!((carry, take), (15, 9));
}

#[tokio::test(start_paused = true)]
async fn every_reference_in_the_document_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    let references = text
        .split("\"$ref\":\"#")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap());
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
    assert!(document.pointer("/components/securitySchemes/session").is_some());
}

#[tokio::test(start_paused = true)]
async fn the_document_can_be_read_in_a_browser_without_anything_from_elsewhere() {
    let server = TestServer::start();
    let stranger = server.stranger();
    let page = stranger.get("/docs/").await;
    let html = String::from_utf8(page.expect(200).bytes.clone()).unwrap();
    assert!(!html.contains("https://") && !html.contains("http://"), "{html}");
    for file in ["swagger-ui-bundle.js", "swagger-ui.css"] {
        assert!(html.contains(&format!("=\"{file}\"")), "{html}");
        stranger.get(&format!("/docs/{file}")).await.expect(200);
    }
    for file in [
        "index.html",
        "swagger-initializer.js",
        "oauth2-redirect.html",
        "nothing.js",
        "a/b.js",
    ] {
        stranger.get(&format!("/docs/{file}")).await.refused(404, "NOT_FOUND");
    }
}

#[tokio::test(start_paused = true)]
async fn the_page_of_the_document_runs_and_asks_only_what_is_ours_and_cannot_be_framed() {
    let server = TestServer::start();
    let page = server.stranger().get("/docs/").await;
    let policy = page.expect(200).header("content-security-policy");
    for rule in [
        "default-src 'none'",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    let html = String::from_utf8(page.bytes.clone()).unwrap();
    assert_eq!(
        html.matches("<script").count(),
        policy.matches("'sha256-").count() + 1,
        "{html}"
    );
    assert!(
        html.contains("sessionStorage.getItem(\"session_id\")"),
        "the page must use the session id that signing in has stored"
    );
}
