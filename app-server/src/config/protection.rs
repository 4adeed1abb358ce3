//! The settings that protect the server and the people who use it in a browser.

use adapters_http::Cors;
use axum::http::HeaderValue;
use clap::Args;

use super::PublicUrl;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Protection")]
pub struct ProtectionSettings {
    /// The origins of web pages that may call the API, such as https://shop.example.com, separated by commas. If this is
    /// not set, no page of another origin may; with the command demo, every page may
    #[arg(long, env, global = true, value_name = "ORIGINS", value_delimiter = ',', value_parser = origin)]
    pub cors_allowed_origins: Vec<HeaderValue>,
    /// Whether the server is a demonstration, which everybody may try out.
    #[arg(skip)]
    pub demonstration: bool,
}

impl ProtectionSettings {
    /// Returns which web pages of other origins may call the API.
    pub fn cors(&self) -> Cors {
        if !self.cors_allowed_origins.is_empty() {
            Cors::Only(self.cors_allowed_origins.clone())
        } else if self.demonstration {
            Cors::Any
        } else {
            Cors::LeftToTheHost
        }
    }
}

/// Parses an origin. Returns it in the form in which browsers send it.
fn origin(text: &str) -> Result<HeaderValue, &'static str> {
    let url = text.trim().parse::<PublicUrl>().ok();
    let value = url.and_then(|url| HeaderValue::from_str(url.as_str()).ok());
    value.ok_or("must be origins such as https://shop.example.com, each without a path")
}
