//! A session in a browser: a cookie that an admin token was given for. It is a proof and is kept nowhere, so another server
//! with the same tokens takes it too.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, Response, StatusCode};
use esclusa::Time;

use crate::access::{API_KEY, Denied};
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

/// What a session is from a browser's own page.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) known: Arc<Known>,
    pub(crate) expires: Time,
}

/// Who asks to see something: by a token in a header or, without one, by the session of a browser.
pub(crate) fn of(shared: &Shared, headers: &HeaderMap) -> Result<Arc<Known>, Denied> {
    if headers.contains_key(AUTHORIZATION) || headers.contains_key(API_KEY) {
        return shared.tokens.of_admin(headers, shared.now());
    }
    by_cookie(shared, headers).map(|session| session.known).ok_or(Denied::Unknown)
}

/// Who asks to change something. A browser sends the cookie by itself, so the page has to be of this server.
pub(crate) fn of_writer(shared: &Shared, headers: &HeaderMap) -> Result<Arc<Known>, Denied> {
    let known = of(shared, headers)?;
    let by_cookie = !headers.contains_key(AUTHORIZATION) && !headers.contains_key(API_KEY);
    if by_cookie && !is_own(headers) { Err(Denied::Page) } else { Ok(known) }
}

/// The session of a browser.
pub(crate) fn by_cookie(shared: &Shared, headers: &HeaderMap) -> Option<Session> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, session) = pairs.find(|(name, _)| *name == name_of(shared))?;
    let (known, until) = shared.tokens.of_session(session, shared.now())?;
    let expires = known.expires.map_or(until, |expires| expires.min(until));
    (known.kind == Kind::Admin).then_some(Session { known, expires })
}

/// A new session with its cookie.
pub(crate) fn new(shared: &Shared, known: Arc<Known>) -> (Session, String) {
    let until = Time::from_millis(shared.now().as_millis() + HOURS * 3_600_000);
    let cookie = cookie(shared, &known.session(until), HOURS * 3_600);
    let expires = known.expires.map_or(until, |expires| expires.min(until));
    (Session { known, expires }, cookie)
}

/// The cookie that takes a session out of a browser.
pub(crate) fn ended(shared: &Shared) -> String {
    cookie(shared, "", 0)
}

fn cookie(shared: &Shared, session: &str, seconds: i64) -> String {
    let safe = if shared.is_https { "; Secure" } else { "" };
    format!("{}={session}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{safe}", name_of(shared))
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
    let (_, cookie) = new(&shared, known);
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
