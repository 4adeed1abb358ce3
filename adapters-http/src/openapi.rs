//! The list of all routes. The router and the OpenAPI document are both made from it.

mod answers;
mod complete;
mod operations;

use std::sync::Arc;

use axum::handler::Handler as _;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, head};
use axum::{Extension, Router};
use serde_json::{Value, json};
use tower::ServiceBuilder;
use tower::util::MapResponseLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ObjectBuilder, RefOr, Type};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::access_lines;
use crate::admission::{Admission, AdmitLayer, admitted};
use crate::browsers::{origins_allowed, readers_protected};
use crate::compression::{compressed, compressor};
use crate::docs::document_route;
use crate::envelope::{EnvelopeLayer, a_bug, no_such_method};
use crate::header_names::ORDER_SECRET_NAME;
use crate::health::Readiness;
use crate::in_flight::{InFlight, bound_reports};
use crate::limit::limit;
use crate::live::{stream_availability, watch_availability};
use crate::replies::CONSISTENCY_NAME;
use crate::request_id::correlation_ids;
use crate::sign_in::pages::verify_page;
use crate::sign_in::{account, magic_link, oauth, passkeys, refuse_head, roles, sessions};
use crate::state::{HttpState, Shared};
use crate::{
    analytics, availability, blocking, cancellations, codes, contact, customers, docs, events, extensions, health,
    payments, reservations,
};

#[derive(Debug, OpenApi)]
#[openapi(
    info(title = "Box office"),
    modifiers(&SessionScheme)
)]
struct Document;

#[derive(Debug)]
struct SessionScheme;

impl Modify for SessionScheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("session", SecurityScheme::Http(bearer));
        let secret = ApiKeyValue::with_description(ORDER_SECRET_NAME, "The secret of one order of a guest.");
        components.add_security_scheme("order_secret", SecurityScheme::ApiKey(ApiKey::Header(secret)));
    }
}

/// The routes of the box office itself, without those of signing in.
fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(events::create_event, events::list_events))
        .routes(routes!(events::get_event))
        .routes(routes!(events::publish))
        .routes(routes!(events::open_sales))
        .routes(routes!(events::close_sales))
        .routes(routes!(events::cancel_event))
        .routes(routes!(blocking::block_seats))
        .routes(routes!(blocking::unblock_seats))
        .routes(routes!(codes::add_codes, codes::list_codes))
        .routes(routes!(codes::end_code))
        .routes(routes!(availability::get_availability))
        .routes(routes!(availability::get_section))
        .routes(routes!(
            reservations::create_reservation,
            reservations::list_reservations
        ))
        .routes(routes!(reservations::get_reservation))
        .routes(routes!(reservations::pay_reservation))
        .routes(routes!(cancellations::show_cancellation))
        .routes(routes!(cancellations::cancel_reservation))
        .routes(routes!(extensions::extend_hold))
        .routes(routes!(contact::give_contact))
        .routes(routes!(reservations::reservation_history))
        .routes(routes!(payments::create_payment, payments::list_payments))
        .routes(routes!(payments::get_payment))
        .routes(routes!(payments::refund_payment))
}

/// The routes whose answers take the most work.
fn report_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(analytics::event_analytics))
        .routes(routes!(customers::customer_history))
        .routes(routes!(customers::lifetime_value))
}

/// The routes that answer everybody at any time, because those who watch the server ask here.
fn health_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
}

/// The routes of sessions and accounts, for people who have signed in at this server.
fn account_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(sessions::get_session))
        .routes(routes!(sessions::list_sessions))
        .routes(routes!(sessions::logout))
        .routes(routes!(sessions::logout_all))
        .routes(routes!(sessions::ws_ticket))
        .routes(routes!(account::me, account::erase_me))
        .routes(routes!(roles::give_role))
        .routes(routes!(oauth::link))
        .routes(routes!(passkeys::begin_registration))
        .routes(routes!(passkeys::complete_registration))
        .routes(routes!(passkeys::list_passkeys))
        .routes(routes!(passkeys::rename_passkey, passkeys::remove_passkey))
}

/// The routes of signing in that need no session. Anybody can call them, so the number of requests from one network
/// is limited.
fn anonymous_sign_in_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(magic_link::send_magic_link))
        .routes(routes!(
            magic_link::verify_magic_link,
            magic_link::verify_magic_link_by_query
        ))
        .route("/api/auth/magic-link/verify", head(refuse_head))
        .routes(routes!(oauth::providers))
        .routes(routes!(oauth::authorize))
        .route("/api/auth/oauth/{provider}/authorize", head(refuse_head))
        .routes(routes!(oauth::callback))
        .route("/api/auth/oauth/{provider}/callback", head(refuse_head))
        .routes(routes!(oauth::exchange))
        .routes(routes!(passkeys::begin_login))
        .routes(routes!(passkeys::complete_login))
}

/// Returns the OpenAPI document of all routes.
pub fn document() -> Value {
    let routes = routes().merge(report_routes()).merge(health_routes());
    let routes = routes.merge(account_routes()).merge(anonymous_sign_in_routes());
    finished(routes)
}

/// Returns the OpenAPI document of all routes, with `server` as the URL or path under which clients reach the API.
pub fn document_at(server: &str) -> Value {
    let mut document = document();
    document["servers"] = json!([{ "url": server }]);
    document
}

