//! `/api/v1/accounts`: an admin makes, changes and takes away the accounts of people.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use esclusa::{Json, Value};

use super::{Fields, Key, answer, bad, key, plain};
use crate::accounts::{Account, millis, password};
use crate::body::read;
use crate::caller::By;
use crate::problem::Problem;
use crate::role::Role;
use crate::shared::Shared;
use crate::store::statement::{Cell, Statement};

const BODY: [&str; 7] = ["email", "name", "password", "role", "may_roll_back", "company", "locale"];
/// The longest address that a mail server takes.
const MAX_EMAIL_BYTES: usize = 254;
/// The longest name, company or language.
const MAX_CHARS: usize = 100;

/// `GET /api/v1/accounts`.
pub(crate) async fn list(State(shared): State<Arc<Shared>>, _: By) -> Result<Response<Body>, Problem> {
    shared.accounts.refresh(&shared.tokens).await?;
    let mut json = Json::default();
    json.object(|json| {
        json.name("accounts").list(shared.accounts.book().accounts(), |json, account| written(json, &account));
    });
    Ok(answer(StatusCode::OK, json.into_text()))
}

/// `POST /api/v1/accounts`.
pub(crate) async fn create(State(shared): State<Arc<Shared>>, _: By, body: Body) -> Result<Response<Body>, Problem> {
    let wanted = Wanted::parse(&Fields::parse(&read(body).await?, &BODY)?)?;
    let missing =
        |name: &str| bad(format!("`{name}` is missing, expected {}", BODY.map(|name| format!("`{name}`")).join(", ")));
    let new = New {
        email: wanted.email.ok_or_else(|| missing("email"))?,
        name: wanted.name.ok_or_else(|| missing("name"))?,
        password: wanted.password.ok_or_else(|| missing("password"))?,
        role: wanted.role.ok_or_else(|| missing("role"))?,
        may_roll_back: wanted.may_roll_back.unwrap_or_default(),
        company: wanted.company.unwrap_or_default(),
        locale: wanted.locale.unwrap_or_default(),
    };
    let id = make(&shared, new, false).await?;
    let account =
        shared.accounts.book().account(&id).ok_or_else(|| crate::store::away("the account cannot be read"))?;
    Ok(shown(StatusCode::CREATED, &account))
}

/// `PATCH /api/v1/accounts/{id}`: the fields that the body names. Another password, role or company ends its sessions.
pub(crate) async fn patch(
    State(shared): State<Arc<Shared>>,
    _: By,
    id: Key,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let id = plain("id", &key(id)?)?;
    let wanted = Wanted::parse(&Fields::parse(&read(body).await?, &BODY)?)?;
    let unknown = || Problem::new(StatusCode::NOT_FOUND, format!("there is no account `{id}`"));
    shared.accounts.refresh(&shared.tokens).await?;
    let held = shared.accounts.book().account(&id).ok_or_else(unknown)?;
    let ends_sessions = wanted.password.is_some()
        || wanted.role.is_some_and(|role| role != held.role)
        || wanted.company.as_ref().is_some_and(|company| *company != held.company);
    let hash = match wanted.password {
        Some(password) => Some(shared.accounts.hash(password).await?),
        None => None,
    };
    let sql = "UPDATE esclusa_server.account SET email = coalesce($1::text, email), name = coalesce($2::text, name),
            password = coalesce($3::text, password), role = coalesce($4::text, role),
            may_roll_back = CASE WHEN $5 THEN $6 ELSE may_roll_back END,
            company = CASE WHEN $7 THEN $8 ELSE company END, locale = CASE WHEN $9 THEN $10 ELSE locale END
        WHERE CAST(id AS text) = $11 AND (coalesce($4::text, role) = 'admin' AND NOT $12 OR role <> 'admin' OR EXISTS (
            SELECT 1 FROM esclusa_server.account WHERE role = 'admin' AND company IS NULL AND CAST(id AS text) <> $11))
        RETURNING email";
    let cells = vec![
        Cell::Text(wanted.email),
        Cell::Text(wanted.name),
        Cell::Text(hash),
        Cell::Text(wanted.role.map(|role| role.as_str().to_owned())),
        Cell::Is(wanted.may_roll_back.is_some()),
        Cell::Is(wanted.may_roll_back.unwrap_or_default()),
        Cell::Is(wanted.company.is_some()),
        Cell::Text(wanted.company.clone().flatten()),
        Cell::Is(wanted.locale.is_some()),
        Cell::Text(wanted.locale.flatten()),
        Cell::text(id.clone()),
        Cell::Is(wanted.company.flatten().is_some()),
    ];
    let ended = "DELETE FROM esclusa_server.session WHERE CAST(account AS text) = $1 AND $2";
    let ended = Statement::new(ended, vec![Cell::text(id.clone()), Cell::Is(ends_sessions)]);
    let statements = vec![alone(), ended, Statement::new(sql, cells)];
    let changed = shared.accounts.write(statements, &shared.tokens).await.map_err(taken)?;
    let account = shared.accounts.book().account(&id).ok_or_else(unknown)?;
    if changed.is_empty() {
        return Err(last());
    }
    Ok(shown(StatusCode::OK, &account))
}

