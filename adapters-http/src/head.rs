//! Refuses requests whose head is malformed or can be read in two ways, so that a proxy and this server cannot take
//! the same bytes for different requests.

use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderName, Version};

use crate::errors::ApiError;

/// Headers that may stand in a request only once: with two values, nobody can tell which one counts.
const ONCE: [(HeaderName, &str); 2] = [(HOST, "Host"), (AUTHORIZATION, "Authorization")];

/// A fault in the head of a request that only the host's HTTP server can see. A request that has this as an extension
/// is refused with 400.
///
/// ```
/// use adapters_http::HeadFault;
/// use axum::http::Request;
///
/// let mut request = Request::new(());
/// let fault = HeadFault::new("Content-Length", "must not stand beside Transfer-Encoding");
/// request.extensions_mut().insert(fault);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadFault {
    header: &'static str,
    reason: &'static str,
}

impl HeadFault {
    /// Names the header that is wrong, and the reason.
    pub const fn new(header: &'static str, reason: &'static str) -> Self {
        Self { header, reason }
    }
}

/// Returns why a request is refused whose head is malformed.
pub(crate) fn malformed_head(request: &Request) -> Option<ApiError> {
    fault(request).map(|HeadFault { header, reason }| ApiError::invalid_request(header, reason))
}

fn fault(request: &Request) -> Option<HeadFault> {
    let headers = request.headers();
    if let Some(found) = request.extensions().get::<HeadFault>() {
        return Some(*found);
    }
    for (name, spelled) in ONCE {
        if has_two(headers, &name) {
            return Some(HeadFault::new(spelled, "stands in the request more than once"));
        }
    }
    if headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH) {
        return Some(HeadFault::new(
            "Content-Length",
            "must not stand beside Transfer-Encoding",
        ));
    }
    let names_host = headers.contains_key(HOST) || request.uri().host().is_some();
    let needs_host = request.version() == Version::HTTP_11;
    (needs_host && !names_host).then(|| HeadFault::new("Host", "is missing"))
}

fn has_two(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get_all(name).iter().nth(1).is_some()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn fault_of(headers: &[(&str, &str)]) -> Option<&'static str> {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        fault(&request.body(Body::empty()).unwrap()).map(|fault| fault.header)
    }

    #[test]
    fn a_head_that_can_be_read_in_two_ways_is_refused() {
        let host = ("host", "tickets.example");
        assert_eq!(fault_of(&[host]), None);
        assert_eq!(fault_of(&[host, host]), Some("Host"));
        let session = ("authorization", "Bearer 1");
        assert_eq!(fault_of(&[host, session]), None);
        assert_eq!(fault_of(&[host, session, session]), Some("Authorization"));
        let lengths = [host, ("transfer-encoding", "chunked"), ("content-length", "4")];
        assert_eq!(fault_of(&lengths), Some("Content-Length"));
    }

    #[test]
    fn only_http_1_1_needs_the_header_host() {
        assert_eq!(fault_of(&[]), Some("Host"));
        for version in [Version::HTTP_10, Version::HTTP_2] {
            let request = Request::builder().version(version).body(Body::empty()).unwrap();
            assert_eq!(fault(&request), None, "{version:?}");
        }
    }
}
