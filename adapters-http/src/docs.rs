//! The routes of the OpenAPI document and of the page that shows it. Both work under any path at which the router is
//! nested.

use std::sync::Arc;

use axum::Extension;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use serde_json::{Value, json};
use utoipa_swagger_ui::Config;

use crate::envelope::{MountedAt, no_such_route};
use crate::page::HtmlPage;

/// The names of the scripts and style sheets that the documentation page loads.
const FILES: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];

/// Returns the OpenAPI document. Its server URL is the path under which the router is nested.
pub(crate) fn document_route(document: Value) -> MethodRouter<crate::state::Shared> {
    let document = Arc::new(document);
    get(async move |mounted_at: Option<Extension<MountedAt>>| {
        let mut document = Value::clone(&document);
        if let Some(Extension(MountedAt(path))) = mounted_at {
            document["servers"] = json!([{ "url": path.as_ref() }]);
        }
        axum::Json(document)
    })
}

/// Redirects from `/docs` to `/docs/`, because the links in the documentation page are relative.
pub(crate) async fn to_page() -> Response {
    (StatusCode::PERMANENT_REDIRECT, [(LOCATION, "docs/")]).into_response()
}

pub(crate) async fn page() -> HtmlPage {
    HtmlPage::with_files_beside_it(include_str!("docs.html"))
}

pub(crate) async fn file(Path(name): Path<String>) -> Response {
    let known = FILES.contains(&name.as_str());
    let found = known
        .then(|| utoipa_swagger_ui::serve(&name, Arc::new(Config::from("../api/openapi.json"))))
        .and_then(|found| found.ok().flatten());
    let Some(file) = found else {
        return no_such_route().await.into_response();
    };
    let content_type = HeaderValue::from_str(&file.content_type);
    let content_type = content_type.expect("the media type of a script or a style sheet is visible ASCII");
    let mut response = (
        [
            (CONTENT_TYPE, content_type),
            (CACHE_CONTROL, HeaderValue::from_static("max-age=3600")),
        ],
        file.bytes.into_owned(),
    )
        .into_response();
    if file.gzpipped {
        let headers = response.headers_mut();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}
