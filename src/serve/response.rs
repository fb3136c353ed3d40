//! The responses of the exporter.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::HeaderValue;
use hyper::{Response, StatusCode};

/// The body of a response.
pub(super) type Body = Full<Bytes>;

/// A response in plain text.
pub(super) fn text(status: StatusCode, text: impl Into<String>) -> Response<Body> {
    typed(status, "text/plain; charset=utf-8", text)
}

/// A response of a content type.
pub(super) fn typed(status: StatusCode, kind: &'static str, text: impl Into<String>) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(text.into())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static(kind));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    response
}
