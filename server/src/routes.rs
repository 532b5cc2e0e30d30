//! Every address of the server.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::handler::Handler;
use axum::http::{Method, Response, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::{MethodFilter, MethodRouter};

use crate::api::{accounts, explain, figures, flags, history, overview, people, preview, sessions, tokens, trips};
use crate::caller::{Gate, gate};
use crate::cors::cors;
use crate::problem::Problem;
use crate::role::Need;
use crate::shared::Shared;
use crate::{description, health, manifest, ofrep, page, panel, session, setup, snapshot, stop, usage};

/// Every address: a new one is described in `openapi.json` too.
fn addresses() -> Vec<Address> {
    use Need::{Administer, Change, Nothing, RollBack, See};
    vec![
        at("/ofrep/v1/evaluate/flags").post(Nothing, ofrep::all),
        // A key may have slashes, as they are or as %2F.
        at("/ofrep/v1/evaluate/flags/{*key}").post(Nothing, ofrep::one),
        at("/ofrep/v1/events").get(Nothing, ofrep::events),
        at("/v1/snapshot").get(Nothing, snapshot::snapshot),
        at("/v1/events").get(Nothing, snapshot::events),
        at("/v1/trips").get(Nothing, trips::all),
        at("/v1/trips/{flag}").put(Nothing, trips::propose),
        at("/v1/usage").post(Nothing, usage::usage),
        at("/v1/track").post(Nothing, usage::track),
        at("/v1/facts").post(Nothing, usage::facts),
        at("/v1/client-snapshot").post(Nothing, page::client_snapshot),
        at("/v1/projection").post(Nothing, page::projection),
        at("/openfeature/v0/manifest").get(Nothing, manifest::manifest),
        at("/api/v1/openapi.json").get(Nothing, description::description),
        at("/api/v1/session")
            .get(Nothing, sessions::show)
            .post(Nothing, sessions::begin)
            .delete(Nothing, sessions::end),
        at("/api/v1/session/password").put(Nothing, sessions::change_password),
        at("/api/v1/sessions").get(Administer, sessions::list),
        at("/api/v1/sessions/{id}").delete(Administer, sessions::end_other),
        at("/api/v1/accounts").get(Administer, accounts::list).post(Administer, accounts::create),
        at("/api/v1/accounts/{id}").patch(Administer, accounts::patch).delete(Administer, accounts::delete),
        at("/api/v1/tokens").get(Administer, tokens::list).post(Administer, tokens::create),
        at("/api/v1/tokens/{id}").delete(Administer, tokens::delete),
        at("/api/v1/flags").get(See, flags::list).post(Change, flags::create),
        // A slash in a key is %2F.
        at("/api/v1/flags/{key}")
            .get(See, flags::one)
            .put(Change, flags::put)
            .patch(Change, flags::patch)
            .delete(Change, flags::delete),
        at("/api/v1/flags/{key}/history").get(See, history::of_flag),
        at("/api/v1/flags/{key}/metrics").get(See, figures::of_flag),
        at("/api/v1/flags/{key}/rollback").post(RollBack, flags::roll_back),
        at("/api/v1/flags/{key}/resume").post(Change, trips::resume),
        at("/api/v1/history").get(See, history::all),
        at("/api/v1/history/{id}/undo").post(Change, history::undo),
        at("/api/v1/preview").post(See, preview::preview),
        at("/api/v1/explain").post(See, explain::explain),
        at("/api/v1/overview").get(See, overview::overview),
        at("/api/v1/people").get(See, people::people),
        // They answer with a page, also to who may not do that.
        at("/stop").get(Nothing, stop::show).post(Nothing, stop::stop),
        at("/stop/session").post(Nothing, session::begin_by_form),
        at("/setup").get(Nothing, setup::show).post(Nothing, setup::give),
        at("/live").get(Nothing, health::live),
        at("/ready").get(Nothing, health::ready),
        at("/health").get(Nothing, health::health),
        at("/metrics").get(Nothing, health::metrics),
    ]
}

/// An address, with what each of its methods needs of who asks.
struct Address {
    path: &'static str,
    methods: MethodRouter<Arc<Shared>>,
    needs: Vec<(Method, Need)>,
}

fn at(path: &'static str) -> Address {
    Address { path, methods: MethodRouter::new(), needs: Vec::new() }
}

impl Address {
    fn on<H: Handler<T, Arc<Shared>>, T: 'static>(
        mut self,
        method: Method,
        filter: MethodFilter,
        need: Need,
        handler: H,
    ) -> Self {
        self.needs.push((method, need));
        Address { methods: self.methods.on(filter, handler), ..self }
    }

    fn get<H: Handler<T, Arc<Shared>>, T: 'static>(self, need: Need, handler: H) -> Self {
        self.on(Method::GET, MethodFilter::GET, need, handler)
    }

    fn post<H: Handler<T, Arc<Shared>>, T: 'static>(self, need: Need, handler: H) -> Self {
        self.on(Method::POST, MethodFilter::POST, need, handler)
    }

    fn put<H: Handler<T, Arc<Shared>>, T: 'static>(self, need: Need, handler: H) -> Self {
        self.on(Method::PUT, MethodFilter::PUT, need, handler)
    }

    fn patch<H: Handler<T, Arc<Shared>>, T: 'static>(self, need: Need, handler: H) -> Self {
        self.on(Method::PATCH, MethodFilter::PATCH, need, handler)
    }

    fn delete<H: Handler<T, Arc<Shared>>, T: 'static>(self, need: Need, handler: H) -> Self {
        self.on(Method::DELETE, MethodFilter::DELETE, need, handler)
    }
}

pub(crate) fn routes(shared: &Arc<Shared>) -> Router {
    let addresses = addresses();
    let paths = addresses.iter().map(|address| address.path).collect();
    let needs = addresses.iter().map(|address| (address.path, address.needs.iter().cloned().collect()));
    let needs = Arc::new(needs.collect());
    let router =
        addresses.into_iter().fold(Router::new(), |router, Address { path, methods, .. }| router.route(path, methods));
    router
        .merge(panel::routes())
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "there is nothing at this address"))
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this address takes another method")
        })
        .layer(from_fn_with_state(Gate { shared: Arc::clone(shared), needs }, gate))
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
        let own = addresses().into_iter().map(|address| address.path).filter(|path| !path.starts_with("/ofrep/"));
        assert_eq!(own.collect::<BTreeSet<_>>(), described);
    }
}
