//! Who asks: the token of a request, and whether it may ask that.

use std::sync::Arc;

use axum::http::header::{AUTHORIZATION, HeaderMap, ORIGIN};
use axum::http::{HeaderName, StatusCode};
use esclusa::{Context, Time, Value};

use crate::problem::Problem;
use crate::role::Need;
use crate::token::{Kind, Known, Tokens};

pub(crate) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// There is no token, or none that is known and in its time.
    Unknown,
    /// The page is none that may use the token.
    Origin,
    /// The token is of the wrong kind: this one is needed.
    Kind(Kind),
    /// The token is for another company.
    Company,
    /// Who asks may not do that.
    Role(Need),
    /// Who asks is of one company, and the address shows all.
    Scope,
    /// There is no account of this address, or it has another password.
    Password,
    /// There is no session, or its time is over.
    NoSession,
    /// The page that sends the cookie of a session is another server's.
    Page,
}

impl Denied {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Denied::Unknown | Denied::NoSession | Denied::Password => StatusCode::UNAUTHORIZED,
            Denied::Origin | Denied::Kind(_) | Denied::Company | Denied::Page | Denied::Role(_) | Denied::Scope => {
                StatusCode::FORBIDDEN
            }
        }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let detail = match denied {
            Denied::Unknown => "there is no valid token, expected `Authorization: Bearer esc_…` or `X-API-Key: esc_…`",
            Denied::Origin => "the token is not for pages of this origin",
            Denied::Kind(Kind::Admin) => "the token is of another kind, expected one of the kind `admin`",
            Denied::Kind(Kind::Client) => {
                "the token is of the kind `ingest`, expected one of the kind `client` or `server`"
            }
            Denied::Kind(_) => "the token is of another kind or role, expected one of the kind `server`",
            Denied::Role(Need::RollBack) => "who asks may not roll back, expected an account that may",
            Denied::Role(Need::Change) => "who asks only sees flags, expected the role `editor` or `admin`",
            Denied::Role(_) => "who asks is no admin, expected the role `admin`",
            Denied::Scope => "who asks is of one company, and this address shows all of them",
            Denied::Password => "there is no account with this `email` and this `password`",
            Denied::NoSession => "there is no session, expected the cookie that `POST /api/v1/session` sets",
            Denied::Page => "the request is of another page, expected one of this server's own pages",
            Denied::Company => "the token is for another company",
        };
        Problem::new(denied.status(), detail)
    }
}

impl Tokens {
    /// The token of a request that asks for flags.
    pub(crate) fn of(&self, headers: &HeaderMap, now: Time) -> Result<Arc<Known>, Denied> {
        match self.any_of(headers, now) {
            Ok(known) if known.kind == Kind::Ingest => Err(Denied::Kind(Kind::Client)),
            known => known,
        }
    }

    /// The token of a request, of whatever kind: what reports may have any.
    pub(crate) fn any_of(&self, headers: &HeaderMap, now: Time) -> Result<Arc<Known>, Denied> {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = text(&AUTHORIZATION).and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        // A request may carry its token in both headers; one that is wrong is not made up for by the other.
        let token = match (bearer, text(&API_KEY)) {
            (Some(bearer), Some(key)) if bearer != key => return Err(Denied::Unknown),
            (bearer, key) => bearer.or(key).ok_or(Denied::Unknown)?,
        };
        let known = self.find(token, now).ok_or(Denied::Unknown)?;
        if known.allows(headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or_default())) {
            Ok(known)
        } else {
            Err(Denied::Origin)
        }
    }

    /// The same, if it is of a backend.
    pub(crate) fn of_server(&self, headers: &HeaderMap, now: Time) -> Result<Arc<Known>, Denied> {
        let known = self.any_of(headers, now)?;
        if known.is_backend() { Ok(known) } else { Err(Denied::Kind(Kind::Server)) }
    }

    /// The same, if it may change flags.
    pub(crate) fn of_admin(&self, headers: &HeaderMap, now: Time) -> Result<Arc<Known>, Denied> {
        let known = self.any_of(headers, now)?;
        if known.kind == Kind::Admin { Ok(known) } else { Err(Denied::Kind(Kind::Admin)) }
    }
}

impl Known {
    /// The context of a caller as this token may ask for it: with a token of one company it is that company's, and a
    /// context that names another is refused.
    pub(crate) fn context<'c>(&self, fields: Value<'c>) -> Result<Context<'c>, Denied> {
        let company = match (&self.company, &fields) {
            (Some(company), Value::Object(fields)) => {
                let named = fields.iter().filter(|(name, value)| name == "company" && !value.is_null());
                if named.map(|(_, value)| value).any(|value| !is_text(value, company)) {
                    return Err(Denied::Company);
                }
                Some(company.clone())
            }
            _ => None,
        };
        let context = Context::from_value(fields).unwrap_or_default();
        Ok(match company {
            Some(company) => context.company(company),
            None => context,
        })
    }
}

/// Whether a value stands for this text (3.5).
fn is_text(value: &Value<'_>, text: &str) -> bool {
    match (value.as_str(), value.as_i64()) {
        (Some(value), _) => value == text,
        (None, Some(number)) => number.to_string() == text,
        (None, None) => false,
    }
}
