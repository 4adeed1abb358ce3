//! The routes of passkeys: adding one, signing in with one, listing, renaming and removing them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use ticketing_domain::sign_in::{BegunPasskey, SignInRefusal};
use ticketing_ports::people::passkeys::Passkey;
use ticketing_ports::people::sessions::SignInMethod;
use ticketing_ports::vocabulary::seating::Label;
use ticketing_ports::vocabulary::secrets::Secret;
use ticketing_runtime::SignInFailure;
use utoipa::ToSchema;

use super::{MessageResponse, SessionResponse};
use crate::errors::{ApiError, Code, ErrorBody};
use crate::extract::{Body, CredentialId, Empty, RequestClient, SignedIn, read_object};
use crate::state::Shared;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PasskeyChallengeResponse {
    /// Send this back with the authenticator's answer. It works once, within five minutes.
    challenge_id: String,
    /// The options for `navigator.credentials`: `{"publicKey": …}`.
    #[schema(value_type = Object)]
    options: Box<RawValue>,
}

#[derive(ToSchema)]
pub(crate) struct CompleteRegistrationRequest {
    #[schema(pattern = "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$")]
    challenge_id: String,
    /// The name of the passkey, for its owner.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    name: Option<Label>,
    /// The `PublicKeyCredential` that the browser has returned, as JSON. Fields that the server does not know are
    /// accepted.
    #[schema(value_type = Object)]
    credential: Map<String, Value>,
}

read_object!(CompleteRegistrationRequest {
    challenge_id,
    name,
    credential
});

#[derive(ToSchema)]
pub(crate) struct BeginLoginRequest {
    /// Ignored. The challenge is the same for everybody, so that nobody learns who has an account.
    #[expect(
        dead_code,
        reason = "an answer that depended on the address would tell who has an account"
    )]
    email: Option<String>,
}

read_object!(BeginLoginRequest { email });

#[derive(ToSchema)]
pub(crate) struct CompleteLoginRequest {
    #[schema(pattern = "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$")]
    challenge_id: String,
    /// The `PublicKeyCredential` that the browser has returned, as JSON. Fields that the server does not know are
    /// accepted.
    #[schema(value_type = Object)]
    credential: Map<String, Value>,
}

read_object!(CompleteLoginRequest {
    challenge_id,
    credential
});

#[derive(ToSchema)]
pub(crate) struct RenamePasskeyRequest {
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    name: Label,
}

