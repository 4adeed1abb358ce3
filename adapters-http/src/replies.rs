//! The answers to commands, which all have the consistency token of what was written.

use axum::Extension;
use axum::Json;
use axum::http::header::LOCATION;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use ticketing_runtime::ConsistencyToken;

/// The name of the header with the consistency token, spelled as in the documentation.
pub(crate) const CONSISTENCY_NAME: &str = "Ticketing-Consistency";
pub(crate) const CONSISTENCY: HeaderName = HeaderName::from_static("ticketing-consistency");

/// An answer with status 200 and the consistency token of the write.
pub(crate) struct Changed<T>(pub(crate) ConsistencyToken, pub(crate) T);

/// An answer with status 201, the consistency token of the write, and the path of what was created.
pub(crate) struct Created<T>(pub(crate) ConsistencyToken, pub(crate) String, pub(crate) T);

/// An answer with status 202, the consistency token of the write, and the path under which the outcome will be
/// found.
pub(crate) struct Accepted<T>(pub(crate) ConsistencyToken, pub(crate) String, pub(crate) T);

impl<T: Serialize> IntoResponse for Changed<T> {
    fn into_response(self) -> Response {
        (Extension(self.0), Json(self.1)).into_response()
    }
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        located(StatusCode::CREATED, self.0, &self.1, self.2)
    }
}

impl<T: Serialize> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        located(StatusCode::ACCEPTED, self.0, &self.1, self.2)
    }
}

fn located(status: StatusCode, token: ConsistencyToken, location: &str, body: impl Serialize) -> Response {
    let location = HeaderValue::from_str(location).expect("locations are made of routes and UUIDs");
    (status, Extension(token), [(LOCATION, location)], Json(body)).into_response()
}

/// Writes the consistency token of a write into its answer. The token of the request is merged in, so that the
/// caller has to keep only the latest token.
pub(crate) fn write_token(response: &mut Response, seen_before: Option<&ConsistencyToken>) {
    if let Some(token) = response.extensions_mut().remove::<ConsistencyToken>() {
        let token = seen_before.map_or_else(|| token.clone(), |before| token.clone().merge(before));
        let value = HeaderValue::from_str(&token.to_string()).expect("a token is visible ASCII");
        response.headers_mut().insert(CONSISTENCY, value);
    }
}
