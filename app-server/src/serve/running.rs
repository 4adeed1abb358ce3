//! The body of an answer on its way to the client. Its request is running until the client has taken all of it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Buf, Frame, SizeHint};

use super::activity::Activity;

/// Counts a request as running until this value is dropped.
#[derive(Debug)]
pub(super) struct RunningRequest(pub(super) Arc<Activity>);

impl Drop for RunningRequest {
    fn drop(&mut self) {
        self.0.request_ends();
    }
}

/// A part of an answer that waits until the client leaves room for it. Dropping it says that it no longer waits.
#[derive(Debug)]
struct Waiting(Arc<RunningRequest>);

impl Waiting {
    fn begin(running: &Arc<RunningRequest>) -> Self {
        running.0.part_waits();
        Self(Arc::clone(running))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.0.part_is_gone();
    }
}

/// The body of an answer.
#[derive(Debug)]
pub(super) struct Running {
    body: Body,
    running: Arc<RunningRequest>,
    is_http1: bool,
    /// Is set until the HTTP library asks for the next part. With HTTP/2 it asks as soon as the client has room for it.
    /// With HTTP/1.1 it asks when it has room itself; then the socket shows whether the client takes anything.
    next: Option<Waiting>,
}

impl Running {
    pub(super) fn new(body: Body, running: Arc<RunningRequest>, is_http1: bool) -> Self {
        Self {
            next: (!is_http1).then(|| Waiting::begin(&running)),
            body,
            running,
            is_http1,
        }
    }
}

impl HttpBody for Running {
    type Data = Part;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Part>, axum::Error>>> {
        self.next = None;
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if !self.is_http1 {
            self.next = Some(Waiting::begin(&self.running));
        }
        let part = |bytes| Part {
            bytes,
            waiting: Waiting::begin(&self.running),
        };
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Bytes of an answer. The HTTP library drops them when it has written them.
#[derive(Debug)]
pub(super) struct Part {
    bytes: Bytes,
    waiting: Waiting,
}

impl Buf for Part {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        self.waiting.0.0.client_takes_a_part();
    }
}
