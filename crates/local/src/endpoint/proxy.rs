//! Passes requests on to the JobManager of the active child, and its answers back, piece by piece.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, TRANSFER_ENCODING, UPGRADE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::runner::Context;
use crate::store::ObjectKey;

/// Headers that concern one connection only (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [HeaderName; 7] = [
    CONNECTION,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("te"),
    HeaderName::from_static("trailer"),
];

#[derive(Clone)]
struct Endpoint {
    context: Arc<Context>,
    key: ObjectKey,
}

pub(super) fn router(context: Arc<Context>, key: ObjectKey) -> Router {
    Router::new()
        .fallback(pass_on)
        .with_state(Endpoint { context, key })
}

async fn pass_on(State(endpoint): State<Endpoint>, request: Request) -> Response {
    let target = match super::target(&endpoint.context, &endpoint.key).await {
        Ok(target) => target,
        Err(sentence) => return unavailable(&sentence),
    };
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut headers = parts.headers;
    remove_hop_by_hop(&mut headers);
    // The JobManager is asked under its own name.
    headers.remove(HOST);
    let mut onward = endpoint
        .context
        .http
        .request(parts.method, format!("{target}{path}"))
        .headers(headers);
    if !body.is_end_stream() {
        onward = onward.body(reqwest::Body::wrap_stream(body.into_data_stream()));
    }
    match onward.send().await {
        Ok(answer) => {
            let status = answer.status();
            let mut headers = answer.headers().clone();
            remove_hop_by_hop(&mut headers);
            let mut response = Response::new(Body::from_stream(answer.bytes_stream()));
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            response
        }
        Err(error) if error.is_connect() => unavailable(&format!(
            "the JobManager of {} does not answer at {target} yet",
            endpoint.key
        )),
        Err(error) => unavailable(&format!("the JobManager at {target} broke off: {error}")),
    }
}

/// The sentence, as text.
fn unavailable(sentence: &str) -> Response {
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, format!("{sentence}\n")).into_response();
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    // What `Connection` names concerns this connection only, too.
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}
