//! A session in a browser: a cookie that an admin token was given for. It is a proof and is kept nowhere, so another server
//! with the same tokens takes it too.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, Response, StatusCode};
use esclusa::Time;

use crate::access::Denied;
use crate::body::read;
use crate::html::{Text, field, form, is_own, page, refused};
use crate::problem::Problem;
use crate::shared::Shared;
use crate::token::{Kind, Known};

/// How long a session holds: a day of work.
const HOURS: i64 = 12;

/// A cookie that only this host can set; that needs https.
const SAFE_NAME: &str = "__Host-esclusa";
const NAME: &str = "esclusa";

/// Who asks: by a token in the header, or by the session of a browser.
pub(crate) fn of(shared: &Shared, headers: &HeaderMap) -> Result<Arc<Known>, Denied> {
    let now = shared.now();
    match shared.tokens.of_admin(headers, now) {
        Err(Denied::Unknown) => by_cookie(shared, headers, now).ok_or(Denied::Unknown),
        known => known,
    }
}

fn by_cookie(shared: &Shared, headers: &HeaderMap, now: Time) -> Option<Arc<Known>> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, session) = pairs.find(|(name, _)| *name == name_of(shared))?;
    shared.tokens.of_session(session, now).filter(|known| known.kind == Kind::Admin)
}

fn name_of(shared: &Shared) -> &'static str {
    if shared.is_https { SAFE_NAME } else { NAME }
}

/// `POST /stop/session`: a form with an admin token.
pub(crate) async fn begin(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Body) -> Response<Body> {
    if !is_own(&headers) {
        return refused("Esclusa", &Problem::new(StatusCode::FORBIDDEN, "the form is of another page"));
    }
    let bytes = match read(body).await {
        Ok(bytes) => bytes,
        Err(unusable) => return refused("Esclusa", &unusable.into()),
    };
    let form = form(&bytes);
    let known = shared.tokens.find(field(&form, "token").trim(), shared.now());
    let Some(known) = known.filter(|known| known.kind == Kind::Admin) else {
        return ask(&shared, "This is no valid admin token.");
    };
    let session = known.session(shared.now().as_millis() + HOURS * 3_600_000);
    let safe = if shared.is_https { "; Secure" } else { "" };
    let cookie =
        format!("{}={session}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{safe}", name_of(&shared), HOURS * 3_600);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let (Ok(cookie), Ok(path)) =
        (HeaderValue::try_from(cookie), HeaderValue::try_from(format!("{}/stop", shared.prefix)))
    {
        response.headers_mut().insert(SET_COOKIE, cookie);
        response.headers_mut().insert(LOCATION, path);
    }
    response
}

/// The page that asks for a token.
pub(crate) fn ask(shared: &Shared, problem: &str) -> Response<Body> {
    let alert = if problem.is_empty() { String::new() } else { format!("<p role=\"alert\">{}</p>", Text(problem)) };
    let form = format!(
        "{alert}<form method=\"post\" action=\"{}/stop/session\"><label>Admin token \
        <input type=\"password\" name=\"token\" required autofocus autocomplete=\"current-password\"></label> \
        <button>Go on</button></form>",
        Text(&shared.prefix)
    );
    page(StatusCode::UNAUTHORIZED, "Stop a flag", &form)
}
