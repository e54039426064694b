//! Health and metrics.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::metrics::Metrics;
use crate::watches::Synced;

struct Served {
    synced: Arc<Synced>,
    metrics: Metrics,
}

/// Serves `/livez`, `/readyz` and `/metrics` until it is dropped.
pub(crate) async fn serve(listener: TcpListener, synced: Arc<Synced>, metrics: Metrics) {
    let router = Router::new()
        .route("/livez", get(async || "ok"))
        .route("/readyz", get(ready))
        .route("/metrics", get(text))
        .with_state(Arc::new(Served { synced, metrics }));
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!("health and metrics are not served any more: {error}");
    }
}

async fn ready(State(served): State<Arc<Served>>) -> impl IntoResponse {
    match served.synced.missing() {
        None => (StatusCode::OK, "ok".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
    }
}

async fn text(State(served): State<Arc<Served>>) -> impl IntoResponse {
    match served.metrics.text() {
        Ok(text) => (
            StatusCode::OK,
            [(
                header::CONTENT_TYPE,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            )],
            text,
        )
            .into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
