//! `/setup`: gives the first admin token, once, to who has the link that the server prints at its first start.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::HeaderMap;
use axum::http::{Response, StatusCode, Uri};

use crate::body::read;
use crate::html::{Text, field, form, is_own, page, refused};
use crate::problem::Problem;
use crate::shared::Shared;
use crate::tap::lock;
use crate::token::{Kind, Secret, Token, is_code};

const TITLE: &str = "Set up Esclusa";

/// `GET /setup?code=…`. Looking at it changes nothing: a program that previews links must not use it up.
pub(crate) async fn show(State(shared): State<Arc<Shared>>, uri: Uri) -> Response<Body> {
    let query = form(&uri.query().unwrap_or_default().to_owned().into());
    let code = field(&query, "code");
    if !lock(&shared.setup).as_ref().is_some_and(|kept| is_code(code, kept)) {
        return refused(TITLE, &unknown());
    }
    let form = format!(
        "<p>This gives you the token that may change flags. It is shown once.</p>\
        <form method=\"post\" action=\"{}/setup\"><input type=\"hidden\" name=\"code\" value=\"{}\">\
        <label>Your name, for the history <input name=\"name\" maxlength=\"100\"></label> <button>Give me the token</button></form>",
        Text(&shared.prefix),
        Text(code)
    );
    page(StatusCode::OK, TITLE, &form)
}

/// `POST /setup`.
pub(crate) async fn give(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Body) -> Response<Body> {
    match given(&shared, &headers, body).await {
        Ok(secret) => {
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

async fn given(shared: &Shared, headers: &HeaderMap, body: Body) -> Result<Secret, Problem> {
    if !is_own(headers) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "the form is of another page"));
    }
    let form = form(&read(body).await?);
    let kept = {
        let mut setup = lock(&shared.setup);
        if !setup.as_ref().is_some_and(|kept| is_code(field(&form, "code"), kept)) {
            return Err(unknown());
        }
        setup.take()
    };
    let broken = |_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the system gives no random bytes");
    let secret = Secret::new(Kind::Admin).map_err(broken)?;
    let name: String = field(&form, "name").trim().chars().take(100).collect();
    let token = Token { name: (!name.is_empty()).then_some(name), ..secret.token() };
    let Some(store) = &shared.store else { return Err(unknown()) };
    match store.keep_first(token.clone()).await {
        Ok(true) => {}
        // Another server on the same file has given the first one.
        Ok(false) => return Err(unknown()),
        Err(problem) => {
            // Nothing is kept, so the link stays good.
            *lock(&shared.setup) = kept;
            return Err(problem);
        }
    }
    shared.tokens.add(&token).map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(secret)
}

fn unknown() -> Problem {
    Problem::new(StatusCode::GONE, "this link is used up or wrong, expected the one that the server has printed last")
}
