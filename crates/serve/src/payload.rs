//! The body of an answer: bytes in memory, or a file that is read while it is sent.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, SizeHint};

/// The body of an answer about a bundle; by default empty.
#[derive(Debug, Default)]
pub struct Payload(Kind);

#[derive(Debug)]
enum Kind {
    Memory(Bytes),
    Disk(Body),
}

impl Default for Kind {
    fn default() -> Self {
        Self::Memory(Bytes::new())
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self(Kind::Memory(bytes))
    }
}

impl From<Body> for Payload {
    fn from(body: Body) -> Self {
        Self(Kind::Disk(body))
    }
}

impl HttpBody for Payload {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match &mut self.0 {
            Kind::Memory(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Memory(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Kind::Disk(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Memory(bytes) => bytes.is_empty(),
            Kind::Disk(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Memory(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Disk(body) => body.size_hint(),
        }
    }
}

impl IntoResponse for Payload {
    fn into_response(self) -> Response {
        Response::new(Body::new(self))
    }
}
