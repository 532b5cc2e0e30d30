//! Connection strings in the forms of libpq, its users and database vendors.
//!
//! `tokio-postgres` reads most parameters; this module reads those that it does not know, and skips those of other
//! clients (a pool, an ORM). An unknown parameter is an error: it may have been meant as a restriction.

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::tls::Identity;
use crate::certificates::certificates;
use crate::source::Failure;
use crate::trust::Check;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Parameters of other clients, and those that only libpq uses.
const OF_OTHERS: [&str; 37] = [
    // Prisma.
    "pgbouncer",
    "connection_limit",
    "pool_timeout",
    "socket_timeout",
    "statement_cache_size",
    "sslidentity",
    "single_use_connections",
    "max_connection_lifetime",
    "max_idle_connection_lifetime",
    // Rails, Django, SQLAlchemy, node-postgres, JDBC, pgx.
    "pool",
    "pool_size",
    "max_overflow",
    "encoding",
    "client_encoding",
    "charset",
    "conn_max_age",
    "prepared_statements",
    "prepare_threshold",
    "preparethreshold",
    "default_query_exec_mode",
    "uselibpqcompat",
    "reconnect",
    "supa",
    "adapter",
    "pool_max_conns",
    "pool_min_conns",
    "pool_max_conn_lifetime",
    // libpq.
    "gssencmode",
    "krbsrvname",
    "gsslib",
    "sslcompression",
    "sslcrl",
    "sslcrldir",
    "sslsni",
    "requirepeer",
    "fallback_application_name",
    "passfile",
];

/// A parsed connection string.
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) check: Check,
    /// Whether the string says what is verified.
    pub(super) is_explicit: bool,
    pub(super) roots: Vec<CertificateDer<'static>>,
    pub(super) identity: Option<Identity>,
    /// The schema of the table, if it is not left to the search path.
    pub(super) schema: Option<String>,
}

impl Address {
    /// # Errors
    /// When the text cannot be read; the error tells nothing of its values, but where a file is missing.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let text = text.trim();
        let text = text.strip_prefix("jdbc:").unwrap_or(text);
        match text.split_once("://") {
            // SQLAlchemy names its driver: `postgresql+asyncpg`.
            Some((scheme, rest)) if matches!(scheme.split('+').next(), Some("postgres" | "postgresql")) => {
                Address::parse_url(rest)
            }
            Some((scheme, _)) if !scheme.contains(['=', ' ']) => {
                Err(Failure::new("the address has another scheme, expected `postgres://…`"))
            }
            _ => Address::collect("", key_values(text)?),
        }
    }

    fn parse_url(rest: &str) -> Result<Self, Failure> {
        // A password may contain a question mark.
        let path = rest.find('/').unwrap_or(rest.len());
        let host = rest.get(..path).and_then(|before| before.rfind('@')).unwrap_or_default();
        let query = rest.get(host..).and_then(|after| after.find('?')).map(|at| host + at);
        let (base, query) = match query.and_then(|at| rest.split_at_checked(at)) {
            Some((base, query)) => (base, query.get(1..).unwrap_or_default()),
            None => (rest, ""),
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(key)?, decoded(value)?))
        });
        Address::collect(&format!("postgres://{base}"), pairs.collect::<Result<_, Failure>>()?)
    }

    /// `base` is the address without its parameters, or empty.
    fn collect(base: &str, pairs: Vec<(String, String)>) -> Result<Self, Failure> {
        let (mut tls, mut schema, mut known) = (Tls::default(), None, Vec::new());
        for (key, value) in pairs {
            match key.as_str() {
                "schema" | "currentSchema" => schema = Some(value).filter(|schema| schema != "public"),
                key if tls.take(key, &value)? => {}
                "target_session_attrs" => known.push((key, session(&value).to_owned())),
                key if OF_OTHERS.contains(&key.to_ascii_lowercase().as_str()) => {}
                _ => known.push((key, value)),
            }
        }
        let mut config: Config = joined(base, &known).parse()?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host(local_host());
        }
        let (check, is_explicit) = (tls.check(), tls.mode.is_some());
        config.ssl_mode(match tls.mode.as_deref() {
            Some("disable") => SslMode::Disable,
            None | Some("prefer" | "allow") if check == Check::Nothing => SslMode::Prefer,
            _ => SslMode::Require,
        });
        let (roots, identity) = (tls.roots()?, tls.identity()?);
        Ok(Address { config, check, is_explicit, roots, identity, schema })
    }
}

/// The TLS settings of a connection string.
#[derive(Default)]
struct Tls {
    mode: Option<String>,
    root: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
}

