//! Compresses large answers for callers who accept that.

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_ENCODING, ETAG};
use axum::response::Response;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{And, NotForContentType, Predicate as _, SizeAbove};

/// Answers with fewer bytes than this are not compressed: they would fit into one packet anyway.
const LEAST: u64 = 1_024;

/// What compresses.
pub(crate) type Compressor = CompressionLayer<And<And<SizeAbove, NotForContentType>, NotForContentType>>;

/// Returns the layer that compresses answers by gzip or brotli. It leaves streams alone, because a compressor would hold
/// their events back.
pub(crate) fn compressor() -> Compressor {
    let worth_it = SizeAbove::new(LEAST)
        .and(NotForContentType::SSE)
        .and(NotForContentType::IMAGES);
    CompressionLayer::new().compress_when(worth_it)
}

/// Makes the answer of the compressor an answer of this API again. Marks the tag of a compressed answer as weak: the
/// same tag also stands for the answer with other bytes.
pub(crate) fn compressed<B>(response: Response<B>) -> Response
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let mut response = response.map(Body::new);
    if response.headers().contains_key(CONTENT_ENCODING)
        && let Some(tag) = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok())
        && tag.starts_with('"')
    {
        let weak = HeaderValue::from_str(&format!("W/{tag}")).expect("a tag stays visible ASCII");
        response.headers_mut().insert(ETAG, weak);
    }
    response
}
