//! Compresses large answers for callers who accept that.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_ENCODING, ETAG};
use axum::middleware::map_response;
use axum::response::Response;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

/// Answers with fewer bytes than this are not compressed: they would fit into one packet anyway.
const LEAST: u64 = 1_024;

/// Wraps the router so that its answers are compressed by gzip or brotli. Streams are not, because a compressor would
/// hold their events back.
pub(crate) fn compress(router: Router) -> Router {
    let worth_it = SizeAbove::new(LEAST)
        .and(NotForContentType::SSE)
        .and(NotForContentType::IMAGES);
    let compression = CompressionLayer::new().compress_when(worth_it);
    router.layer(compression).layer(map_response(weaken_tag))
}

/// Marks the tag of a compressed answer as weak: the same tag also stands for the answer with other bytes.
async fn weaken_tag(mut response: Response) -> Response {
    if response.headers().contains_key(CONTENT_ENCODING)
        && let Some(tag) = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok())
        && tag.starts_with('"')
    {
        let weak = HeaderValue::from_str(&format!("W/{tag}")).expect("a tag stays visible ASCII");
        response.headers_mut().insert(ETAG, weak);
    }
    response
}
