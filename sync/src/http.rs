//! HTTP: a snapshot behind a URL, requested with its entity tag, with server-sent events where the store has them.

mod access;
mod events;
mod pages;
mod reports;
mod tls;
#[cfg(feature = "guard")]
mod trips;

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use esclusa::limit::MAX_SNAPSHOT_BYTES;
use esclusa::sync::{Request, Rows};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode, Url};
use rustls::pki_types::CertificateDer;

use crate::certificates::certificates;
use crate::source::{Answer, Failure, News, Source};
#[cfg(feature = "guard")]
pub(crate) use access::Access;
#[cfg(not(feature = "guard"))]
use access::Access;
use access::{Token, Wanted};
use events::Events;

/// A snapshot behind a URL: a file on a web server or behind a CDN, an endpoint of your own, or a table behind PostgREST
/// (`https://example.com/feature_flags?select=*&order=name`). PostgREST cuts a table at its `max-rows` (1,000 at Supabase);
/// with an `order` by a column without duplicates the pages are read to the end, and without one a table that is cut is a
/// failure.
///
/// ```
/// # #[cfg(feature = "http")]
/// # fn source() -> Result<esclusa_sync::Http, esclusa_sync::HttpError> {
/// use std::time::Duration;
/// use esclusa_sync::Http;
///
/// let source = Http::new("https://flags.example.com/flags.json")?
///     .bearer("the token")?
///     .timeout(Duration::from_secs(5))
///     .events("https://flags.example.com/events")?;
/// # Ok(source)
/// # }
/// ```
///
/// Headers, and the user and the password of the URL, are sent to the origin of this URL only, also after a redirect. Logs
/// and the status show the URL's path, but neither its user, password and query nor any header.
///
/// Proxies are taken from the variables `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`.
pub struct Http {
    url: Url,
    headers: HeaderMap,
    token: Option<Token>,
    roots: Vec<CertificateDer<'static>>,
    timeout: Duration,
    connect_timeout: Duration,
    max_bytes: usize,
    events: Option<Events>,
    /// Built on first use.
    access: Option<Access>,
}

/// Why a URL or header cannot be used. The message does not repeat the value, which may hold secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpError(pub(crate) String);

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for HttpError {}

impl Http {
    /// A source for this URL, which may have a user and a password.
    ///
    /// # Errors
    /// When it is not a URL, or its scheme is neither http nor https.
    pub fn new(url: impl AsRef<str>) -> Result<Self, HttpError> {
        Ok(Http {
            url: parse(url.as_ref())?,
            headers: HeaderMap::new(),
            token: None,
            roots: Vec::new(),
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            max_bytes: MAX_SNAPSHOT_BYTES,
            events: None,
            access: None,
        })
    }

    /// Sends a header, replacing another of this name.
    ///
    /// # Errors
    /// When it is not a valid header: a line break in a value, for example.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, HttpError> {
        let header = HeaderName::try_from(name).map_err(|_| {
            HttpError("the name of a header is not one, expected letters, digits and dashes".to_owned())
        })?;
        let mut value = HeaderValue::try_from(value).map_err(|_| {
            HttpError(format!("the value of the header `{header}` cannot be sent, expected one line of text"))
        })?;
        value.set_sensitive(true);
        self.headers.insert(header, value);
        Ok(self)
    }

    /// Sends `Authorization: Bearer …`.
    ///
    /// # Errors
    /// When it is not a valid header: a token from a file often ends with a line break.
    pub fn bearer(self, token: &str) -> Result<Self, HttpError> {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// Sends `Authorization: Bearer …` with the result of the function, which is called for each request: for a token
    /// that expires, or one from a file that is replaced. It should return at once, because it runs on the runtime.
    #[must_use]
    pub fn bearer_from(mut self, token: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.token = Some(Arc::new(token));
        self
    }

    /// Trusts these certificates besides those of the system: PEM, one or several.
    ///
    /// # Errors
    /// When there is no certificate, or one cannot be read.
    pub fn root_certificates(mut self, pem: impl AsRef<[u8]>) -> Result<Self, HttpError> {
        self.roots.extend(certificates(pem.as_ref()).map_err(|failure| HttpError(failure.error))?);
        Ok(self)
    }

    /// Time limit of one whole answer, with all redirects; 10 seconds by default.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Time limit of connecting; 5 seconds by default.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Maximum size of an answer in bytes, decompressed; 256 MiB by default, the limit of a snapshot.
    #[must_use]
    pub fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes.min(MAX_SNAPSHOT_BYTES);
        self
    }

    /// Listens to server-sent events at this URL. Each event announces a new snapshot, whatever its data; events of the
    /// types `ping`, `heartbeat` and `keep-alive`, and comments, only keep the connection alive.
    ///
    /// Without a stream, the snapshot is polled once per interval.
    ///
    /// # Errors
    /// When it is not a URL, or its scheme is neither http nor https.
    pub fn events(mut self, url: impl AsRef<str>) -> Result<Self, HttpError> {
        let heartbeat = self.events.take().map_or(events::HEARTBEAT, |events| events.heartbeat());
        self.events = Some(Events::new(parse(url.as_ref())?, heartbeat));
        Ok(self)
    }

    /// How long the stream may be silent, heartbeats included, before it counts as disconnected; 45 seconds by default.
    /// It has no effect without [`Http::events`] before it.
    #[must_use]
    pub fn heartbeat(mut self, within: Duration) -> Self {
        self.events = self.events.map(|events| Events::new(events.url().clone(), within));
        self
    }

    fn access(&mut self) -> Result<Access, Failure> {
        if let Some(access) = &self.access {
            return Ok(access.clone());
        }
        let access = Access::new(&self.url, (&self.headers, self.token.as_ref()), &self.roots, self.connect_timeout)?;
        Ok(self.access.insert(access).clone())
    }

    async fn ask(&mut self, request: &Request) -> Result<Answer, Failure> {
        let access = self.access()?;
        if let Some(events) = &mut self.events {
            events.may_be_tried(&access, self.timeout);
        }
        // A tag may stay the same while the content changes, so it is sometimes left out (11.16).
        let etag = request.etag.as_deref().filter(|_| !request.in_full);
        let mut response = access.get(&self.url, Wanted::Snapshot { etag }).await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(Answer::NotModified);
        }
        if access::rows(&response) == Rows::Unknown {
            response = access.get(&self.url, Wanted::Counted).await?;
        }
        if let Rows::Part(problem) = access::rows(&response) {
            // There is no tag for all pages together.
            let bytes = pages::read_all(&access, &self.url, response, self.max_bytes, &problem).await?;
            return Ok(Answer::Snapshot { bytes, etag: None });
        }
        let etag = response.headers().get(reqwest::header::ETAG).and_then(|etag| etag.to_str().ok());
        let etag = etag.map(ToOwned::to_owned);
        let bytes = read(response, self.max_bytes).await?;
        Ok(Answer::Snapshot { bytes, etag })
    }
}

