//! A table behind PostgREST, as Supabase has it: keys in two headers, pages of a limited number of rows, and `Content-Range`.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_RANGE, HeaderName, RANGE};

use crate::answers::{Answer, json, text, with};
use crate::server::Server;

/// Serves until it is dropped.
#[derive(Debug)]
pub struct Table {
    shared: Arc<Shared>,
    server: Server,
}

#[derive(Debug)]
struct Shared {
    key: String,
    max_rows: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rows: Vec<String>,
    /// How many rows are taken away after the next answer.
    shrinks: usize,
    answers: u64,
}

impl Table {
    /// A table without rows, which gives at most `max_rows` at once.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(key: &str, max_rows: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared { key: key.to_owned(), max_rows, state: Mutex::default() });
        let asked = Arc::clone(&shared);
        let server = Server::start(move |request| asked.answer(request)).await?;
        Ok(Table { shared, server })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/rest/v1/feature_flags", self.server.address())
    }

    /// Has these rows from now on, each as JSON.
    pub fn put(&self, rows: Vec<String>) {
        self.shared.state().rows = rows;
    }

    /// Loses a number of rows after the next answer, as when they are deleted between two pages.
    pub fn shrink_after_the_next(&self, rows: usize) {
        self.shared.state().shrinks = rows;
    }

    /// How many pages were given.
    #[must_use]
    pub fn answers(&self) -> u64 {
        self.shared.state().answers
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request<Incoming>) -> Answer {
        let header = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
        let bearer = format!("Bearer {}", self.key);
        let is_known = header(HeaderName::from_static("apikey")) == Some(self.key.as_str())
            && header(AUTHORIZATION) == Some(bearer.as_str());
        if !is_known {
            return text(401, r#"{"message": "No API key found in request"}"#);
        }
        let mut state = self.state();
        let total = state.rows.len();
        let (first, last) = header(RANGE)
            .and_then(|range| range.split_once('-'))
            .and_then(|(first, last)| Some((first.parse().ok()?, last.parse().unwrap_or(usize::MAX))))
            .unwrap_or((0, usize::MAX));
        if first > total {
            return text(416, r#"{"code": "PGRST103", "message": "Requested range not satisfiable"}"#);
        }
        state.answers += 1;
        let end = total.min(last.saturating_add(1)).min(first.saturating_add(self.max_rows));
        let page = state.rows.get(first..end).unwrap_or_default();
        let body = Bytes::from(format!("[{}]", page.join(",\n ")));
        let is_counted = header(HeaderName::from_static("prefer")).is_some_and(|prefer| prefer.contains("count=exact"));
        let held = if page.is_empty() { "*".to_owned() } else { format!("{first}-{}", end - 1) };
        let left = total.saturating_sub(std::mem::take(&mut state.shrinks));
        state.rows.truncate(left);
        let range = if is_counted { format!("{held}/{total}") } else { format!("{held}/*") };
        let mut answer = with(json(body), CONTENT_RANGE, &range);
        if is_counted && end - first < total {
            *answer.status_mut() = hyper::StatusCode::PARTIAL_CONTENT;
        }
        answer
    }
}
