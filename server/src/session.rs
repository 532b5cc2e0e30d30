//! A session in a browser: a cookie instead of a token. Where accounts are kept, sessions are kept with them, so that an admin
//! can end one; elsewhere the cookie is a proof that an admin token was shown, which any server with that token takes.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, Response, StatusCode};
use esclusa::Time;

use crate::access::Denied;
use crate::accounts::{Holder, millis};
use crate::body::read;
use crate::caller::From;
use crate::html::{Text, field, form, is_own, page, refused};
use crate::problem::Problem;
use crate::role::Caller;
use crate::shared::Shared;
use crate::store::statement::{Cell, Statement};
use crate::token::{self, Kind, Known};

/// How long a session holds: a day of work.
const HOURS: i64 = 12;

/// A cookie that only this host can set; that needs https.
const SAFE_NAME: &str = "__Host-esclusa";
const NAME: &str = "esclusa";

/// A session that holds.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) caller: Arc<Caller>,
    pub(crate) expires: Time,
}

/// What somebody shows to begin a session.
pub(crate) enum Proof {
    Token(String),
    Password { email: String, password: String },
}

/// The session of a browser.
pub(crate) async fn by_cookie(shared: &Shared, headers: &HeaderMap) -> Option<Session> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, text) = pairs.find(|(name, _)| *name == name_of(shared))?;
    if !shared.accounts.are_kept() {
        let (known, until) = shared.tokens.of_session(text, shared.now())?;
        let expires = known.expires.map_or(until, |expires| expires.min(until));
        return (known.kind == Kind::Admin).then(|| Session { caller: Arc::new(known.caller()), expires });
    }
    if text.len() != token::CODE_CHARS {
        return None;
    }
    let sha256 = token::sha256(text);
    if let Some(session) = kept(shared, &sha256) {
        return Some(session);
    }
    // Another server on the same store may have begun it just now.
    if shared.accounts.look_again(&shared.tokens).await { kept(shared, &sha256) } else { None }
}

/// A session that is kept, as long as there is its account or token.
fn kept(shared: &Shared, sha256: &str) -> Option<Session> {
    let book = shared.accounts.book();
    let kept = book.session(sha256)?;
    let (caller, until) = match &kept.holder {
        Holder::Account(id) => (book.account(id)?.caller(&kept.id), None),
        Holder::Token(id) => {
            let known = shared.tokens.by_id(id, shared.now()).filter(|known| known.kind == Kind::Admin)?;
            (Caller { session: Some(kept.id.clone()), ..known.caller() }, known.expires)
        }
    };
    let expires = until.map_or(kept.expires, |until| until.min(kept.expires));
    (shared.now() < expires).then(|| Session { caller: Arc::new(caller), expires })
}

/// Begins a session, and gives its cookie.
///
/// # Errors
/// When the proof is none, was tried too often, or the session cannot be kept.
pub(crate) async fn begin(shared: &Shared, proof: Proof, from: &From) -> Result<(Session, String), Problem> {
    let holder = match proof {
        Proof::Token(text) => {
            let text = text.trim();
            let mut known = shared.tokens.find(text, shared.now());
            if known.is_none() && shared.accounts.look_again(&shared.tokens).await {
                known = shared.tokens.find(text, shared.now());
            }
            let known = known.ok_or(Denied::Unknown)?;
            if known.kind != Kind::Admin {
                return Err(Denied::Kind(Kind::Admin).into());
            }
            if !shared.accounts.are_kept() {
                // It may be that none are kept yet.
                return match keep(shared, Holder::Token(known.id().to_owned()), from).await {
                    Err(problem) if problem.status() == StatusCode::CONFLICT => Ok(unkept(shared, &known)),
                    kept => kept,
                };
            }
            Holder::Token(known.id().to_owned())
        }
        Proof::Password { email, password } => {
            let count = shared.accounts.limits.count(&email, &from.0);
            count.map_err(|wait| Problem::too_often("passwords were tried too often", wait))?;
            let account = shared.accounts.log_in(&email, password, &shared.tokens).await;
            Holder::Account(account.ok_or(Denied::Password)?.id.clone())
        }
    };
    keep(shared, holder, from).await
}

