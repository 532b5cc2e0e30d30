//! Every address of the server.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Response, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::{get, post, put};

use crate::api::{explain, flags, history, preview, trips};
use crate::cors::cors;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::{health, manifest, ofrep, page, session, setup, snapshot, stop};

/// The addresses as metrics name them; any other is `other`.
const ROUTES: [&str; 25] = [
    "/ofrep/v1/evaluate/flags",
    "/ofrep/v1/evaluate/flags/{*key}",
    "/ofrep/v1/events",
    "/v1/snapshot",
    "/v1/events",
    "/v1/client-snapshot",
    "/v1/projection",
    "/openfeature/v0/manifest",
    "/api/v1/flags",
    "/api/v1/flags/{key}",
    "/api/v1/flags/{key}/history",
    "/api/v1/flags/{key}/resume",
    "/api/v1/flags/{key}/rollback",
    "/v1/trips",
    "/v1/trips/{flag}",
    "/api/v1/history",
    "/api/v1/history/{id}/undo",
    "/api/v1/preview",
    "/api/v1/explain",
    "/stop",
    "/stop/session",
    "/setup",
    "/ready",
    "/health",
    "/metrics",
];

pub(crate) fn routes(shared: &Arc<Shared>) -> Router {
    let router = Router::new()
        .route("/ofrep/v1/evaluate/flags", post(ofrep::all))
        // A key may have slashes, as they are or as %2F.
        .route("/ofrep/v1/evaluate/flags/{*key}", post(ofrep::one))
        .route("/ofrep/v1/events", get(ofrep::events))
        .route("/v1/snapshot", get(snapshot::snapshot))
        .route("/v1/events", get(snapshot::events))
        .route("/v1/client-snapshot", post(page::client_snapshot))
        .route("/v1/projection", post(page::projection))
        .route("/openfeature/v0/manifest", get(manifest::manifest))
        .route("/api/v1/flags", get(flags::list).post(flags::create))
        // A slash in a key is %2F.
        .route("/api/v1/flags/{key}", get(flags::one).put(flags::put).patch(flags::patch).delete(flags::delete))
        .route("/api/v1/flags/{key}/history", get(history::of_flag))
        .route("/api/v1/flags/{key}/rollback", post(flags::roll_back))
        .route("/api/v1/flags/{key}/resume", post(trips::resume))
        .route("/v1/trips", get(trips::all))
        .route("/v1/trips/{flag}", put(trips::propose))
        .route("/api/v1/history", get(history::all))
        .route("/api/v1/history/{id}/undo", post(history::undo))
        .route("/api/v1/preview", post(preview::preview))
        .route("/api/v1/explain", post(explain::explain))
        .route("/stop", get(stop::show).post(stop::stop))
        .route("/stop/session", post(session::begin))
        .route("/setup", get(setup::show).post(setup::give))
        .route("/live", get(health::live))
        .route("/ready", get(health::ready))
        .route("/health", get(health::health))
        .route("/metrics", get(health::metrics))
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "there is nothing at this address"))
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this address takes another method")
        });
    router
        .layer(from_fn_with_state(Arc::clone(shared), cors))
        .layer(from_fn_with_state(Arc::clone(shared), count))
        .with_state(Arc::clone(shared))
}

async fn count(
    State(shared): State<Arc<Shared>>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let began = Instant::now();
    let route = path.and_then(|path| ROUTES.into_iter().find(|route| *route == path.as_str())).unwrap_or("other");
    let response = next.run(request).await;
    shared.metrics.answered(route, response.status(), began.elapsed());
    response
}