/// `DELETE /api/v1/accounts/{id}`.
pub(crate) async fn delete(State(shared): State<Arc<Shared>>, _: By, id: Key) -> Result<Response<Body>, Problem> {
    let id = plain("id", &key(id)?)?;
    shared.accounts.refresh(&shared.tokens).await?;
    if shared.accounts.book().account(&id).is_none() {
        return Err(Problem::new(StatusCode::NOT_FOUND, format!("there is no account `{id}`")));
    }
    let sql = "DELETE FROM esclusa_server.account
        WHERE CAST(id AS text) = $1 AND (role <> 'admin' OR EXISTS (
            SELECT 1 FROM esclusa_server.account WHERE role = 'admin' AND company IS NULL AND CAST(id AS text) <> $1))
        RETURNING email";
    let statements = vec![alone(), Statement::new(sql, vec![Cell::text(id)])];
    if shared.accounts.write(statements, &shared.tokens).await?.is_empty() {
        return Err(last());
    }
    Ok(answer(StatusCode::NO_CONTENT, String::new()))
}

/// Two admins who take the right from each other at once do it one after the other.
fn alone() -> Statement {
    Statement::new("SELECT email FROM esclusa_server.account WHERE role = 'admin' FOR UPDATE", Vec::new())
}

/// An account to be made.
pub(crate) struct New {
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) role: Role,
    pub(crate) may_roll_back: bool,
    pub(crate) company: Option<String>,
    pub(crate) locale: Option<String>,
}

/// Makes an account; its id.
///
/// # Errors
/// When there is one of this address, or another one although this has to be the first admin.
pub(crate) async fn make(shared: &Shared, new: New, is_first: bool) -> Result<String, Problem> {
    let id = uuid::Uuid::new_v4().to_string();
    let hash = shared.accounts.hash(new.password).await?;
    let sql = "INSERT INTO esclusa_server.account
            (id, email, name, password, role, may_roll_back, company, locale, created_at_ms)
        SELECT $1::text::uuid, $2::text, $3::text, $4::text, $5::text, $6, $7::text, $8::text, $9
        WHERE NOT EXISTS (SELECT 1 FROM esclusa_server.account WHERE email = $2 OR $10 AND role = 'admin')
            AND NOT ($10 AND EXISTS (SELECT 1 FROM esclusa_server.token WHERE kind = 'admin'))
        RETURNING email";
    let cells = vec![
        Cell::text(id.clone()),
        Cell::text(new.email),
        Cell::text(new.name),
        Cell::text(hash),
        Cell::text(new.role.as_str()),
        Cell::Is(new.may_roll_back),
        Cell::Text(new.company),
        Cell::Text(new.locale),
        millis(shared.now()),
        Cell::Is(is_first),
    ];
    let made = shared.accounts.write(vec![Statement::new(sql, cells)], &shared.tokens).await.map_err(taken)?;
    if made.is_empty() {
        return Err(Problem::new(StatusCode::CONFLICT, "there is an account of this `email` already"));
    }
    Ok(id)
}

