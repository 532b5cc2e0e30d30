//! `/api/v1/session` and `/api/v1/sessions`: a page of this server begins a session, asks who it is, and ends it; an admin
//! ends those of others.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{HeaderMap, SET_COOKIE};
use axum::http::{HeaderValue, Response, StatusCode};
use esclusa::{Json, Value};

use super::{Fields, Key, answer, bad, key};
use crate::access::Denied;
use crate::accounts::{Holder, password};
use crate::body::read;
use crate::caller::{By, From};
use crate::html::is_own;
use crate::problem::Problem;
use crate::session::{self, Proof, Session};
use crate::shared::Shared;
use crate::store::statement::{Cell, Statement};

/// `GET /api/v1/session`: who asks, and until when.
pub(crate) async fn show(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Response<Body>, Problem> {
    let session = session::by_cookie(&shared, &headers).await.ok_or(Denied::NoSession)?;
    Ok(shown(&session))
}

/// `POST /api/v1/session`: `{"token": "esc_admin_…"}` or `{"email": "…", "password": "…"}`.
pub(crate) async fn begin(
    State(shared): State<Arc<Shared>>,
    from: From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    // Otherwise another page could begin a session of its own choice in this browser.
    if !is_own(&headers) {
        return Err(Denied::Page.into());
    }
    let fields = Fields::parse(&read(body).await?, &["token", "email", "password"])?;
    let proof = match (fields.text("token")?, fields.text("email")?, fields.text("password")?) {
        (Some(token), None, None) => Proof::Token(token.to_owned()),
        (None, Some(email), Some(password)) => {
            Proof::Password { email: email.to_owned(), password: password.to_owned() }
        }
        _ => return Err(bad("the body has no proof, expected `token`, or `email` and `password`".to_owned())),
    };
    let (session, cookie) = session::begin(&shared, proof, &from).await?;
    Ok(with_cookie(shown(&session), &cookie))
}

/// `DELETE /api/v1/session`.
pub(crate) async fn end(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Response<Body>, Problem> {
    if !is_own(&headers) {
        return Err(Denied::Page.into());
    }
    let cookie = session::end(&shared, &headers).await?;
    Ok(with_cookie(answer(StatusCode::NO_CONTENT, String::new()), &cookie))
}

/// `PUT /api/v1/session/password`: `{"old": "…", "new": "…"}`, for the account of the session. Its other sessions end.
pub(crate) async fn change_password(
    State(shared): State<Arc<Shared>>,
    from: From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let session = session::by_cookie(&shared, &headers).await.ok_or(Denied::NoSession)?;
    if !is_own(&headers) {
        return Err(Denied::Page.into());
    }
    let fields = Fields::parse(&read(body).await?, &["old", "new"])?;
    let (Some(old), Some(new)) = (fields.text("old")?, fields.text("new")?) else {
        return Err(bad("`old` or `new` is missing, expected both passwords".to_owned()));
    };
    let id = session.caller.account.clone();
    let account = id.as_deref().and_then(|id| shared.accounts.book().account(id));
    let (Some(id), Some(account)) = (id, account) else {
        return Err(bad("the session is of a token, expected that of an account".to_owned()));
    };
    if let Some(refusal) = password::refusal(new) {
        return Err(bad(refusal.replace("`password`", "`new`")));
    }
    let count = shared.accounts.limits.count(&account.email, &from.0);
    count.map_err(|wait| Problem::too_often("passwords were tried too often", wait))?;
    if !shared.accounts.is_password(Some(&account), old.to_owned()).await {
        return Err(Problem::new(StatusCode::FORBIDDEN, "`old` is not the password of this account"));
    }
    let hash = shared.accounts.hash(new.to_owned()).await?;
    let own = session.caller.session.clone().unwrap_or_default();
    let others = "DELETE FROM esclusa_server.session WHERE CAST(account AS text) = $1 AND id <> $2";
    let changed = "UPDATE esclusa_server.account SET password = $1 WHERE CAST(id AS text) = $2";
    let statements = vec![
        Statement::new(others, vec![Cell::text(id.clone()), Cell::text(own)]),
        Statement::new(changed, vec![Cell::text(hash), Cell::text(id)]),
    ];
    shared.accounts.write(statements, &shared.tokens).await?;
    Ok(answer(StatusCode::NO_CONTENT, String::new()))
}

/// `GET /api/v1/sessions`: those that hold, the newest first.
pub(crate) async fn list(State(shared): State<Arc<Shared>>, By(caller): By) -> Result<Response<Body>, Problem> {
    // What is kept is asked of the store, so a store that is away is not mistaken for nobody.
    shared.accounts.refresh(&shared.tokens).await?;
    let (book, now) = (shared.accounts.book(), shared.now());
    let mut json = Json::default();
    let sessions = book.sessions().into_iter().filter(|session| now < session.expires);
    json.object(|json| {
        json.name("sessions").list(sessions, |json, session| {
            let (account, token) = match &session.holder {
                Holder::Account(id) => (book.account(id), None),
                Holder::Token(id) => (None, Some(id.as_str())),
            };
            json.object(|json| {
                json.name("id").text(&session.id);
                json.name("account").maybe(account.as_ref().map(|account| account.id.as_str()), Json::text);
                json.name("email").maybe(account.as_ref().map(|account| account.email.as_str()), Json::text);
                json.name("token").maybe(token, Json::text);
                json.name("address").text(&session.address);
                json.name("began").text(&session.began.to_string());
                json.name("expires").text(&session.expires.to_string());
                json.name("is_own").value(&Value::Bool(caller.session.as_deref() == Some(session.id.as_str())));
            });
        });
    });
    Ok(answer(StatusCode::OK, json.into_text()))
}

/// `DELETE /api/v1/sessions/{id}`.
pub(crate) async fn end_other(State(shared): State<Arc<Shared>>, _: By, id: Key) -> Result<Response<Body>, Problem> {
    let id = key(id)?;
    let sql = "DELETE FROM esclusa_server.session WHERE id = $1 RETURNING id";
    let ended = vec![Statement::new(sql, vec![Cell::text(super::plain("id", &id)?)])];
    if shared.accounts.write(ended, &shared.tokens).await?.is_empty() {
        return Err(Problem::new(StatusCode::NOT_FOUND, format!("there is no session `{id}`")));
    }
    Ok(answer(StatusCode::NO_CONTENT, String::new()))
}

fn with_cookie(mut response: Response<Body>, cookie: &str) -> Response<Body> {
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

fn shown(session: &Session) -> Response<Body> {
    let caller = &session.caller;
    let mut json = Json::default();
    json.object(|json| {
        json.name("name").text(&caller.name);
        json.name("role").text(caller.role.as_str());
        json.name("may_roll_back").value(&Value::Bool(caller.may_roll_back));
        json.name("company").maybe(caller.company.as_deref(), Json::text);
        json.name("expires").text(&session.expires.to_string());
    });
    answer(StatusCode::OK, json.into_text())
}
