use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::read::{Faults, Place, Read};
use super::sent::{Object, Sent};
use crate::errors::ApiError;
use crate::state::Shared;

/// Extracts the parameters of the query string.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: Read> FromRequestParts<Shared> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &Shared) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        let mut parameters = Object::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            parameters.put(name.into_owned(), Sent::Parameter(value.into_owned()));
        }
        let mut faults = Faults::default();
        match T::read(Sent::Object(parameters), &Place::Whole("query"), &mut faults) {
            Some(read) if faults.is_empty() => Ok(Self(read)),
            _ => Err(ApiError::invalid_requests(&faults.told)),
        }
    }
}