async fn keep(shared: &Shared, holder: Holder, from: &From) -> Result<(Session, String), Problem> {
    let random = || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the system gives no random bytes");
    let (text, _) = token::code().map_err(|_| random())?;
    let (id, now) = (uuid::Uuid::new_v4().to_string(), shared.now());
    let expires = Time::from_millis(now.as_millis() + HOURS * 3_600_000);
    let (account, token) = match holder {
        Holder::Account(id) => (Some(id), None),
        Holder::Token(id) => (None, Some(id)),
    };
    let over = Statement::new("DELETE FROM esclusa_server.session WHERE expires_at_ms <= $1", vec![millis(now)]);
    let sha256 = token::sha256(&text);
    let begun = Statement::new(
        "INSERT INTO esclusa_server.session (id, sha256, account, token, address, began_at_ms, expires_at_ms)
            VALUES ($1, $2, $3::text::uuid, $4, $5, $6, $7)",
        vec![
            Cell::text(id),
            Cell::text(sha256.clone()),
            Cell::Text(account),
            Cell::Text(token),
            Cell::text(from.0.clone()),
            millis(now),
            millis(expires),
        ],
    );
    shared.accounts.write(vec![over, begun], &shared.tokens).await?;
    let session = kept(shared, &sha256).ok_or_else(|| crate::store::away("the session cannot be read"))?;
    Ok((session, cookie(shared, &text, HOURS * 3_600)))
}

/// A session that is kept nowhere.
fn unkept(shared: &Shared, known: &Known) -> (Session, String) {
    let until = Time::from_millis(shared.now().as_millis() + HOURS * 3_600_000);
    let cookie = cookie(shared, &known.session(until), HOURS * 3_600);
    let expires = known.expires.map_or(until, |expires| expires.min(until));
    (Session { caller: Arc::new(known.caller()), expires }, cookie)
}

/// Ends the session of a browser, and gives the cookie that takes it out.
///
/// # Errors
/// When the store is away: then the session still holds.
pub(crate) async fn end(shared: &Shared, headers: &HeaderMap) -> Result<String, Problem> {
    let session = by_cookie(shared, headers).await;
    if let Some(id) = session.and_then(|session| session.caller.session.clone()) {
        let ended = Statement::new("DELETE FROM esclusa_server.session WHERE id = $1", vec![Cell::text(id)]);
        shared.accounts.write(vec![ended], &shared.tokens).await?;
    }
    Ok(cookie(shared, "", 0))
}

fn name_of(shared: &Shared) -> &'static str {
    if shared.is_https { SAFE_NAME } else { NAME }
}

fn cookie(shared: &Shared, session: &str, seconds: i64) -> String {
    let safe = if shared.is_https { "; Secure" } else { "" };
    format!("{}={session}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{safe}", name_of(shared))
}

/// `POST /stop/session`: a form with an admin token, or with the address and password of an account.
pub(crate) async fn begin_by_form(
    State(shared): State<Arc<Shared>>,
    from: From,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    if !is_own(&headers) {
        return refused("Esclusa", &Denied::Page.into());
    }
    let bytes = match read(body).await {
        Ok(bytes) => bytes,
        Err(unusable) => return refused("Esclusa", &unusable.into()),
    };
    let form = form(&bytes);
    let text = |name: &str| field(&form, name).to_owned();
    let proof = match text("email") {
        email if email.is_empty() => Proof::Token(text("token")),
        email => Proof::Password { email, password: text("password") },
    };
    let cookie = match begin(&shared, proof, &from).await {
        Ok((_, cookie)) => cookie,
        Err(problem) if matches!(problem.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            return ask(&shared, "This is no valid admin token, and no account with this password.");
        }
        Err(problem) => return refused("Esclusa", &problem),
    };
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

/// The page that asks who that is.
pub(crate) fn ask(shared: &Shared, problem: &str) -> Response<Body> {
    let alert = if problem.is_empty() { String::new() } else { format!("<p role=\"alert\">{}</p>", Text(problem)) };
    let prefix = Text(&shared.prefix);
    let html = format!(
        "{alert}<form method=\"post\" action=\"{prefix}/stop/session\"><label>E-mail \
        <input type=\"email\" name=\"email\" required autocomplete=\"username\"></label> <label>Password \
        <input type=\"password\" name=\"password\" required autocomplete=\"current-password\"></label> \
        <button>Go on</button></form>\
        <form method=\"post\" action=\"{prefix}/stop/session\"><label>Or an admin token \
        <input type=\"password\" name=\"token\" required autocomplete=\"off\"></label> \
        <button>Go on</button></form>"
    );
    page(StatusCode::UNAUTHORIZED, "Stop a flag", &html)
}
