//! The command `openapi`: prints the OpenAPI document, from which people generate clients.

use crate::config::HttpSettings;

/// Returns the OpenAPI document of a server at the public URL.
pub fn openapi(settings: &HttpSettings) -> String {
    format!("{:#}", adapters_http::document_at(settings.public_url.as_str()))
}
