//! Answers of commands.

use axum::Extension;
use axum::Json;
use axum::http::header::LOCATION;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use ticketing_runtime::ConsistencyToken;

/// The header as people write it.
pub(crate) const CONSISTENCY_NAME: &str = "Ticketing-Consistency";
pub(crate) const CONSISTENCY: HeaderName = HeaderName::from_static("ticketing-consistency");

/// 200 with the token of the write.
pub(crate) struct Done<T>(pub(crate) ConsistencyToken, pub(crate) T);

/// 201 with the token of the write and where the new thing is.
pub(crate) struct Created<T>(pub(crate) ConsistencyToken, pub(crate) String, pub(crate) T);

/// 202 with the token of the write and where to look what becomes of it.
pub(crate) struct Accepted<T>(pub(crate) ConsistencyToken, pub(crate) String, pub(crate) T);

impl<T: Serialize> IntoResponse for Done<T> {
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

/// Writes the token of a write into its answer. The caller goes on with one token, so it also says what the request's said.
pub(crate) fn write_token(response: &mut Response, seen_before: Option<&ConsistencyToken>) {
    if let Some(token) = response.extensions_mut().remove::<ConsistencyToken>() {
        let token = seen_before.map_or_else(|| token.clone(), |before| token.clone().merge(before));
        let value = HeaderValue::from_str(&token.to_string()).expect("a token is visible ASCII");
        response.headers_mut().insert(CONSISTENCY, value);
    }
}
