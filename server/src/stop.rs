//! `/stop`: every flag with a button that switches it off for everybody, as a plain page.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::HeaderMap;
use axum::http::{Response, StatusCode, Uri};
use esclusa::{Value, row};

use crate::access::Denied;
use crate::api::{flags, store};
use crate::body::read;
use crate::caller::allowed;
use crate::html::{Text, field, form, is_own, page, refused};
use crate::problem::Problem;
use crate::role::Need;
use crate::session;
use crate::shared::Shared;
use crate::store::{Purpose, Signature};

const TITLE: &str = "Stop a flag";
/// How many flags a page shows.
const SHOWN: usize = 500;

/// `GET /stop`.
pub(crate) async fn show(State(shared): State<Arc<Shared>>, headers: HeaderMap, uri: Uri) -> Response<Body> {
    match allowed(&shared, &headers, Need::See, false).await {
        Ok(_) => {}
        Err(Denied::Unknown) => return session::ask(&shared, ""),
        Err(denied) => return refused(TITLE, &denied.into()),
    }
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    list(&shared, field(&query, "q"), "").await
}

/// `POST /stop`: a form with the key of a flag, and perhaps why.
pub(crate) async fn stop(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Body) -> Response<Body> {
    match stopped(&shared, &headers, body).await {
        Ok(said) => list(&shared, "", &said).await,
        Err(Some(problem)) => refused(TITLE, &problem),
        Err(None) => session::ask(&shared, ""),
    }
}

/// What was done; without a problem there is no session.
async fn stopped(shared: &Shared, headers: &HeaderMap, body: Body) -> Result<String, Option<Problem>> {
    let caller = allowed(shared, headers, Need::RollBack, true).await.map_err(|denied| match denied {
        Denied::Unknown => None,
        denied => Some(denied.into()),
    })?;
    // A form brings no token, but a program may.
    if !is_own(headers) {
        return Err(Some(Denied::Page.into()));
    }
    let bytes = read(body).await.map_err(|unusable| Some(unusable.into()))?;
    let form = form(&bytes);
    let (key, reason) = (field(&form, "flag").to_owned(), field(&form, "reason").trim().to_owned());
    let reason = if reason.is_empty() { "stopped by hand".to_owned() } else { reason.chars().take(1_000).collect() };
    let began = Instant::now();
    let signature = Signature { by: caller.name.clone(), reason };
    flags::stop(&store(shared)?, &key, signature).await?;
    shared.changed().await;
    Ok(format!("`{key}` is off for everybody, after {} ms.", began.elapsed().as_millis()))
}

async fn list(shared: &Shared, wanted: &str, said: &str) -> Response<Body> {
    let edition = match shared.edition() {
        Ok(edition) => edition,
        Err(problem) => return refused(TITLE, &problem),
    };
    // The page is there also when the table cannot be read.
    let rows = match store(shared) {
        Ok(store) => store.run(Purpose::Reading, |table| table.rows()).await,
        Err(problem) => return refused(TITLE, &problem),
    };
    let (rows, problem) = match rows {
        Ok(rows) => (rows, String::new()),
        Err(problem) => (Vec::new(), problem.detail().to_owned()),
    };
    let states: BTreeMap<&str, bool> = rows.iter().filter_map(|row| Some((row::key(row)?, is_on(row)?))).collect();
    let keys = edition.flags.iter().map(|flag| flag.key.as_str()).chain(states.keys().copied());
    let wanted_small = wanted.to_lowercase();
    let keys: std::collections::BTreeSet<&str> =
        keys.filter(|key| key.to_lowercase().contains(&wanted_small)).collect();
    let mut html = String::new();
    for said in [said, problem.as_str()].into_iter().filter(|said| !said.is_empty()) {
        // Writing into a string never fails.
        let _ = write!(html, "<p role=\"status\">{}</p>", Text(said));
    }
    let (prefix, total) = (Text(&shared.prefix), keys.len());
    let _ = write!(
        html,
        "<form method=\"get\" action=\"{prefix}/stop\"><label>Key <input name=\"q\" value=\"{}\"></label> <button>Find</button></form>\
        <table><thead><tr><th>Flag</th><th>State</th><th>Switch off for everybody</th></tr></thead><tbody>",
        Text(wanted)
    );
    for key in keys.into_iter().take(SHOWN) {
        let state = match states.get(key) {
            Some(true) => "on",
            Some(false) => "off",
            None => "",
        };
        let key = Text(key);
        let _ = write!(
            html,
            "<tr><th scope=\"row\">{key}</th><td>{state}</td><td><form method=\"post\" action=\"{prefix}/stop\">\
            <input type=\"hidden\" name=\"flag\" value=\"{key}\"><label>Why <input name=\"reason\" maxlength=\"1000\"></label> \
            <button>Stop {key}</button></form></td></tr>"
        );
    }
    html.push_str("</tbody></table>");
    if total > SHOWN {
        let _ = write!(html, "<p>{SHOWN} of {total} flags.</p>");
    }
    page(StatusCode::OK, TITLE, &html)
}

/// Whether a row says on; none if it says nothing.
fn is_on(row: &Value<'_>) -> Option<bool> {
    let Value::Object(fields) = row else { return None };
    let (_, value) = fields.iter().find(|(name, _)| row::field(name) == Some("enabled"))?;
    row::switch(value)
}