/// What a body says of an account.
#[derive(Default)]
pub(crate) struct Wanted {
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) password: Option<String>,
    role: Option<Role>,
    may_roll_back: Option<bool>,
    /// Null means no company.
    company: Option<Option<String>>,
    locale: Option<Option<String>>,
}

impl Wanted {
    fn parse(fields: &Fields) -> Result<Self, Problem> {
        let mut wanted = Wanted::of(fields.text("email")?, fields.text("name")?, fields.text("password")?)?;
        if let Some(role) = fields.text("role")? {
            let role = Role::named(role);
            wanted.role = Some(role.ok_or_else(|| bad("`role` is none, expected viewer, editor or admin".to_owned()))?);
        }
        wanted.may_roll_back = match fields.field("may_roll_back") {
            None => None,
            Some(Value::Bool(may)) => Some(*may),
            Some(_) => return Err(bad("`may_roll_back` is no boolean, expected true or false".to_owned())),
        };
        let maybe = |name: &str| -> Result<_, Problem> {
            match (fields.has(name), fields.text(name)?) {
                (false, _) => Ok(None),
                (true, None) => Ok(Some(None)),
                (true, Some(text)) => Ok(Some(Some(short(name, text)?))),
            }
        };
        wanted.company = maybe("company")?;
        wanted.locale = maybe("locale")?;
        Ok(wanted)
    }

    /// What names a person, checked.
    pub(crate) fn of(email: Option<&str>, name: Option<&str>, password: Option<&str>) -> Result<Self, Problem> {
        if let Some(refusal) = password.and_then(password::refusal) {
            return Err(bad(refusal));
        }
        Ok(Wanted {
            email: email.map(self::email).transpose()?,
            name: name.map(|name| short("name", name)).transpose()?,
            password: password.map(str::to_owned),
            ..Wanted::default()
        })
    }
}

fn email(email: &str) -> Result<String, Problem> {
    let email = email.trim().to_lowercase();
    let is_address = email.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !host.contains('@') && email.len() <= MAX_EMAIL_BYTES
    });
    let is_plain = !email.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    if is_address && is_plain {
        return Ok(email);
    }
    Err(bad(format!("`email` is no address, expected one such as ana@example.com of at most {MAX_EMAIL_BYTES} bytes")))
}

pub(crate) fn short(name: &str, text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MAX_CHARS || text.chars().any(char::is_control) {
        return Err(bad(format!("`{name}` has the wrong length, expected 1 to {MAX_CHARS} characters on one line")));
    }
    Ok(text.to_owned())
}

fn taken(problem: Problem) -> Problem {
    match problem.status() {
        StatusCode::CONFLICT if problem.detail().contains("email") => {
            Problem::new(StatusCode::CONFLICT, "there is an account of this `email` already")
        }
        _ => problem,
    }
}

fn last() -> Problem {
    Problem::new(StatusCode::CONFLICT, "this is the last admin, expected another one first")
}

fn shown(status: StatusCode, account: &Account) -> Response<Body> {
    let mut json = Json::default();
    written(&mut json, account);
    answer(status, json.into_text())
}

fn written(json: &mut Json, account: &Account) {
    json.object(|json| {
        json.name("id").text(&account.id);
        json.name("email").text(&account.email);
        json.name("name").text(&account.name);
        json.name("role").text(account.role.as_str());
        json.name("may_roll_back").value(&Value::Bool(account.may_roll_back));
        json.name("company").maybe(account.company.as_deref(), Json::text);
        json.name("locale").maybe(account.locale.as_deref(), Json::text);
        json.name("created").text(&account.created.to_string());
    });
}
