//! Every address of the server.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Response, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::{MethodRouter, get, post, put};

use crate::api::{explain, figures, flags, history, overview, people, preview, sessions, trips};
use crate::cors::cors;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::{description, health, manifest, ofrep, page, panel, session, setup, snapshot, stop, usage};

/// Every address: a new one is described in `openapi.json` too.
fn addresses() -> Vec<(&'static str, MethodRouter<Arc<Shared>>)> {
    vec![
        ("/ofrep/v1/evaluate/flags", post(ofrep::all)),
        // A key may have slashes, as they are or as %2F.
        ("/ofrep/v1/evaluate/flags/{*key}", post(ofrep::one)),
        ("/ofrep/v1/events", get(ofrep::events)),
        ("/v1/snapshot", get(snapshot::snapshot)),
        ("/v1/events", get(snapshot::events)),
        ("/v1/trips", get(trips::all)),
        ("/v1/trips/{flag}", put(trips::propose)),
        ("/v1/usage", post(usage::usage)),
        ("/v1/track", post(usage::track)),
        ("/v1/facts", post(usage::facts)),
        ("/v1/client-snapshot", post(page::client_snapshot)),
        ("/v1/projection", post(page::projection)),
        ("/openfeature/v0/manifest", get(manifest::manifest)),
        ("/api/v1/openapi.json", get(description::description)),
        ("/api/v1/session", get(sessions::show).post(sessions::begin).delete(sessions::end)),
        ("/api/v1/flags", get(flags::list).post(flags::create)),
        // A slash in a key is %2F.
        ("/api/v1/flags/{key}", get(flags::one).put(flags::put).patch(flags::patch).delete(flags::delete)),
        ("/api/v1/flags/{key}/history", get(history::of_flag)),
        ("/api/v1/flags/{key}/metrics", get(figures::of_flag)),
        ("/api/v1/flags/{key}/rollback", post(flags::roll_back)),
        ("/api/v1/flags/{key}/resume", post(trips::resume)),
        ("/api/v1/history", get(history::all)),
        ("/api/v1/history/{id}/undo", post(history::undo)),
        ("/api/v1/preview", post(preview::preview)),
        ("/api/v1/explain", post(explain::explain)),
        ("/api/v1/overview", get(overview::overview)),
        ("/api/v1/people", get(people::people)),
        ("/stop", get(stop::show).post(stop::stop)),
        ("/stop/session", post(session::begin)),
        ("/setup", get(setup::show).post(setup::give)),
        ("/live", get(health::live)),
        ("/ready", get(health::ready)),
        ("/health", get(health::health)),
        ("/metrics", get(health::metrics)),
    ]
}

pub(crate) fn routes(shared: &Arc<Shared>) -> Router {
    let addresses = addresses();
    let paths = addresses.iter().map(|(path, _)| *path).collect();
    let router = addresses.into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods));
    router
        .merge(panel::routes())
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "there is nothing at this address"))
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this address takes another method")
        })
        .layer(from_fn_with_state(Arc::clone(shared), cors))
        .layer(from_fn_with_state(Counting { shared: Arc::clone(shared), paths }, count))
        .with_state(Arc::clone(shared))
}

/// What counts answers by their address.
#[derive(Clone)]
struct Counting {
    shared: Arc<Shared>,
    paths: Arc<[&'static str]>,
}

async fn count(
    State(Counting { shared, paths }): State<Counting>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let began = Instant::now();
    let known = path.and_then(|path| paths.iter().copied().find(|known| *known == path.as_str()));
    let response = next.run(request).await;
    // Metrics name no address that anybody may make up.
    shared.metrics.answered(known.unwrap_or("other"), response.status(), began.elapsed());
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::addresses;

    #[test]
    fn each_address_is_described() {
        let described: serde_json::Value = serde_json::from_str(crate::description::DOCUMENT).unwrap();
        let described: BTreeSet<&str> = described["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        // OFREP has a description of its own.
        let own = addresses().into_iter().map(|(path, _)| path).filter(|path| !path.starts_with("/ofrep/"));
        assert_eq!(own.collect::<BTreeSet<_>>(), described);
    }
}
