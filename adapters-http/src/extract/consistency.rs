use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use ticketing_runtime::ConsistencyToken;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, Type};

use crate::errors::ApiError;
use crate::replies::{CONSISTENCY, CONSISTENCY_NAME};
use crate::state::Shared;

/// Returns the consistency token of a request, which says which writes its caller has seen. `None` if the request
/// has no token; if it has several, they are merged.
pub(crate) fn consistency_token(headers: &HeaderMap) -> Result<Option<ConsistencyToken>, ApiError> {
    let mut tokens = headers.get_all(&CONSISTENCY).iter();
    let parsed = tokens.try_fold(None, |sum: Option<ConsistencyToken>, value| {
        let token = value.to_str().ok().and_then(ConsistencyToken::parse)?;
        Some(Some(sum.map_or_else(|| token.clone(), |sum| sum.merge(&token))))
    });
    parsed
        .ok_or_else(|| ApiError::invalid_request(CONSISTENCY_NAME, "is not a token that this server has answered with"))
}

/// The pattern that every token matches. It is loose on purpose: clients send tokens back and never look into them.
const TOKEN_PATTERN: &str = "^[a-z]1\\.[A-Za-z0-9_-]+$";

/// Marks a request whose `Ticketing-Consistency` header is not a token. Holds the error to answer with.
#[derive(Debug, Clone)]
pub(crate) struct UnreadableToken(pub(crate) ApiError);

/// Extracted by a handler, this makes sure that the read models have applied the write that the caller's token
/// stands for.
#[derive(Debug)]
pub(crate) struct CaughtUp;

/// The consistency token of a request, for a handler whose answer shows the write by itself. `None` if the request has
/// no token.
#[derive(Debug)]
pub(crate) struct SeenWrites(pub(crate) Option<ConsistencyToken>);

impl IntoParams for CaughtUp {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![token_parameter()]
    }
}

impl IntoParams for SeenWrites {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![token_parameter()]
    }
}

fn token_parameter() -> Parameter {
    ParameterBuilder::new()
        .name(CONSISTENCY_NAME)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "The token that a write has answered with. The answer then includes that write, and all that its caller had seen before.",
        ))
        .schema(Some(
            ObjectBuilder::new().schema_type(Type::String).pattern(Some(TOKEN_PATTERN)),
        ))
        .build()
}

impl FromRequestParts<Shared> for CaughtUp {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        if let Some(token) = parts.extensions.get::<ConsistencyToken>().cloned() {
            state.desk.catch_up(&token).await?;
        }
        Ok(Self)
    }
}

impl FromRequestParts<Shared> for SeenWrites {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<ConsistencyToken>().cloned()))
    }
}
