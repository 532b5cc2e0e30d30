//! Access to a URL: a client, its credentials, and the origin that they are sent to.

use std::error::Error as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use esclusa::sync::{Rows, retry_after_ms};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_RANGE, DATE, HeaderMap, HeaderName, HeaderValue,
    IF_NONE_MATCH, LOCATION, RANGE, RETRY_AFTER,
};
use reqwest::redirect::Policy;
use reqwest::{Client, Error, Response, StatusCode, Url};
use rustls::pki_types::CertificateDer;

use super::tls::tls;
use crate::source::Failure;

/// Maximum number of consecutive redirects.
const MAX_REDIRECTS: usize = 5;

/// A client, with credentials for one origin.
#[derive(Clone)]
pub(crate) struct Access {
    client: Client,
    /// The configured URL; headers, user and password are sent to its origin only.
    home: Url,
    headers: HeaderMap,
    token: Option<Token>,
    connect_timeout: Duration,
}

/// What gives the token of each request.
pub(crate) type Token = Arc<dyn Fn() -> String + Send + Sync>;

/// The kind of a request.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'r> {
    Snapshot {
        etag: Option<&'r str>,
    },
    /// A snapshot, with the number of all rows in the header `Content-Range`.
    Counted,
    /// Some of its rows, by their numbers.
    Rows {
        first: u64,
        last: u64,
    },
    Events,
}

impl Access {
    pub(crate) fn new(
        home: &Url,
        (headers, token): (&HeaderMap, Option<&Token>),
        roots: &[CertificateDer<'static>],
        connect_timeout: Duration,
    ) -> Result<Self, Failure> {
        let client = Client::builder()
            .user_agent(concat!("esclusa-sync/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(tls(roots, home.scheme() == "https")?)
            .connect_timeout(connect_timeout)
            // Another crate of the app may have enabled HTTP/2.
            .http1_only()
            // One request is open at a time; other connections of a connection race are closed.
            .pool_max_idle_per_host(1)
            // reqwest's policy would send some headers to other origins, and log URLs.
            .redirect(Policy::none())
            .build()
            .map_err(|error| Failure::new(format!("there is no client: {}", innermost(error))))?;
        Ok(Access { client, home: home.clone(), headers: headers.clone(), token: token.cloned(), connect_timeout })
    }

    /// The answer of status 200 (or 304, if a snapshot is wanted), after redirects.
    pub(super) async fn get(&self, url: &Url, wanted: Wanted<'_>) -> Result<Response, Failure> {
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(&url, wanted).await?;
            match response.status() {
                StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION => return unpacked(response),
                // The header decides what it holds.
                StatusCode::PARTIAL_CONTENT if !matches!(wanted, Wanted::Events) => return unpacked(response),
                StatusCode::NOT_MODIFIED if matches!(wanted, Wanted::Snapshot { .. }) => return Ok(response),
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => url = redirected(&url, response.headers())?,
                status => {
                    let retry_after = retry_after(response.headers());
                    return Err(Failure {
                        retry_after,
                        ..Failure::new(format!("the answer has the status {status}, expected 200"))
                    });
                }
            }
        }
        Err(Failure::new(format!("redirected more often than {MAX_REDIRECTS} times")))
    }

    async fn send(&self, url: &Url, wanted: Wanted<'_>) -> Result<Response, Failure> {
        let mut url = url.clone();
        let mut headers = HeaderMap::new();
        match wanted {
            Wanted::Snapshot { .. } | Wanted::Counted | Wanted::Rows { .. } => {
                headers.insert(ACCEPT, HeaderValue::from_static("application/json, */*;q=0.5"));
                let etag = if let Wanted::Snapshot { etag } = wanted { etag } else { None };
                if let Some(etag) = etag.and_then(|etag| HeaderValue::try_from(etag).ok()) {
                    headers.insert(IF_NONE_MATCH, etag);
                }
            }
            Wanted::Events => {
                headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
                // Compression would delay events until a block is full.
                headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            }
        }
        let is_home = url.origin() == self.home.origin();
        // This fails only for URLs without a host, and these have one.
        let _ = url.set_username(if is_home { self.home.username() } else { "" });
        let _ = url.set_password(self.home.password().filter(|_| is_home));
        let mut request = self.client.get(url);
        if is_home {
            headers.extend(self.headers.clone());
            if let Some(token) = &self.token {
                headers.insert(AUTHORIZATION, bearer(&token())?);
            }
            if let Wanted::Events = wanted {
                // The headers for reading a snapshot do not apply to events.
                headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
            }
        }
        if let Wanted::Counted | Wanted::Rows { .. } = wanted {
            headers.append(HeaderName::from_static("prefer"), HeaderValue::from_static("count=exact"));
        }
        if let Wanted::Rows { first, last } = wanted {
            headers.insert(HeaderName::from_static("range-unit"), HeaderValue::from_static("items"));
            headers.insert(RANGE, HeaderValue::try_from(format!("{first}-{last}"))?);
        }
        request = request.headers(headers);
        request.send().await.map_err(|error| self.unanswered(error))
    }

    /// The answer to a body of JSON that is sent to a URL of its own origin.
    #[cfg(feature = "guard")]
    pub(super) async fn put(&self, url: Url, body: String) -> Result<Response, Failure> {
        self.say(self.client.put(url), body).await
    }

    /// Sends a body of JSON to a URL of its own origin, which has to answer that it is well.
    #[cfg(feature = "guard")]
    pub(crate) async fn post(&self, url: Url, body: String) -> Result<(), Failure> {
        let response = self.say(self.client.post(url), body).await?;
        if response.status().is_success() {
            return Ok(());
        }
        let problem = format!("the answer has the status {}, expected 200", response.status());
        Err(Failure { retry_after: retry_after(response.headers()), ..Failure::new(problem) })
    }

    /// Sends a body of JSON to a URL of its own origin.
    pub(super) async fn tell(&self, url: Url, body: String) -> Result<Response, Failure> {
        self.say(self.client.post(url), body).await
    }

    async fn say(&self, request: reqwest::RequestBuilder, body: String) -> Result<Response, Failure> {
        let mut headers = self.headers.clone();
        if let Some(token) = &self.token {
            headers.insert(AUTHORIZATION, bearer(&token())?);
        }
        headers.insert(reqwest::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.headers(headers).body(body).send().await.map_err(|error| self.unanswered(error))
    }

    fn unanswered(&self, error: Error) -> Failure {
        if !error.is_connect() {
            broken_off(error)
        } else if error.is_timeout() {
            Failure::new(format!("cannot connect within {} s", self.connect_timeout.as_secs_f64()))
        } else {
            Failure::new(format!("cannot connect: {}", innermost(error)))
        }
    }
}

/// The header that a token is sent in.
fn bearer(token: &str) -> Result<HeaderValue, Failure> {
    let mut header = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| Failure::new("the token cannot be sent, expected one line of text"))?;
    header.set_sensitive(true);
    Ok(header)
}

/// Whether an answer holds all rows (11.17).
pub(super) fn rows(response: &Response) -> Rows {
    let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    Rows::of(response.status().as_u16(), range)
}

/// Fails if the answer has an encoding that the client has not decoded.
fn unpacked(response: Response) -> Result<Response, Failure> {
    let coding = response.headers().get(CONTENT_ENCODING).and_then(|coding| coding.to_str().ok());
    match coding.map(str::trim).filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity")) {
        None => Ok(response),
        Some(coding) => Err(Failure::new(format!(
            "the answer is packed with the `Content-Encoding` {coding:?}, which was not asked for, expected gzip or none"
        ))),
    }
}

/// The wait that the server asks for.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let now_ms = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    let now_ms = u64::try_from(now_ms).unwrap_or(u64::MAX);
    retry_after_ms(text(RETRY_AFTER)?, text(DATE), now_ms).map(Duration::from_millis)
}