fn finished(routes: OpenApiRouter<Shared>) -> Value {
    let mut document = routes.split_for_parts().1;
    name_tokens_of_writes(&mut document);
    let mut document = serde_json::to_value(document).expect("the OpenAPI document can be written as JSON");
    complete::complete(&mut document);
    document
}

/// Declares in the document that the answer to a command has a consistency token. The commands of signing in have
/// none.
fn name_tokens_of_writes(document: &mut utoipa::openapi::OpenApi) {
    let items = document.paths.paths.iter_mut();
    for (_, item) in items.filter(|(path, _)| !path.starts_with("/api/auth/")) {
        item.post.iter_mut().for_each(name_token);
    }
}

fn name_token(operation: &mut Operation) {
    let answers = operation.responses.responses.iter_mut();
    for (_, answer) in answers.filter(|(status, _)| status.starts_with('2')) {
        if let RefOr::T(answer) = answer {
            let text = ObjectBuilder::new().schema_type(Type::String).build();
            let token = HeaderBuilder::new().schema(Some(text)).description(Some(
                "A token of this write. A read that sends it in the header of the same name includes the write.",
            ));
            answer.headers.insert(CONSISTENCY_NAME.into(), RefOr::T(token.build()));
        }
    }
}

/// Adds the routes of live availability. They are not in the OpenAPI document, which can describe no messages; they are
/// described in `docs/LIVE.md`.
fn with_live_routes(router: Router<Shared>) -> Router<Shared> {
    router
        .route("/api/events/{event_id}/availability/stream", get(stream_availability))
        .route("/ws/events/{event_id}/availability", get(watch_availability))
}

/// Returns the API as a router, with its OpenAPI document at `/api/openapi.json` and a page to read the document at
/// `/docs`. The router can be nested under any path: the paths in its answers and its document then begin with that
/// path.
pub fn router(state: HttpState) -> Router {
    router_with(state, Router::new())
}

/// Returns the API as [`router`] does, with routes of the host beside it. The limits of [`HttpConfig`] hold for them
/// too: which networks are served, how many requests are answered at once, and how many one caller may send.
///
/// [`HttpConfig`]: crate::HttpConfig
pub fn router_with(state: HttpState, of_host: Router) -> Router {
    let state: Shared = Arc::new(state);
    let places = state.config.max_in_flight.map(InFlight::new);
    let (routes, document) = documented(&state, places.as_ref());
    let routes = with_live_routes(routes)
        .route("/api/openapi.json", document_route(document))
        .route("/docs", get(docs::to_page))
        .route("/docs/", get(docs::page))
        .route("/docs/{file}", get(docs::file));
    let health = health_routes()
        .split_for_parts()
        .0
        .layer(Extension(Arc::new(Readiness::new(state.health.clone()))))
        .method_not_allowed_fallback(no_such_method);
    let admission = Admission::new(&state, places);
    let of_host = of_host
        .with_state::<Shared>(())
        .layer(AdmitLayer::of_strangers(&admission))
        .method_not_allowed_fallback(no_such_method.layer(AdmitLayer::of_strangers(&admission)));
    let router = admitted(routes, &admission).merge(of_host).merge(health);
    surrounded(router, &state).with_state(state)
}

/// Wraps every route in what all requests and answers have in common. Wrapping a route costs each request several
/// allocations, so all of that is one stack of layers.
fn surrounded(router: Router<Shared>, state: &Shared) -> Router<Shared> {
    let config = &state.config;
    let compression = config
        .compress
        .then(|| (MapResponseLayer::new(compressed), compressor()));
    let stack = ServiceBuilder::new()
        .layer(correlation_ids(state))
        .layer(access_lines())
        .layer(readers_protected(config.https_only))
        .option_layer(compression)
        .option_layer(origins_allowed(&config.cors))
        .layer(EnvelopeLayer(Arc::clone(state)))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            config.request_timeout,
        ))
        .layer(CatchPanicLayer::custom(a_bug));
    router.layer(stack)
}

/// Wraps routes of a host that serves no API so that the limits of [`HttpConfig`](crate::HttpConfig) hold for them.
pub fn limited(state: HttpState, routes: Router) -> Router {
    let state: Shared = Arc::new(state);
    let places = state.config.max_in_flight.map(InFlight::new);
    let layer = AdmitLayer::of_strangers(&Admission::new(&state, places));
    surrounded(routes.with_state::<Shared>(()).layer(layer), &state).with_state(state)
}

/// Returns the routes that the server has, and their document.
fn documented(state: &Shared, places: Option<&Arc<InFlight>>) -> (Router<Shared>, Value) {
    let reports = match places {
        Some(places) => report_routes().layer(from_fn_with_state(Arc::clone(places), bound_reports)),
        None => report_routes(),
    };
    let own = routes().merge(reports);
    if state.sign_in.is_none() {
        let all = routes().merge(report_routes()).merge(health_routes());
        return (own.split_for_parts().0, finished(all));
    }
    let limited = anonymous_sign_in_routes().layer(from_fn_with_state(Arc::clone(state), limit));
    let routes = own.merge(account_routes()).merge(limited).split_for_parts().0;
    (routes.route("/auth/verify", get(verify_page)), document())
}
