//! How a server is set up: the section `[serve]` of `esclusa.toml`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use esclusa::Value;
use serde::Deserialize;

use crate::store::StoreError;
use crate::token::{Token, TokenError, Tokens};

/// How a server is set up.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where clients reach it, if a proxy stands in front of it. The path is put in front of the paths that it hands out.
    pub public_url: Option<String>,
    /// The header `Cache-Control` of snapshots.
    pub cache: String,
    /// Over how many milliseconds the news of OFREP is spread: its clients ask for everything at once.
    pub spread_ms: u64,
    /// How many streams of events may be open.
    pub max_streams: usize,
    /// Whether each change of a flag has to say why; an emergency rollback need not.
    pub reason_required: bool,
    /// What becomes of the reports of apps and pages.
    pub usage: UsageSettings,
    /// Whether a proxy in front of it writes the address of the client at the end of `X-Forwarded-For`.
    pub forwarded: bool,
    /// Who may ask.
    pub tokens: Vec<Token>,
    /// People of whom the panel asks who gets a flag, as contexts.
    #[serde(skip)]
    pub people: Vec<Value<'static>>,
}

/// What becomes of the reports of apps and pages: `[serve.usage]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UsageSettings {
    /// For how many days numbers are kept, 1 to 3,650.
    pub keep_days: u32,
    /// Whether each event is a row in the table `feature_usage` too, which only Postgres has.
    pub raw_rows: bool,
}

impl Default for UsageSettings {
    fn default() -> Self {
        UsageSettings { keep_days: 90, raw_rows: false }
    }
}

/// For this machine alone, without tokens.
impl Default for Settings {
    fn default() -> Self {
        Settings {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4365)),
            public_url: None,
            cache: "private, no-cache".to_owned(),
            spread_ms: 2_000,
            max_streams: 20_000,
            reason_required: false,
            usage: UsageSettings::default(),
            forwarded: false,
            tokens: Vec::new(),
            people: Vec::new(),
        }
    }
}

/// Why a server cannot be set up so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(pub(crate) String);

impl From<StoreError> for SettingsError {
    fn from(error: StoreError) -> Self {
        SettingsError(error.to_string())
    }
}

impl From<TokenError> for SettingsError {
    fn from(error: TokenError) -> Self {
        SettingsError(error.to_string())
    }
}

/// Settings that were checked.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) people: Vec<Value<'static>>,
    pub(crate) tokens: Tokens,
    /// What stands in front of every path that is handed out; empty, or `/esclusa`.
    pub(crate) prefix: String,
    pub(crate) cache: axum::http::HeaderValue,
    pub(crate) spread: Duration,
    pub(crate) max_streams: usize,
    pub(crate) needs_reason: bool,
    pub(crate) usage: UsageSettings,
    pub(crate) is_forwarded: bool,
    /// Whether clients reach this server by https.
    pub(crate) is_https: bool,
}

impl Settings {
    pub(crate) fn check(&self) -> Result<Checked, SettingsError> {
        let prefix = match &self.public_url {
            Some(url) => prefix(url)?,
            None => String::new(),
        };
        let cache = self.cache.parse();
        let cache = cache.map_err(|_| SettingsError("`cache` cannot be a header, expected one line".to_owned()))?;
        if !(1..=3_650).contains(&self.usage.keep_days) {
            let days = self.usage.keep_days;
            return Err(SettingsError(format!("`usage.keep_days` is {days}, expected 1 to 3650")));
        }
        let tokens = Tokens::new(&self.tokens)?;
        Ok(Checked {
            people: self.people.clone(),
            tokens,
            prefix,
            cache,
            spread: Duration::from_millis(self.spread_ms),
            max_streams: self.max_streams,
            needs_reason: self.reason_required,
            usage: self.usage,
            is_forwarded: self.forwarded,
            is_https: self.public_url.as_ref().is_some_and(|url| url.starts_with("https:")),
        })
    }
}

fn prefix(url: &str) -> Result<String, SettingsError> {
    let wrong = || {
        SettingsError(format!("`public_url` is `{url}`, expected an address such as https://flags.example.com/esclusa"))
    };
    let url = url::Url::parse(url).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong());
    }
    Ok(url.path().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn the_path_of_the_public_address_stands_in_front_of_paths() {
        let prefix = |url: &str| {
            let settings = Settings { public_url: Some(url.to_owned()), ..Settings::default() };
            settings.check().map(|checked| checked.prefix).map_err(|error| error.to_string())
        };
        assert_eq!(prefix("https://flags.example.com").unwrap(), "");
        assert_eq!(prefix("https://example.com/tools/esclusa/").unwrap(), "/tools/esclusa");
        for wrong in ["flags.example.com", "ftp://example.com", "https://example.com/?a=b"] {
            assert!(prefix(wrong).unwrap_err().contains("expected an address"), "{wrong}");
        }
    }

    #[test]
    fn what_has_no_meaning_is_named() {
        let read = |text: &str| toml::from_str::<Settings>(text).unwrap_err().to_string();
        assert!(read("listne = '127.0.0.1:1'").contains("listne"));
        assert!(
            read("[[tokens]]\nkind = 'root'\nid = 'a'\nsha256 = 'b'")
                .contains("expected one of `server`, `client`, `ingest`, `admin`")
        );
    }
}
