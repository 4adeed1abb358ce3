use axum::http::HeaderMap;
use axum::response::Response;
use http_body_util::BodyExt as _;
use serde_json::Value;

/// The answer to a request, with its whole body.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body as JSON, or `null` if the body is not JSON.
    pub(crate) body: Value,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(super) async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
            bytes,
        }
    }

    /// Demands the status `status`.
    ///
    /// # Panics
    /// If the answer has another status; the panic shows the whole answer.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }

    /// Demands an error with this status and code, and returns its `details`.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> &Value {
        assert_eq!(
            (self.status, self.body["code"].as_str()),
            (status, Some(code)),
            "{self:#?}"
        );
        assert!(self.body["message"].is_string(), "{self:#?}");
        &self.body["details"]
    }

    #[track_caller]
    pub(crate) fn text(&self, field: &str) -> String {
        let text = self.body[field].as_str();
        text.unwrap_or_else(|| panic!("no text {field} in {self:#?}"))
            .to_owned()
    }

    /// Returns the value of a header, or an empty text if the answer does not have the header.
    pub(crate) fn header(&self, name: &str) -> String {
        let value = self.headers.get(name);
        value
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default()
    }
}
