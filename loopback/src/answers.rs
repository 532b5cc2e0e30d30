//! Answers to a request, by their status, body and headers.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream::{StreamExt, iter};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::Response;
use hyper::body::Frame;
use hyper::header::{CONTENT_TYPE, HeaderName};

/// In pieces of this size.
const PIECE: &[u8] = &[b' '; 1 << 16];

pub(crate) type Body = BoxBody<Bytes, Infallible>;
pub(crate) type Answer = Response<Body>;

pub(crate) fn text(status: u16, text: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())).boxed());
    *answer.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    with(answer, CONTENT_TYPE, "text/plain")
}

pub(crate) fn json(bytes: Bytes) -> Answer {
    with(Response::new(Full::new(bytes).boxed()), CONTENT_TYPE, "application/json")
}

/// A body whose length is not known.
pub(crate) fn streamed(pieces: Vec<Bytes>) -> Answer {
    let body = BodyExt::boxed(StreamBody::new(iter(pieces).map(|piece| Ok(Frame::data(piece)))));
    with(Response::new(body), CONTENT_TYPE, "application/json")
}

pub(crate) fn pieces(bytes: usize) -> Answer {
    streamed(vec![Bytes::from_static(PIECE); bytes / PIECE.len()])
}

pub(crate) fn with(mut answer: Answer, name: HeaderName, value: &str) -> Answer {
    if let Ok(value) = value.parse() {
        answer.headers_mut().insert(name, value);
    }
    answer
}
