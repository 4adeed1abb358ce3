use std::sync::LazyLock;

use axum::http::Method;
use serde_json::Value;

use super::Answer;

static DOCUMENT: LazyLock<Value> = LazyLock::new(adapters_http::document);

/// Returns the operation of the OpenAPI document that a request belongs to.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next().unwrap_or_default();
    let asked: Vec<_> = path.split('/').collect();
    let method = method.as_str().to_ascii_lowercase();
    let fits = |template: &str| {
        let parts: Vec<_> = template.split('/').collect();
        parts.len() == asked.len()
            && parts
                .iter()
                .zip(&asked)
                .all(|(part, asked)| part == asked || (part.starts_with('{') && !asked.is_empty()))
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let mut fitting: Vec<_> = paths.iter().filter(|(template, _)| fits(template)).collect();
    // If several path templates match, the one with the fewest parameters is the right one.
    fitting.sort_by_key(|(template, _)| template.matches('{').count());
    fitting.first().and_then(|(_, methods)| methods.get(&method))
}

/// Checks an answer against the OpenAPI document. Every answer in these tests is checked.
///
/// # Panics
/// If the document does not say that this operation can give such an answer.
#[track_caller]
pub(super) fn check(method: &Method, path: &str, answer: &Answer) {
    let Some(operation) = operation(method, path) else {
        return;
    };
    // Two answers cannot be checked: one without a correlation id, which comes from the host and not from this API,
    // and one of a server that leaves signing in out and so does not have this route of the document.
    if answer.header("x-correlation-id").is_empty() || answer.body["message"] == "there is no such route" {
        return;
    }
    let id = &operation["operationId"];
    let said = &operation["responses"][answer.status.to_string()];
    assert!(
        said.is_object(),
        "the document does not say that {id} may answer {}",
        answer.status
    );
    let media = answer.header("content-type");
    let media = media.split(';').next().unwrap_or_default();
    let content = &said["content"][media];
    assert!(
        media.is_empty() || content.is_object(),
        "{id} does not say that {} may be {media}",
        answer.status
    );
    if let (Some(code), 400..) = (answer.body["code"].as_str(), answer.status) {
        let codes = &said["content"]["application/json"]["examples"];
        assert!(
            codes[code].is_object(),
            "the document does not say that {id} may answer {code}"
        );
    }
    if let Some(header) = [
        "location",
        "ticketing-consistency",
        "retry-after",
        "www-authenticate",
        "ratelimit",
    ]
    .into_iter()
    .find(|name| answer.headers.contains_key(*name) && !says_header(said, name))
    {
        panic!("{id} does not say that {} may have {header}", answer.status);
    }
}

fn says_header(said: &Value, name: &str) -> bool {
    let headers = said["headers"].as_object();
    headers
        .into_iter()
        .flatten()
        .any(|(header, _)| header.eq_ignore_ascii_case(name))
}
