use std::collections::BTreeSet;

use crate::support::TestServer;

#[tokio::test(start_paused = true)]
async fn the_document_describes_every_route_and_each_of_its_answers() {
    let server = TestServer::start();
    let served = server.stranger().get("/api/openapi.json").await;
    let document = &served.expect(200).body;
    assert_eq!(*document, serde_json::to_value(adapters_http::document()).unwrap());
    let mut operations = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(operations.insert(id.to_owned()), "{id} is there twice");
            assert!(
                operation["summary"].is_string() && operation["tags"].is_array(),
                "{method} {path}"
            );
            assert!(
                !operation["responses"].as_object().unwrap().is_empty(),
                "{method} {path}"
            );
        }
    }
    assert_eq!(operations.len(), 49, "{operations:#?}");
}

#[tokio::test]
async fn the_document_says_which_answers_carry_a_token_and_which_questions_take_it() {
    let document = serde_json::to_value(adapters_http::document()).unwrap();
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
    assert_eq!((carry, take), (12, 8));
}

#[tokio::test(start_paused = true)]
async fn every_reference_in_the_document_leads_somewhere() {
    let document = serde_json::to_value(adapters_http::document()).unwrap();
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
        "who is signed in is so here too"
    );
}