/// The target of a redirect.
fn redirected(from: &Url, headers: &HeaderMap) -> Result<Url, Failure> {
    let location = headers.get(LOCATION).and_then(|location| location.to_str().ok());
    let to = location.and_then(|location| from.join(location).ok());
    let to = to.ok_or_else(|| Failure::new("redirected to what is no URL"))?;
    match (from.scheme(), to.scheme()) {
        (_, "https") | ("http", "http") => Ok(to),
        ("https", "http") => Err(Failure::new("redirected from https to http, expected https")),
        _ => Err(Failure::new("redirected to another protocol, expected http or https")),
    }
}

/// The error for an answer that was cut off.
pub(super) fn broken_off(error: Error) -> Failure {
    Failure::new(format!("the answer broke off: {}", innermost(error)))
}

/// The innermost cause: the others add nothing, and the outermost has the URL.
fn innermost(error: Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use reqwest::Url;
    use reqwest::header::{HeaderMap, HeaderValue, LOCATION};

    use super::redirected;

    #[test]
    fn redirects_lead_from_https_only_to_https() {
        let to = |from: &str, location: &'static str| {
            let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_static(location))]);
            let from = Url::parse(from).expect("it is a URL");
            redirected(&from, &headers).map(String::from).map_err(|failure| failure.error)
        };
        assert_eq!(to("https://a/x/y?k=v", "z"), Ok("https://a/x/z".to_owned()));
        assert_eq!(to("http://a/x", "https://b/y"), Ok("https://b/y".to_owned()));
        assert_eq!(to("http://a/x", "//b/y"), Ok("http://b/y".to_owned()));
        assert_eq!(to("https://a/", "http://a/"), Err("redirected from https to http, expected https".to_owned()));
        assert_eq!(
            to("http://a/", "file:///etc"),
            Err("redirected to another protocol, expected http or https".to_owned())
        );
        assert_eq!(to("http://a/", "http://"), Err("redirected to what is no URL".to_owned()));
        let from = Url::parse("http://a/").expect("it is a URL");
        assert!(redirected(&from, &HeaderMap::new()).is_err(), "no location");
    }
}
