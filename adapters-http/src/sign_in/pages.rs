//! The pages of signing in, for servers without a web application of their own.

use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};

use crate::errors::ApiError;
use crate::page::HtmlPage;

/// The page that a mailed link opens, and to which a sign-in through a provider returns. The token, or the code, is
/// in the fragment of the address, which browsers send to no server. The user has to press a button to send it, so
/// that a mail scanner that only opens the page does not use the token up.
pub(crate) async fn verify_page() -> impl IntoResponse {
    static VERIFY_PAGE: LazyLock<HtmlPage> = LazyLock::new(|| HtmlPage::new(include_str!("verify.html")));
    VERIFY_PAGE.clone()
}

/// Returns the page that says why a sign-in through a provider failed.
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