read_object!(RenamePasskeyRequest { name });

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PasskeyResponse {
    /// The credential id in base64url.
    id: String,
    name: String,
    created_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    /// Whether the passkey may have been copied. Nobody can sign in with it any more, and its owner should remove it.
    suspect: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PasskeyListResponse {
    /// The passkeys, the oldest first.
    passkeys: Vec<PasskeyResponse>,
}

/// Begin to add a passkey
///
/// The answer has a challenge for the authenticator. The session must have begun within the last 15 minutes.
#[utoipa::path(post, path = "/api/auth/passkey/register/begin", tag = "authentication", security(("session" = [])),
    responses((status = 200, body = PasskeyChallengeResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn begin_registration(
    State(state): State<Shared>,
    caller: SignedIn,
    _: Body<Empty>,
) -> Result<Json<PasskeyChallengeResponse>, ApiError> {
    let SignedIn { session, user, .. } = caller;
    let begun = state
        .sign_in()
        .ceremonies
        .begin_passkey_registration(user, &session)
        .await?;
    challenge(begun).map(Json)
}

/// Finish adding a passkey
///
/// Takes what the authenticator made of the challenge. A challenge works once. An account has at most ten passkeys.
#[utoipa::path(post, path = "/api/auth/passkey/register/complete", tag = "authentication", security(("session" = [])),
    request_body = CompleteRegistrationRequest,
    responses((status = 201, body = PasskeyResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn complete_registration(
    State(state): State<Shared>,
    caller: SignedIn,
    RequestClient(client): RequestClient,
    Body(request): Body<CompleteRegistrationRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let challenge_id = Secret::parse(&request.challenge_id).ok_or_else(no_challenge_of_ours)?;
    let name = request.name.unwrap_or_else(unnamed);
    let answer = Value::Object(request.credential).to_string();
    let passkey = state
        .sign_in()
        .ceremonies
        .complete_passkey_registration(caller.user.id, &challenge_id, name, answer, client.ip)
        .await?;
    let body = PasskeyResponse::from(passkey);
    let location = format!("/api/auth/passkeys/{}", body.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(body)))
}

/// Begin to sign in with a passkey
///
/// The answer has a challenge for the authenticator. It is the same kind of challenge for everybody, so that nobody learns
/// who has an account.
#[utoipa::path(post, path = "/api/auth/passkey/login/begin", tag = "authentication",
    request_body = BeginLoginRequest,
    responses((status = 200, body = PasskeyChallengeResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn begin_login(
    State(state): State<Shared>,
    _: Body<BeginLoginRequest>,
) -> Result<Json<PasskeyChallengeResponse>, ApiError> {
    challenge(state.sign_in().ceremonies.begin_passkey_login().await?).map(Json)
}

/// Sign in with a passkey
///
/// Takes what the authenticator made of the challenge. A challenge works once, even if the request is refused.
#[utoipa::path(post, path = "/api/auth/passkey/login/complete", tag = "authentication",
    request_body = CompleteLoginRequest,
    responses((status = 200, body = SessionResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn complete_login(
    State(state): State<Shared>,
    RequestClient(client): RequestClient,
    Body(request): Body<CompleteLoginRequest>,
) -> Result<Json<SessionResponse>, ApiError> {
    let ceremonies = &state.sign_in().ceremonies;
    let Some(challenge_id) = Secret::parse(&request.challenge_id) else {
        let (method, refusal) = (SignInMethod::Passkey, SignInRefusal::InvalidChallenge);
        return Err(match ceremonies.refuse_unreadable(method, client.ip, refusal).await {
            SignInFailure::Refused(_) => no_challenge_of_ours(),
            other => other.into(),
        });
    };
    let answer = Value::Object(request.credential).to_string();
    let outcome = ceremonies.complete_passkey_login(&challenge_id, answer, client).await;
    let signed_in = outcome.map_err(|failure| match failure {
        // Only the audit log says why the passkey was refused. The answer leaves the reason out, because it would
        // tell who has an account.
        SignInFailure::Refused(_) => ApiError::new(Code::Unauthenticated, "this passkey does not sign anybody in"),
        other => other.into(),
    })?;
    Ok(Json(signed_in.into()))
}

/// List my passkeys
///
/// Answers with the name of each passkey, and when it was last used.
#[utoipa::path(get, path = "/api/auth/passkeys", tag = "authentication", security(("session" = [])),
    responses((status = 200, body = PasskeyListResponse), (status = 401, body = ErrorBody)))]
pub(crate) async fn list_passkeys(
    State(state): State<Shared>,
    caller: SignedIn,
) -> Result<Json<PasskeyListResponse>, ApiError> {
    let passkeys = state.sign_in().accounts.passkeys_of(caller.user.id).await?;
    let passkeys = passkeys.into_iter().map(PasskeyResponse::from).collect();
    Ok(Json(PasskeyListResponse { passkeys }))
}

/// Rename one of my passkeys
///
/// The name only helps its owner to tell passkeys apart.
#[utoipa::path(patch, path = "/api/auth/passkeys/{id}", tag = "authentication", security(("session" = [])),
    params(("id" = String, Path, pattern = "^[A-Za-z0-9_-]+$", description = "The credential id, base64url.")),
    request_body = RenamePasskeyRequest,
    responses((status = 200, body = PasskeyResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn rename_passkey(
    State(state): State<Shared>,
    caller: SignedIn,
    CredentialId(id): CredentialId,
    Body(request): Body<RenamePasskeyRequest>,
) -> Result<Json<PasskeyResponse>, ApiError> {
    let renamed = state
        .sign_in()
        .accounts
        .rename_passkey(caller.user.id, &id, &request.name)
        .await?;
    Ok(Json(renamed.ok_or_else(no_such_passkey)?.into()))
}

/// Remove one of my passkeys
///
/// Every other session of the caller ends too, because one of them may belong to a thief of the passkey.
#[utoipa::path(delete, path = "/api/auth/passkeys/{id}", tag = "authentication", security(("session" = [])),
    params(("id" = String, Path, pattern = "^[A-Za-z0-9_-]+$", description = "The credential id, base64url.")),
    responses((status = 200, body = MessageResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn remove_passkey(
    State(state): State<Shared>,
    caller: SignedIn,
    CredentialId(id): CredentialId,
) -> Result<Json<MessageResponse>, ApiError> {
    if !state.sign_in().accounts.remove_passkey(&caller.session, &id).await? {
        return Err(no_such_passkey());
    }
    Ok(Json(MessageResponse {
        message: "The passkey is removed, and you are signed out everywhere else",
    }))
}

fn challenge(begun: BegunPasskey) -> Result<PasskeyChallengeResponse, ApiError> {
    Ok(PasskeyChallengeResponse {
        challenge_id: begun.challenge_id.expose(),
        options: RawValue::from_string(begun.options).map_err(|_| ApiError::internal())?,
    })
}

fn no_challenge_of_ours() -> ApiError {
    ApiError::invalid_request("challenge_id", "is not an id that this server has given")
}

fn unnamed() -> Label {
    Label::new("Passkey").expect("a short plain text is a label")
}

fn no_such_passkey() -> ApiError {
    ApiError::new(Code::NotFound, "there is no such passkey")
}

impl From<Passkey> for PasskeyResponse {
    fn from(passkey: Passkey) -> Self {
        Self {
            id: URL_SAFE_NO_PAD.encode(&passkey.credential_id),
            name: passkey.name,
            created_at: passkey.created_at,
            last_used_at: passkey.last_used_at,
            suspect: passkey.suspect,
        }
    }
}
