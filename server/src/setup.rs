//! `/setup`: makes the first admin, an account or a token, once, for who has the link that the server prints at its first
//! start.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::HeaderMap;
use axum::http::{Response, StatusCode, Uri};

use crate::access::Denied;
use crate::accounts::millis;
use crate::api::accounts::{self, New, Wanted};
use crate::body::read;
use crate::html::{Text, field, form, is_own, page, refused};
use crate::problem::Problem;
use crate::role::Role;
use crate::shared::Shared;
use crate::store::statement::{Cell, Statement};
use crate::tap::lock;
use crate::token::{Kind, Secret, is_code};

const TITLE: &str = "Set up Esclusa";

/// `GET /setup?code=…`. Looking at it changes nothing: a program that previews links must not use it up.
pub(crate) async fn show(State(shared): State<Arc<Shared>>, uri: Uri) -> Response<Body> {
    let query = form(&uri.query().unwrap_or_default().to_owned().into());
    let code = field(&query, "code");
    if !lock(&shared.setup).as_ref().is_some_and(|kept| is_code(code, kept)) {
        return refused(TITLE, &unknown());
    }
    let form = format!(
        "<p>This makes the account that may do everything.</p>\
        <form method=\"post\" action=\"{prefix}/setup\"><input type=\"hidden\" name=\"code\" value=\"{code}\">\
        <label>Your name, for the history <input name=\"name\" maxlength=\"100\" required autocomplete=\"name\"></label> \
        <label>E-mail <input type=\"email\" name=\"email\" required autocomplete=\"username\"></label> \
        <label>Password, of at least 12 characters <input type=\"password\" name=\"password\" minlength=\"12\" required \
        autocomplete=\"new-password\"></label> <button>Make the account</button></form>\
        <p>Or take a token instead. It is shown once.</p>\
        <form method=\"post\" action=\"{prefix}/setup\"><input type=\"hidden\" name=\"code\" value=\"{code}\">\
        <label>Your name, for the history <input name=\"name\" maxlength=\"100\"></label> <button>Give me the token</button></form>",
        prefix = Text(&shared.prefix),
        code = Text(code)
    );
    page(StatusCode::OK, TITLE, &form)
}

/// `POST /setup`.
pub(crate) async fn give(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Body) -> Response<Body> {
    match given(&shared, &headers, body).await {
        Ok(None) => {
            let html =
                format!("<p>Your account is made.</p><p><a href=\"{}/stop\">Stop a flag</a></p>", Text(&shared.prefix));
            page(StatusCode::OK, TITLE, &html)
        }
        Ok(Some(secret)) => {
            let html = format!(
                "<p>Your admin token, which is kept nowhere:</p><p><code>{}</code></p>\
                <p><a href=\"{}/stop\">Stop a flag</a></p>",
                Text(secret.text()),
                Text(&shared.prefix)
            );
            page(StatusCode::OK, TITLE, &html)
        }
        Err(problem) => refused(TITLE, &problem),
    }
}

/// The first token; none if an account is made instead.
async fn given(shared: &Shared, headers: &HeaderMap, body: Body) -> Result<Option<Secret>, Problem> {
    if !is_own(headers) {
        return Err(Denied::Page.into());
    }
    let form = form(&read(body).await?);
    let text = |name: &str| Some(field(&form, name)).filter(|text| !text.trim().is_empty());
    // What is wrong in the form does not use the link up.
    let wanted = match text("email").or(text("password")) {
        Some(_) => Some(first(Wanted::of(text("email"), text("name"), text("password"))?)?),
        None => None,
    };
    let kept = {
        let mut setup = lock(&shared.setup);
        if !setup.as_ref().is_some_and(|kept| is_code(field(&form, "code"), kept)) {
            return Err(unknown());
        }
        setup.take()
    };
    let made = match wanted {
        Some(account) => accounts::make(shared, account, true).await.map(|_| None),
        None => token(shared, field(&form, "name")).await.map(Some),
    };
    made.map_err(|problem| match problem.status() {
        // Another server on the same file has made the first one.
        StatusCode::CONFLICT => unknown(),
        _ => {
            // Nothing is kept, so the link stays good.
            *lock(&shared.setup) = kept;
            problem
        }
    })
}

/// The account of the first admin.
fn first(wanted: Wanted) -> Result<New, Problem> {
    let missing = |name: &str| Problem::new(StatusCode::BAD_REQUEST, format!("`{name}` is missing"));
    Ok(New {
        email: wanted.email.ok_or_else(|| missing("email"))?,
        name: wanted.name.ok_or_else(|| missing("name"))?,
        password: wanted.password.ok_or_else(|| missing("password"))?,
        role: Role::Admin,
        may_roll_back: true,
        company: None,
        locale: None,
    })
}

/// The first admin token.
async fn token(shared: &Shared, name: &str) -> Result<Secret, Problem> {
    let broken = |_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the system gives no random bytes");
    let secret = Secret::new(Kind::Admin).map_err(broken)?;
    let name: String = name.trim().chars().take(100).collect();
    let sql = "INSERT INTO esclusa_server.token (id, kind, sha256, name, created_at_ms)
        SELECT $1::text, $2::text, $3::text, $4::text, $5
        WHERE NOT EXISTS (SELECT 1 FROM esclusa_server.token WHERE kind = $2)
            AND NOT EXISTS (SELECT 1 FROM esclusa_server.account WHERE role = $2)
        RETURNING id";
    let cells = vec![
        Cell::text(secret.id()),
        Cell::text(Kind::Admin.as_str()),
        Cell::text(secret.sha256()),
        Cell::Text(Some(name).filter(|name| !name.is_empty())),
        millis(shared.now()),
    ];
    match shared.accounts.write(vec![Statement::new(sql, cells)], &shared.tokens).await?.is_empty() {
        false => Ok(secret),
        true => Err(unknown()),
    }
}

fn unknown() -> Problem {
    Problem::new(StatusCode::GONE, "this link is used up or wrong, expected the one that the server has printed last")
}
