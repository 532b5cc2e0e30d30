//! `/api/v1/tokens`: an admin makes tokens and takes them away. The text of one is shown once; its hash is kept.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use esclusa::{Json, Time, Value};

use super::accounts::short;
use super::{Fields, Key, answer, bad, key, plain};
use crate::accounts::millis;
use crate::body::read;
use crate::caller::By;
use crate::problem::Problem;
use crate::role::Role;
use crate::shared::Shared;
use crate::store::statement::{Cell, Statement};
use crate::token::{Kind, Known, Secret, Token};

const BODY: [&str; 6] = ["kind", "name", "role", "origins", "company", "expires"];
/// How many pages a token may name.
const MAX_ORIGINS: usize = 100;

/// `GET /api/v1/tokens`: those that are kept, and those of the configuration.
pub(crate) async fn list(State(shared): State<Arc<Shared>>, _: By) -> Result<Response<Body>, Problem> {
    shared.accounts.refresh(&shared.tokens).await?;
    let book = shared.accounts.book();
    let mut json = Json::default();
    json.object(|json| {
        json.name("tokens").list(&book.tokens, |json, kept| {
            written(json, &kept.token, None, Some(kept.created), kept.used);
        });
    });
    Ok(answer(StatusCode::OK, json.into_text()))
}

/// `POST /api/v1/tokens`: `{"kind": "client", "name": "web", "origins": […], "company": …, "expires": …}`.
pub(crate) async fn create(State(shared): State<Arc<Shared>>, _: By, body: Body) -> Result<Response<Body>, Problem> {
    let fields = Fields::parse(&read(body).await?, &BODY)?;
    let kind = fields.text("kind")?.and_then(Kind::named);
    let kind = kind.ok_or_else(|| bad("`kind` is none, expected server, client, ingest or admin".to_owned()))?;
    let secret = Secret::new(kind)
        .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the system gives no random bytes"))?;
    let role = match fields.text("role")? {
        None => None,
        Some(role) => {
            let role = Role::named(role);
            Some(role.ok_or_else(|| bad("`role` is none, expected viewer, editor or admin".to_owned()))?)
        }
    };
    let expires = match fields.text("expires")? {
        None => None,
        Some(text) => {
            let expected =
                || bad(format!("`expires` is `{text}`, expected a time to come such as 2027-01-01T00:00:00Z"));
            Some(Time::parse(text).filter(|time| *time > shared.now()).ok_or_else(expected)?)
        }
    };
    let token = Token {
        name: fields.text("name")?.map(|name| short("name", name)).transpose()?,
        role,
        origins: origins(&fields)?,
        expires: expires.map(|expires| expires.to_string()),
        company: fields.text("company")?.map(|company| short("company", company)).transpose()?,
        ..secret.token()
    };
    Known::check(&token).map_err(|error| bad(error.to_string()))?;
    let now = shared.now();
    let sql = "INSERT INTO esclusa_server.token
            (id, kind, sha256, name, role, origins, company, expires_at_ms, created_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let cells = vec![
        Cell::text(token.id.clone()),
        Cell::text(kind.as_str()),
        Cell::text(token.sha256.clone()),
        Cell::Text(token.name.clone()),
        Cell::Text(role.map(|role| role.as_str().to_owned())),
        Cell::text(token.origins.join("\n")),
        Cell::Text(token.company.clone()),
        Cell::Whole(expires.map(Time::as_millis)),
        millis(now),
    ];
    shared.accounts.write(vec![Statement::new(sql, cells)], &shared.tokens).await?;
    let mut json = Json::default();
    written(&mut json, &token, Some(secret.text()), Some(now), None);
    Ok(answer(StatusCode::CREATED, json.into_text()))
}

/// `DELETE /api/v1/tokens/{id}`: it is refused from now on, and its sessions end.
pub(crate) async fn delete(State(shared): State<Arc<Shared>>, _: By, id: Key) -> Result<Response<Body>, Problem> {
    let id = plain("id", &key(id)?)?;
    let ended = "DELETE FROM esclusa_server.session WHERE token = $1
        AND EXISTS (SELECT 1 FROM esclusa_server.token WHERE id = $1)";
    let statements = vec![
        Statement::new(ended, vec![Cell::text(id.clone())]),
        Statement::new("DELETE FROM esclusa_server.token WHERE id = $1 RETURNING id", vec![Cell::text(id.clone())]),
    ];
    if shared.accounts.write(statements, &shared.tokens).await?.is_empty() {
        let detail = format!("there is no token `{id}` here; those of `esclusa.toml` are taken away there");
        return Err(Problem::new(StatusCode::NOT_FOUND, detail));
    }
    Ok(answer(StatusCode::NO_CONTENT, String::new()))
}

fn origins(fields: &Fields) -> Result<Vec<String>, Problem> {
    let Some(origins) = fields.field("origins") else { return Ok(Vec::new()) };
    let texts = origins.as_list().and_then(|list| list.iter().map(|one| one.as_str().map(str::to_owned)).collect());
    let texts: Option<Vec<String>> = texts;
    let expected = || bad("`origins` is no list, expected [\"https://app.example.com\", …] of at most 100".to_owned());
    texts.filter(|origins| origins.len() <= MAX_ORIGINS).ok_or_else(expected)
}

fn written(json: &mut Json, token: &Token, text: Option<&str>, created: Option<Time>, used: Option<Time>) {
    json.object(|json| {
        json.name("id").text(&token.id);
        json.name("kind").text(token.kind.as_str());
        json.name("name").maybe(token.name.as_deref(), Json::text);
        json.name("role").maybe(token.role.map(Role::as_str), Json::text);
        let origins = token.origins.iter().map(|origin| Value::from(origin.clone())).collect();
        json.name("origins").value(&Value::List(origins));
        json.name("company").maybe(token.company.as_deref(), Json::text);
        json.name("expires").maybe(token.expires.as_deref(), Json::text);
        json.name("created").maybe(created.map(|created| created.to_string()).as_deref(), Json::text);
        json.name("used").maybe(used.map(|used| used.to_string()).as_deref(), Json::text);
        if let Some(text) = text {
            json.name("token").text(text);
        }
    });
}