impl Source for Http {
    fn name(&self) -> String {
        shown(&self.url)
    }

    async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
        let timeout = self.timeout;
        let asked = tokio::time::timeout(timeout, self.ask(request)).await;
        asked.unwrap_or_else(|_| Err(Failure::new(format!("no whole answer within {} s", timeout.as_secs_f64()))))
    }

    async fn news(&mut self) -> News {
        match &mut self.events {
            Some(events) => events.news().await,
            None => pending().await,
        }
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("url", &shown(&self.url))
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("max_bytes", &self.max_bytes)
            .field("events", &self.events.as_ref().map(|events| shown(events.url())))
            .finish_non_exhaustive()
    }
}

pub(crate) fn parse(url: &str) -> Result<Url, HttpError> {
    let url = Url::parse(url).map_err(|problem| {
        HttpError(format!("the URL cannot be read: {problem}, expected such as https://example.com/flags.json"))
    })?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(HttpError(format!("the URL begins with `{scheme}:`, expected http:// or https://"))),
    }
}

/// A URL without what may be secret in it: the user, the password, the query and the fragment.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // This fails only for URLs without a host, and those have no user.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// The whole body, decompressed, unless it exceeds the limit; reading stops there.
async fn read(mut response: Response, max_bytes: usize) -> Result<Vec<u8>, Failure> {
    let too_long = || Failure::new(format!("the answer is too long, expected at most {max_bytes} bytes"));
    if response.content_length().is_some_and(|length| length > max_bytes as u64) {
        return Err(too_long());
    }
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(access::broken_off)? {
        if piece.len() > max_bytes - bytes.len() {
            return Err(too_long());
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Http, Source};

    #[test]
    fn what_is_no_url_is_refused_at_once_and_not_repeated() {
        for (url, expected) in [
            ("flags.json", "cannot be read"),
            ("https://", "cannot be read"),
            ("http://user:secret@exa mple/", "cannot be read"),
            ("postgres://user:secret@db/flags", "begins with `postgres:`"),
            ("localhost:8080/secret", "begins with `localhost:`"),
        ] {
            let error = Http::new(url).expect_err(url).to_string();
            assert!(error.contains(expected) && !error.contains("secret"), "{error}");
        }
        let http = Http::new("http://example.com").expect("it is a URL");
        let error = http.header("bad name", "secret").expect_err("a space").to_string();
        assert_eq!(error, "the name of a header is not one, expected letters, digits and dashes");
        let http = Http::new("http://example.com").expect("it is a URL");
        let error = http.bearer("secret\n").expect_err("a line break").to_string();
        assert_eq!(error, "the value of the header `authorization` cannot be sent, expected one line of text");
        for pem in ["", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
            let http = Http::new("http://example.com").expect("it is a URL");
            let error = http.root_certificates(pem).expect_err(pem).to_string();
            assert!(error.ends_with("expected PEM"), "{error}");
        }
    }

    #[test]
    fn neither_its_name_nor_its_debug_form_has_secrets() {
        let http = Http::new("https://secret:secret@example.com:8443/flags.json?key=secret#secret")
            .and_then(|http| http.header("X-Api-Key", "secret"))
            .and_then(|http| http.bearer("secret"))
            .and_then(|http| http.events("https://secret@example.com/events?key=secret"))
            .expect("all of it is right");
        assert_eq!(http.name(), "https://example.com:8443/flags.json");
        let shown = format!("{http:?}");
        assert!(shown.contains("https://example.com/events") && !shown.contains("secret"), "{shown}");
    }
}
