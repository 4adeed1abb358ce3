//! Answers requests from the moment at which the server listens, also while it still starts.

use std::convert::Infallible;

use adapters_http::starting;
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use tokio::sync::watch;
use tower::ServiceExt as _;

/// The routes that answer requests now. Until [`Front::open`] they say that the server starts.
#[derive(Debug)]
pub struct Front(watch::Sender<Router>);

impl Default for Front {
    fn default() -> Self {
        Self(watch::Sender::new(starting()))
    }
}

impl Front {
    /// Lets the routes of the server answer every request from now on, also those on connections that were opened
    /// before.
    pub fn open(&self, routes: Router) {
        drop(self.0.send_replace(routes));
    }

    /// Returns a router that passes each request on to the routes that answer requests at that moment.
    pub fn router(&self) -> Router {
        let now = self.0.subscribe();
        Router::new().fallback(move |request: Request| {
            let routes = now.borrow().clone();
            async move {
                routes
                    .oneshot(request)
                    .await
                    .unwrap_or_else(|never: Infallible| -> Response { match never {} })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::StatusCode;
    use axum::http::header::RETRY_AFTER;
    use axum::routing::get;

    use super::*;

    async fn ask(router: &Router, path: &str) -> Response {
        let request = Request::get(path).body(Body::empty()).expect("a path is a URI");
        router.clone().oneshot(request).await.expect("a router answers")
    }

    #[tokio::test]
    async fn a_server_that_starts_is_alive_and_not_ready_and_tells_everybody_else_to_come_again() {
        let front = Front::default();
        let router = front.router();
        assert_eq!(ask(&router, "/health").await.status(), StatusCode::OK);
        let ready = ask(&router, "/health/ready").await;
        assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
        let early = ask(&router, "/api/events").await;
        assert_eq!(early.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(early.headers().contains_key(RETRY_AFTER));
    }

    #[tokio::test]
    async fn the_routes_of_the_server_answer_once_the_front_is_open() {
        let front = Front::default();
        let router = front.router();
        front.open(Router::new().route("/api/events", get(async || "here")));
        assert_eq!(ask(&router, "/api/events").await.status(), StatusCode::OK);
        assert_eq!(ask(&router, "/health").await.status(), StatusCode::NOT_FOUND);
    }
}
