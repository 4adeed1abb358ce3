//! Every route, said once: the router and the OpenAPI document are made from the same list.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, head};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::shell::{no_such_method, no_such_route, shell};
use crate::state::{HttpState, Shared};
use crate::{analytics, availability, customers, events, health, payments, reservations, sign_in};

#[derive(Debug, OpenApi)]
#[openapi(
    info(title = "Box office", description = "A ticketing system that cannot oversell."),
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
    }
}

fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(events::create_event, events::list_events))
        .routes(routes!(events::get_event))
        .routes(routes!(events::publish))
        .routes(routes!(events::open_sales))
        .routes(routes!(events::close_sales))
        .routes(routes!(events::cancel_event))
        .routes(routes!(availability::get_availability))
        .routes(routes!(availability::get_section))
        .routes(routes!(analytics::event_analytics))
        .routes(routes!(
            reservations::create_reservation,
            reservations::list_reservations
        ))
        .routes(routes!(reservations::get_reservation))
        .routes(routes!(reservations::pay_reservation))
        .routes(routes!(reservations::cancel_reservation))
        .routes(routes!(reservations::reservation_history))
        .routes(routes!(payments::create_payment, payments::list_payments))
        .routes(routes!(payments::get_payment))
        .routes(routes!(payments::refund_payment))
        .routes(routes!(customers::customer_history))
        .routes(routes!(customers::lifetime_value))
        .routes(routes!(sign_in::send_magic_link))
        .routes(routes!(sign_in::verify_magic_link, sign_in::verify_magic_link_by_query))
        .routes(routes!(sign_in::get_session))
        .routes(routes!(sign_in::me))
        .routes(routes!(sign_in::logout))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
}

/// The OpenAPI document of every route.
pub fn document() -> utoipa::openapi::OpenApi {
    routes().split_for_parts().1
}

/// The whole API, with its document at `/api/openapi.json` and a page to read it at `/docs`.
pub fn router(state: HttpState) -> Router {
    let state: Shared = Arc::new(state);
    let (router, document) = routes().split_for_parts();
    router
        .route("/api/auth/magic-link/verify", head(sign_in::refuse_head))
        .route("/auth/verify", get(sign_in::verify_page))
        .merge(SwaggerUi::new("/docs").url("/api/openapi.json", document))
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(Arc::clone(&state), shell))
        .with_state(state)
}
