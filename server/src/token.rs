//! Tokens: which kind of caller a request is from, and what it may ask.
//!
//! A token is `esc_<kind>_<id>_<secret>`. The configuration holds its id and the SHA-256 of the whole text, so a copy of
//! the configuration lets nobody in; 256 random bits need no slower hash.

mod tokens;

use std::fmt::{self, Write};
use std::sync::atomic::AtomicI64;

use esclusa::Time;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
pub(crate) use tokens::Tokens;

use crate::role::{Caller, Role};

/// How many random bytes the secret of a token has.
const SECRET_BYTES: usize = 32;
/// How many characters the text of a code has.
pub(crate) const CODE_CHARS: usize = 2 * SECRET_BYTES;
/// How many random bytes its id has: enough to tell the tokens of one configuration apart.
const ID_BYTES: usize = 8;
/// The length of a SHA-256.
const HASH_BYTES: usize = 32;

/// Who a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A backend of the team: it sees every flag, and the snapshot with its rules.
    Server,
    /// An app that anyone can take apart, such as a page in a browser: it sees the flags that are marked `client`.
    Client,
    /// A collector that sends usage and outcomes; it sees no flag.
    Ingest,
    /// A person or a program that changes flags; it sees what a server token sees.
    Admin,
}

impl Kind {
    /// The kind as tokens name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Server => "server",
            Kind::Client => "client",
            Kind::Ingest => "ingest",
            Kind::Admin => "admin",
        }
    }

    /// Whether it sees every flag with its rules.
    pub(crate) fn sees_all(self) -> bool {
        self != Kind::Client
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Kind::Server, Kind::Client, Kind::Ingest, Kind::Admin].into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A code that is good for one use: its text, and what is kept of it.
pub(crate) fn code() -> Result<(String, [u8; HASH_BYTES]), TokenError> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(|_| TokenError("the system gives no random bytes".to_owned()))?;
    let text = hex(&bytes);
    let kept = digest(&text);
    Ok((text, kept))
}

/// The SHA-256 of a text, in hexadecimal digits.
pub(crate) fn sha256(text: &str) -> String {
    hex(&digest(text))
}

/// Whether a text is the code that this was kept of.
pub(crate) fn is_code(text: &str, kept: &[u8; HASH_BYTES]) -> bool {
    digest(text).ct_eq(kept).into()
}

/// The text of a token, which is shown once.
#[derive(Clone)]
pub struct Secret {
    kind: Kind,
    id: String,
    text: String,
}

impl Secret {
    /// A new token.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new(kind: Kind) -> Result<Self, TokenError> {
        let mut bytes = [0; SECRET_BYTES + ID_BYTES];
        getrandom::fill(&mut bytes).map_err(|_| TokenError("the system gives no random bytes".to_owned()))?;
        let (secret, id) = bytes.split_at(SECRET_BYTES);
        let id = hex(id);
        let text = format!("esc_{kind}_{id}_{}", hex(secret));
        Ok(Secret { kind, id, text })
    }

    /// A token as it is written.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let expected = || {
            TokenError(
                "a token cannot be read, expected esc_server_…, esc_client_…, esc_ingest_… or esc_admin_… from `--new-token`"
                    .to_owned(),
            )
        };
        let rest = text.strip_prefix("esc_").ok_or_else(expected)?;
        let (kind, rest) = rest.split_once('_').ok_or_else(expected)?;
        let (id, secret) = rest.split_once('_').ok_or_else(expected)?;
        let is_long = |text: &str, bytes: usize| unhex(text).is_some_and(|read| read.len() == bytes);
        if !is_long(id, ID_BYTES) || !is_long(secret, SECRET_BYTES) {
            return Err(expected());
        }
        Ok(Secret { kind: Kind::named(kind).ok_or_else(expected)?, id: id.to_owned(), text: text.to_owned() })
    }

    /// The text that a client sends.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Who it is for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the configuration holds of it.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex(&digest(&self.text))
    }

    /// A token of the configuration without limits.
    #[must_use]
    pub fn token(&self) -> Token {
        let (kind, id, sha256) = (self.kind, self.id.clone(), self.sha256());
        Token { kind, id, sha256, name: None, role: None, origins: Vec::new(), expires: None, company: None }
    }
}

/// Without the secret.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("kind", &self.kind).field("id", &self.id).finish_non_exhaustive()
    }
}

