//! Who asks for an address of `/api/v1`: found and checked before the address is answered, so that none is forgotten.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header::{AUTHORIZATION, HeaderMap};
use axum::http::request::Parts;
use axum::http::{HeaderName, Method, Response};
use axum::middleware::Next;
use axum::response::IntoResponse;

use crate::access::{API_KEY, Denied};
use crate::html::is_own;
use crate::problem::Problem;
use crate::role::{Caller, Need};
use crate::session;
use crate::shared::Shared;
use crate::usage::Peer;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What each method of each address needs.
pub(crate) type Needs = HashMap<&'static str, HashMap<Method, Need>>;

/// What looks at who asks.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) shared: Arc<Shared>,
    pub(crate) needs: Arc<Needs>,
}

/// Lets a request pass if who asks may do that.
pub(crate) async fn gate(
    State(Gate { shared, needs }): State<Gate>,
    path: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let method = if request.method() == Method::HEAD { Method::GET } else { request.method().clone() };
    let path = path.as_ref().map_or("", MatchedPath::as_str);
    // Another method, or another path, has no answer.
    let need = needs.get(path).and_then(|methods| methods.get(&method)).copied().unwrap_or(Need::Nothing);
    if need != Need::Nothing {
        match allowed(&shared, request.headers(), need, method != Method::GET).await {
            Ok(caller) => request.extensions_mut().insert(caller),
            Err(denied) => return Problem::from(denied).into_response(),
        };
    }
    next.run(request).await
}

/// Who asks, if that is allowed. A browser sends the cookie by itself, so what changes something has to come from a page of
/// this server.
pub(crate) async fn allowed(
    shared: &Shared,
    headers: &HeaderMap,
    need: Need,
    is_change: bool,
) -> Result<Arc<Caller>, Denied> {
    let caller = caller(shared, headers).await?;
    let by_cookie = !headers.contains_key(AUTHORIZATION) && !headers.contains_key(API_KEY);
    if by_cookie && is_change && !is_own(headers) {
        return Err(Denied::Page);
    }
    caller.may(need).map(|()| caller)
}

/// By a token in a header or, without one, by the session of a browser.
async fn caller(shared: &Shared, headers: &HeaderMap) -> Result<Arc<Caller>, Denied> {
    if !headers.contains_key(AUTHORIZATION) && !headers.contains_key(API_KEY) {
        return session::by_cookie(shared, headers).await.map(|session| session.caller).ok_or(Denied::Unknown);
    }
    let mut known = shared.tokens.of_admin(headers, shared.now());
    // Another server on the same store may have given it just now.
    if known.as_ref().is_err_and(|denied| *denied == Denied::Unknown)
        && shared.accounts.look_again(&shared.tokens).await
    {
        known = shared.tokens.of_admin(headers, shared.now());
    }
    known.map(|known| Arc::new(known.caller()))
}

/// The caller that the gate has let pass.
pub(crate) struct By(pub(crate) Arc<Caller>);

impl<S: Sync> FromRequestParts<S> for By {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().cloned().map(By).ok_or_else(|| Denied::Unknown.into())
    }
}

/// Where a request is from.
#[derive(Debug)]
pub(crate) struct From(pub(crate) String);

impl FromRequestParts<Arc<Shared>> for From {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<Peer>().map(|Peer(address)| *address);
        // A proxy adds the address that it sees at the end; what stands before it anybody may have written.
        let last = parts.headers.get_all(FORWARDED_FOR).iter().next_back().and_then(|value| value.to_str().ok());
        let last = last.and_then(|value| value.rsplit(',').next()?.trim().parse().ok());
        let address = if shared.is_forwarded { last.or(peer) } else { peer };
        Ok(From(address.map(|address: IpAddr| address.to_canonical().to_string()).unwrap_or_default()))
    }
}
