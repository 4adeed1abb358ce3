//! The pages that people see while they sign in, with or without a web application in front.

use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};

use crate::errors::ApiError;
use crate::page::HtmlPage;

/// What a mailed link opens, and where a provider's sign-in ends. Token and code are in the fragment, which reaches no
/// log; the token is sent by a button, so that a mail scanner that only opens the page does not use it up.
pub(crate) async fn verify_page() -> impl IntoResponse {
    static VERIFY_PAGE: LazyLock<HtmlPage> = LazyLock::new(|| HtmlPage::new(include_str!("verify.html")));
    VERIFY_PAGE.clone()
}

/// Says why a sign-in at a provider came to nothing.
pub(crate) fn sign_in_failed(error: &ApiError) -> Response {
    const TEMPLATE: &str = include_str!("failed.html");
    let html = TEMPLATE.replace("{message}", &escaped(&error.message));
    let mut response = HtmlPage::new(html).with_status(error.code.status());
    error.write_headers(response.headers_mut());
    response
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