/// What the configuration says of a token.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Who it is for.
    pub kind: Kind,
    /// The part between the kind and the secret.
    pub id: String,
    /// The SHA-256 of the whole token, in hexadecimal digits.
    pub sha256: String,
    /// Whom the history names for what this token changes; `token <id>` without it.
    #[serde(default)]
    pub name: Option<String>,
    /// What an admin token may do; everything without it.
    #[serde(default)]
    pub role: Option<Role>,
    /// The pages that may use it, such as `https://app.example.com`; without any every page may.
    #[serde(default)]
    pub origins: Vec<String>,
    /// From when on it is refused.
    #[serde(default)]
    pub expires: Option<String>,
    /// The only company that it may ask for; an admin token with it sees that company's answers alone.
    #[serde(default)]
    pub company: Option<String>,
}

/// Why a token cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TokenError(String);

/// A token that was checked.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) kind: Kind,
    pub(crate) id: String,
    sha256: [u8; HASH_BYTES],
    /// Whom the history names.
    pub(crate) name: String,
    role: Role,
    origins: Vec<String>,
    pub(crate) expires: Option<Time>,
    pub(crate) company: Option<String>,
    /// When it was used last, in milliseconds since 1970; 0 if not since it was read.
    used: AtomicI64,
}

impl Known {
    pub(crate) fn check(token: &Token) -> Result<Self, TokenError> {
        let wrong = |problem: String| TokenError(format!("token `{}`: {problem}", token.id));
        let sha256 = unhex(&token.sha256).and_then(|bytes| bytes.try_into().ok());
        let sha256 = sha256.ok_or_else(|| wrong("`sha256` is wrong, expected 64 hexadecimal digits".to_owned()))?;
        let time = |text: &String| {
            Time::parse(text).ok_or_else(|| wrong(format!("`{text}` is not a time, expected one such as 2027-01-01")))
        };
        if token.kind == Kind::Server && token.company.is_some() {
            return Err(wrong(
                "a token of the kind `server` sees every company, expected `company` with another kind".to_owned(),
            ));
        }
        if token.kind != Kind::Admin && token.role.is_some() {
            return Err(wrong(format!("a token of the kind `{}` has no role, expected the kind `admin`", token.kind)));
        }
        for origin in &token.origins {
            let is_origin = url::Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == *origin);
            if !is_origin {
                return Err(wrong(format!(
                    "`{origin}` is not an origin, expected one such as https://app.example.com"
                )));
            }
        }
        Ok(Known {
            kind: token.kind,
            id: token.id.clone(),
            sha256,
            name: token.name.clone().unwrap_or_else(|| format!("token {}", token.id)),
            role: token.role.unwrap_or(Role::Admin),
            origins: token.origins.clone(),
            expires: token.expires.as_ref().map(time).transpose()?,
            company: token.company.clone(),
            used: AtomicI64::new(0),
        })
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Who asks with it.
    pub(crate) fn caller(&self) -> Caller {
        Caller {
            name: self.name.clone(),
            role: self.role,
            may_roll_back: self.role == Role::Admin,
            company: self.company.clone(),
            account: None,
            session: None,
        }
    }

    /// Whether it may do what a backend may: it is of one, or of an admin of all companies.
    pub(crate) fn is_backend(&self) -> bool {
        match self.kind {
            Kind::Server => true,
            Kind::Admin => self.role == Role::Admin && self.company.is_none(),
            Kind::Client | Kind::Ingest => false,
        }
    }

    /// Whether a page may use it; what is no page sends no origin.
    pub(crate) fn allows(&self, origin: Option<&str>) -> bool {
        self.origins.is_empty() || origin.is_none_or(|origin| self.origins.iter().any(|allowed| allowed == origin))
    }

    fn is_over(&self, now: Time) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// The proof that who has it was given something by this server for this token.
    fn proof(&self, of: &str) -> Hmac<Sha256> {
        // A key of any length will do.
        let mut proof = Hmac::<Sha256>::new_from_slice(&self.sha256).unwrap_or_else(|_| Hmac::new(&Default::default()));
        proof.update(format!("{of} {}", self.id).as_bytes());
        proof
    }

    /// What the cookie of a session holds, until that time.
    pub(crate) fn session(&self, until: Time) -> String {
        let until = until.as_millis();
        let proof = self.proof(&format!("session {until}")).finalize();
        format!("{}.{until}.{}", self.id, hex(&proof.into_bytes()))
    }

