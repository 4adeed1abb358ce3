//! The HTML pages of this server. The `Content-Security-Policy` of a page allows only the scripts and styles that
//! are part of the page.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use sha2::{Digest as _, Sha256};

/// An HTML page. Its `Content-Security-Policy` allows the page's own inline scripts and styles (by their hashes) and
/// requests to this server, and forbids other pages to show this one in a frame.
#[derive(Debug, Clone)]
pub struct HtmlPage {
    html: String,
    policy: String,
}

/// Allows, in the `Content-Security-Policy` of a page, scripts and style sheets that are files on this server.
const FILES_OF_OURS: &str = " 'self'";

impl HtmlPage {
    pub fn new(html: impl Into<String>) -> Self {
        Self::under(html.into(), "")
    }

    /// Returns a page that may also load scripts and style sheets that this server serves as files.
    pub(crate) fn with_files_beside_it(html: impl Into<String>) -> Self {
        Self::under(html.into(), FILES_OF_OURS)
    }

    fn under(html: String, files: &str) -> Self {
        let sources = |open, close| match (hashes(&html, open, close), files) {
            (None, "") => "'none'".to_owned(),
            (hashes, files) => (hashes.unwrap_or_default() + files).trim().to_owned(),
        };
        let policy = format!(
            "default-src 'none'; connect-src 'self'; img-src 'self' data:; script-src {}; style-src {}; base-uri \
             'none'; form-action 'none'; frame-ancestors 'none'",
            sources("<script>", "</script>"),
            sources("<style>", "</style>"),
        );
        Self { html, policy }
    }

    pub fn with_status(self, status: StatusCode) -> Response {
        (status, self).into_response()
    }
}

impl IntoResponse for HtmlPage {
    fn into_response(self) -> Response {
        let headers = [
            (CONTENT_SECURITY_POLICY, self.policy),
            (REFERRER_POLICY, "no-referrer".to_owned()),
        ];
        (headers, Html(self.html)).into_response()
    }
}

/// Returns the hash of the text between each pair of tags, in the form in which a `Content-Security-Policy` allows
/// that text. `None` if the page has no such tags.
fn hashes(html: &str, open: &str, close: &str) -> Option<String> {
    let inline = html.split(open).skip(1).filter_map(|rest| rest.split_once(close));
    let hashes: Vec<_> = inline
        .map(|(text, _)| {
            let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
            format!("'sha256-{hash}'")
        })
        .collect();
    (!hashes.is_empty()).then(|| hashes.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_inline_script_and_style_is_named_by_its_hash_and_nothing_else_runs() {
        let page = HtmlPage::new("<style>a{}</style><script>1</script><p onclick=\"2\"><script>3</script>");
        let of = |text: &str| base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
        let scripts = format!("script-src 'sha256-{}' 'sha256-{}';", of("1"), of("3"));
        assert!(page.policy.contains(&scripts), "{}", page.policy);
        assert!(page.policy.contains(&format!("style-src 'sha256-{}';", of("a{}"))));
        assert!(!page.policy.contains("unsafe"));
    }

    #[test]
    fn a_page_without_scripts_may_run_none() {
        assert!(
            HtmlPage::new("<p>")
                .policy
                .contains("script-src 'none'; style-src 'none'")
        );
    }
}