impl Tls {
    fn take(&mut self, key: &str, value: &str) -> Result<bool, Failure> {
        match key {
            "sslmode" => {
                let is_known = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full", "no-verify"];
                if !is_known.contains(&value) {
                    return Err(Failure::new(format!(
                        "`sslmode` is `{value}`, expected `disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`"
                    )));
                }
                self.mode = Some(value.to_owned());
            }
            // Of node-postgres and JDBC, and of Prisma.
            "ssl" if value != "false" && value != "0" => _ = self.mode.get_or_insert_with(|| "require".to_owned()),
            "sslaccept" if value == "strict" => self.mode = Some("verify-full".to_owned()),
            "ssl" | "sslaccept" => {}
            "sslrootcert" | "sslcert" | "sslkey" if value.is_empty() => {}
            "sslrootcert" => self.root = Some(value.to_owned()),
            "sslcert" => self.certificate = Some(value.to_owned()),
            "sslkey" => self.key = Some(value.to_owned()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn check(&self) -> Check {
        match (self.mode.as_deref(), self.root.as_deref()) {
            (Some("disable" | "no-verify"), _) => Check::Nothing,
            (Some("verify-full"), _) | (_, Some("system")) => Check::ChainAndName,
            // As in libpq: if roots are named, they are used.
            (Some("verify-ca"), _) | (_, Some(_)) => Check::Chain,
            _ => Check::Nothing,
        }
    }

    fn roots(&self) -> Result<Vec<CertificateDer<'static>>, Failure> {
        match self.root.as_deref() {
            None | Some("system") => Ok(Vec::new()),
            Some(file) => certificates(&read("sslrootcert", file)?),
        }
    }

    fn identity(&self) -> Result<Option<Identity>, Failure> {
        let (Some(certificate), Some(key)) = (&self.certificate, &self.key) else { return Ok(None) };
        let key = PrivateKeyDer::from_pem_slice(&read("sslkey", key)?)
            .map_err(|problem| Failure::new(format!("`sslkey` holds no key in PEM: {problem}")))?;
        Ok(Some((certificates(&read("sslcert", certificate)?)?, key)))
    }
}

fn read(key: &str, file: &str) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|problem| Failure::new(format!("`{key}`: cannot read `{file}`: {problem}")))
}

/// The nearest setting of `tokio-postgres` for one of libpq's.
fn session(value: &str) -> &str {
    match value {
        "primary" => "read-write",
        "standby" => "read-only",
        "prefer-standby" => "any",
        other => other,
    }
}

/// Where libpq looks for a server without a name.
fn local_host() -> &'static str {
    let sockets = "/var/run/postgresql";
    if std::path::Path::new(sockets).is_dir() { sockets } else { "localhost" }
}

/// The pairs of `host=… user='…'`.
fn key_values(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let (mut pairs, mut rest) = (Vec::new(), text.trim_start());
    while !rest.is_empty() {
        let (key, after) =
            rest.split_once('=').ok_or_else(|| Failure::new("expected pairs of a key, `=` and a value"))?;
        let mut characters = after.trim_start().chars();
        let mut value = String::new();
        let is_quoted = characters.as_str().starts_with('\'');
        if is_quoted {
            characters.next();
        }
        loop {
            match characters.next() {
                Some('\\') => value.extend(characters.next()),
                Some('\'') if is_quoted => break,
                Some(end) if !is_quoted && end.is_whitespace() => break,
                Some(character) => value.push(character),
                None if is_quoted => return Err(Failure::new("a value in quotes does not end")),
                None => break,
            }
        }
        pairs.push((key.trim().to_owned(), value));
        rest = characters.as_str().trim_start();
    }
    Ok(pairs)
}

/// A connection string that `tokio-postgres` reads.
fn joined(base: &str, pairs: &[(String, String)]) -> String {
    let mut text = base.to_owned();
    for (number, (key, value)) in pairs.iter().enumerate() {
        if base.is_empty() {
            let value = value.replace('\\', "\\\\").replace('\'', "\\'");
            text.push_str(&format!("{key}='{value}' "));
        } else {
            let separator = if number == 0 { '?' } else { '&' };
            text.push_str(&format!("{separator}{key}={}", encoded(value)));
        }
    }
    text
}

fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn decoded(text: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        match code.filter(|_| byte == b'%').map(|code| u8::from_str_radix(code, 16)) {
            Some(Ok(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            Some(Err(_)) => return Err(Failure::new("a `%` in the address is not followed by two hexadecimal digits")),
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| Failure::new("the address is not UTF-8"))
}

#[cfg(test)]
mod tests;