    /// A ticket: it replaces the token in an address. It is valid for that day and the next, and for events only.
    pub(crate) fn ticket(&self, now: Time) -> String {
        let day = day(now);
        format!("{}.{day}.{}", self.id, hex(&self.proof(&events(day)).finalize().into_bytes()))
    }
}

/// The days since 1970.
fn day(now: Time) -> i64 {
    now.as_millis().div_euclid(86_400_000)
}

/// What a ticket proves.
fn events(day: i64) -> String {
    format!("ofrep events {day}")
}

fn digest(text: &str) -> [u8; HASH_BYTES] {
    Sha256::digest(text.as_bytes()).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing into a string never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let is_hex =
        text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let digits: Vec<u8> = text.chars().filter_map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    let byte = |pair: &[u8]| pair.iter().fold(0, |byte, digit| byte << 4 | digit);
    is_hex.then(|| digits.chunks(2).map(byte).collect())
}

#[cfg(test)]
mod tests {
    use esclusa::Time;

    use super::{Kind, Secret, Token, Tokens};

    fn at(text: &str) -> Time {
        Time::parse(text).unwrap()
    }

    #[test]
    fn a_token_is_known_by_its_whole_text_until_its_time_is_over() {
        let secret = Secret::new(Kind::Client).unwrap();
        let token = Token { expires: Some("2027-01-01T00:00:00Z".to_owned()), ..secret.token() };
        let tokens = Tokens::new(&[token]).unwrap();
        let before = at("2026-12-31T23:59:59Z");
        assert_eq!(tokens.find(secret.text(), before).unwrap().kind, Kind::Client);
        assert!(tokens.find(secret.text(), at("2027-01-01T00:00:00Z")).is_none(), "its time is over");
        let (head, last) = secret.text().split_at(secret.text().len() - 1);
        let other_end = if last == "0" { "1" } else { "0" };
        let as_server = secret.text().replace("client", "server");
        let upper = secret.text().to_uppercase();
        for wrong in
            ["", "esc_", &format!("{head}{other_end}"), head, &as_server, &upper, &format!("{} ", secret.text())]
        {
            assert!(tokens.find(wrong, before).is_none(), "{wrong}");
        }
        assert!(tokens.find(Secret::new(Kind::Client).unwrap().text(), before).is_none(), "another token");
    }

    #[test]
    fn a_ticket_holds_for_its_day_and_the_next_and_for_one_token() {
        let (one, other) = (Secret::new(Kind::Client).unwrap(), Secret::new(Kind::Client).unwrap());
        let tokens = Tokens::new(&[one.token(), other.token()]).unwrap();
        let now = at("2026-11-30T23:59:00Z");
        let ticket = tokens.find(one.text(), now).unwrap().ticket(now);
        assert!(!ticket.contains(&one.sha256()) && !one.text().contains(&ticket));
        assert_eq!(ticket, tokens.find(one.text(), now).unwrap().ticket(at("2026-11-30T00:00:00Z")));
        assert!(tokens.of_ticket(&ticket, at("2026-12-01T23:59:00Z")).is_some());
        assert!(tokens.of_ticket(&ticket, at("2026-12-02T00:00:00Z")).is_none(), "two days later");
        assert!(tokens.of_ticket(&ticket, at("2026-11-29T00:00:00Z")).is_none(), "the day before");
        assert!(tokens.of_ticket(&ticket.replace(one.id(), other.id()), now).is_none(), "for another token");
        for wrong in ["", "..", "a.b.c", &ticket[..ticket.len() - 2]] {
            assert!(tokens.of_ticket(wrong, now).is_none(), "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_a_token_is_refused_at_the_start() {
        let token = Secret::new(Kind::Client).unwrap().token();
        let server = Secret::new(Kind::Server).unwrap().token();
        let refused = |token: Token| Tokens::new(&[token]).unwrap_err().to_string();
        assert!(
            refused(Token { sha256: "abc".to_owned(), ..token.clone() }).ends_with("expected 64 hexadecimal digits")
        );
        let origins = vec!["https://app.example.com/".to_owned()];
        assert!(refused(Token { origins, ..token.clone() }).contains("is not an origin"));
        assert!(refused(Token { expires: Some("soon".to_owned()), ..token.clone() }).contains("is not a time"));
        assert!(refused(Token { company: Some("acme".to_owned()), ..server }).contains("sees every company"));
        assert!(Tokens::new(&[token.clone(), token]).unwrap_err().to_string().ends_with("is there twice"));
    }
}
