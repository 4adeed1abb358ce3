//! The contract as a file, for whoever makes a client.

use crate::config::HttpSettings;

/// The OpenAPI document, whose paths are under the public URL.
pub fn openapi(settings: &HttpSettings) -> String {
    format!("{:#}", adapters_http::document_at(settings.public_url.as_str()))
}
