//! The settings of the routes, from the settings of the server.

use std::sync::Arc;

use adapters_http::HttpConfig;
use ticketing_runtime::Observer;

use crate::config::{Guests, Settings};

/// Returns the settings of the routes. `public_url` is the URL under which browsers reach this server.
pub fn http_config(settings: &Settings, public_url: &str, observer: Arc<dyn Observer>) -> HttpConfig {
    HttpConfig {
        request_timeout: settings.http.request_timeout,
        trusted_proxies: settings.sign_in.trusted_proxies.clone(),
        cors: settings.protection.cors(),
        compress: true,
        guests: settings.http.guests == Guests::Allowed,
        https_only: public_url.starts_with("https://"),
        networks: settings.protection.networks(),
        max_in_flight: Some(settings.protection.max_requests_in_flight),
        rates: settings.protection.rates(),
        observer,
        ..HttpConfig::default()
    }
}
